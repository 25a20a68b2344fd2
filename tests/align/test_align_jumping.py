"""The held latent tied to labels: few labels, effects that depend on the state, holes, and bad guesses."""

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from align_cases import HIDDEN, case, certified

import tslam
from tslam.align.active import choose
from tslam.align.decoder import Decoder, fit_decoder, positions
from tslam.align.labels import Holds
from tslam.align.mixture import fit_mixture
from tslam.align.reading import Reader, Reading, learn_reader, read
from tslam.contract.roles import Kind
from tslam.panel.ingest import read as read_frame

ROWS, HOLD = 2000, 50


@cache
def _valve(power: float = 1.0) -> tuple[Reader, Reading, np.ndarray]:
    """A plant whose hidden valve lets out what stands behind it, with bursts of noise.

    It lets through a power of how far it is open.
    """
    rng = np.random.default_rng(0)
    valve = np.repeat(rng.choice(np.linspace(0.2, 1.0, 5), ROWS // HOLD), HOLD)
    feed = 1.0 + 0.5 * np.repeat(rng.standard_normal(ROWS // 20), 20)
    level, flow = np.ones(ROWS), np.zeros(ROWS)
    burst = np.where(rng.random(ROWS) < 0.03, 10.0, 1.0)
    for t in range(ROWS - 1):
        out = valve[t] ** power * np.sqrt(max(level[t], 0.0))
        level[t + 1] = max(level[t] + 0.2 * (feed[t] - out) + 0.01 * burst[t] * rng.standard_normal(), 0.05)
        flow[t + 1] = 0.5 * flow[t] + 0.5 * level[t + 1] + 0.02 * rng.standard_normal()
    frame = pl.DataFrame({"t": np.arange(float(ROWS)), "level": level, "flow": flow, "feed": feed})
    model = tslam.fit(frame, actions=["feed"], time="t", config="held", progress=False)
    panel = model._panel(read_frame(frame, model.contract)[0])
    latents = model._levels(panel, "smoothed")
    reader = learn_reader(panel, frozenset(), np.ones(panel.rows, bool), latents)
    return reader, read(reader, panel, latents), valve


def _holds(truth: np.ndarray, which: list[int]) -> Holds:
    rows = tuple(np.arange(i * HOLD, (i + 1) * HOLD) for i in which)
    return Holds(rows, tuple(float(truth[own[0]]) for own in rows))


def _decoded(which: list[int], power: float = 1.0) -> tuple[Decoder, float]:
    reader, reading, truth = _valve(power)
    decoder = fit_decoder(reader, reading, _holds(truth, which), Kind.CONTINUOUS, reading.chain.usable)
    level = truth[reading.chain.rows]
    return decoder, float(1 - np.mean((decoder.read(reading) - level) ** 2) / level.var())


def test_five_labels_read_a_valve_whose_effect_depends_on_the_level() -> None:
    decoder, found = _decoded([2, 5, 17, 28, 36])
    assert decoder.held is not None
    assert found > 0.8
    reading = _valve()[1]
    level = _valve()[2][reading.chain.rows]
    plain = decoder.ridge(reading.features)[:, 0]
    assert np.mean((decoder.read(reading) - level) ** 2) < 0.6 * np.mean((plain - level) ** 2)


def test_what_is_read_goes_little_farther_than_it_did() -> None:
    """A state that the model never met is read as a level that nobody set; the record says how far."""
    decoder, _ = _decoded([2, 5, 17, 28, 36])
    _, reading, valve = _valve()
    assert decoder.held is not None
    strays = slice(500, 540)
    Y = reading.chain.Y.copy()
    Y[strays] += 12.0 * decoder.held.models[0].loadings[0] / decoder.held.models[0].unit
    stray = replace(reading, chain=replace(reading.chain, Y=Y))
    as_read, path = replace(decoder, ends=None).read(stray), decoder.read(stray)
    reach = np.ptp(decoder.read(reading))
    assert max(as_read.max() - valve.max(), valve.min() - as_read.min()) > 0.4 * reach
    assert path.max() < valve.max() + 0.25 * reach
    assert path.min() > valve.min() - 0.25 * reach
    inside = (as_read > valve.min()) & (as_read < valve.max())
    assert np.array_equal(path[inside], as_read[inside])


def test_what_asks_for_changes_is_drawn_to_no_label() -> None:
    decoder, _ = _decoded([2, 5, 17, 28, 36, 9], power=3.0)
    reading = _valve(3.0)[1]
    assert decoder.held is not None
    curves = tuple(replace(curve, seats=(), pulls=()) for curve in decoder.held.curves)
    bare = replace(decoder, ends=None, held=replace(decoder.held, curves=curves))
    assert decoder.read(reading, plain=True) == pytest.approx(bare.read(reading))
    assert np.abs(decoder.read(reading, plain=True) - decoder.read(reading)).max() > 0.01


def test_what_is_read_is_held() -> None:
    decoder, _ = _decoded([2, 5, 17, 28, 36])
    path = decoder.read(_valve()[1])
    moves = np.abs(np.diff(path)) > 0.1
    assert moves.sum() < 3 * ROWS / HOLD


def test_the_likeliest_level_found_without_a_label_is_the_valve() -> None:
    reader, reading, truth = _valve()
    assert reader.held[0].behind == 0
    assert [held.behind for held in reader.held] == sorted(held.behind for held in reader.held)
    level = truth[reading.chain.rows]
    assert np.corrcoef(reading.levels[:, 0], level)[0, 1] ** 2 > 0.8
    assert np.allclose(reading.levels.std(axis=0), 1.0)
    shared = np.abs(np.corrcoef(reading.levels.T)) - np.eye(len(reader.held))
    assert shared.max() < 0.995


def test_labels_are_told_unbent_to_a_latent_that_acts_in_a_straight_line() -> None:
    decoder, found = _decoded([2, 5, 17, 28, 36, 9], power=3.0)
    assert decoder.held is not None
    assert found > 0.9


def test_two_labels_give_what_was_found_its_scale() -> None:
    assert _decoded([3, 17])[1] > 0.7


def test_where_nothing_held_was_found_a_ridge_is_started_from() -> None:
    reader, reading, truth = _valve()
    bare = replace(reading, held=())
    holds = _holds(truth, [2, 5, 17, 28, 36])
    at = positions(holds, bare)
    found = fit_mixture(reader, bare, at, holds.numbers(), bare.chain.usable)
    assert found is not None
    assert sum(curve.weight for curve in found.curves) == pytest.approx(1.0)
    assert fit_mixture(reader, bare, at, holds.numbers(), bare.chain.usable, tied=False) is None
    labelled = np.zeros(len(bare.features), bool)
    assert len(choose(bare, bare.stretches, labelled, 3)) == 3


def test_a_stretch_that_stands_at_a_limit_is_not_asked_for() -> None:
    _, reading, _ = _valve()
    labelled = np.zeros(len(reading.features), bool)
    first = choose(reading, reading.stretches, labelled, 1)[0][0]
    Y = reading.chain.Y.copy()
    Y[reading.stretches[first], 0] = 50.0
    held = reading.held[0]
    limited = replace(held, model=replace(held.model, limits=np.array([[-1e9, -1e9], [40.0, 1e9]])))
    stuck = replace(reading, chain=replace(reading.chain, Y=Y), held=(limited, *reading.held[1:]))
    stuck.__dict__["levels"] = reading.levels  # what is read is as it was
    assert choose(stuck, reading.stretches, labelled, 1)[0][0] != first


def test_labels_of_one_value_tie_nothing() -> None:
    reader, reading, truth = _valve()
    at = positions(_holds(truth, [1, 9]), reading)
    assert fit_mixture(reader, reading, at, np.array([1.0, 1.0]), reading.chain.usable) is None


@pytest.mark.parametrize("gone", [0.0, 0.3])
def test_holes_are_read_through(gone: float) -> None:
    own = case()
    rng = np.random.default_rng(3)
    name = own.record.observations[0]
    holed = own.fitted_on.with_columns(
        pl.when(pl.Series(rng.random(own.fitted_on.height) < gone))
        .then(None)
        .otherwise(pl.col(name))
        .alias(name)
    )
    out = own.model.with_alignment(certified()).decode(holed, HIDDEN)[f"{HIDDEN}_inferred"]
    path = out.cast(pl.Float64).to_numpy()
    known = np.isfinite(path)
    truth = own.truth[: own.fitted_on.height][known]
    assert 1 - np.mean((path[known] - truth) ** 2) / truth.var() > 0.85
