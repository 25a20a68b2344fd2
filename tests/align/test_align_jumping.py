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
from tslam.align.guesses import solutions
from tslam.align.labels import Holds
from tslam.align.reading import Reader, Reading, learn_reader, read
from tslam.contract.roles import Kind
from tslam.panel.ingest import read as read_frame

ROWS, HOLD = 2000, 50


@cache
def _valve() -> tuple[Reader, Reading, np.ndarray]:
    """A plant whose hidden valve lets out what stands behind it, with bursts of noise."""
    rng = np.random.default_rng(0)
    valve = np.repeat(rng.choice(np.linspace(0.2, 1.0, 5), ROWS // HOLD), HOLD)
    feed = 1.0 + 0.5 * np.repeat(rng.standard_normal(ROWS // 20), 20)
    level, flow = np.ones(ROWS), np.zeros(ROWS)
    burst = np.where(rng.random(ROWS) < 0.03, 10.0, 1.0)
    for t in range(ROWS - 1):
        out = valve[t] * np.sqrt(max(level[t], 0.0))
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


def _decoded(which: list[int]) -> tuple[Decoder, float]:
    reader, reading, truth = _valve()
    decoder = fit_decoder(reader, reading, _holds(truth, which), Kind.CONTINUOUS, reading.chain.usable)
    level = truth[reading.chain.rows]
    return decoder, float(1 - np.mean((decoder.read(reading) - level) ** 2) / level.var())


def test_five_labels_read_a_valve_whose_effect_depends_on_the_level() -> None:
    decoder, found = _decoded([2, 5, 17, 28, 36])
    assert decoder.jumping is not None
    assert found > 0.8
    reading = _valve()[1]
    level = _valve()[2][reading.chain.rows]
    plain = decoder.ridge(reading.features)[:, 0]
    assert np.mean((decoder.read(reading) - level) ** 2) < 0.5 * np.mean((plain - level) ** 2)


def test_what_is_read_is_held() -> None:
    decoder, _ = _decoded([2, 5, 17, 28, 36])
    path = decoder.read(_valve()[1])
    moves = np.abs(np.diff(path)) > 0.1
    assert moves.sum() < 3 * ROWS / HOLD


def test_the_likeliest_solution_comes_first() -> None:
    reader, reading, truth = _valve()
    holds = _holds(truth, [2, 5, 17, 28, 36])
    at = positions(holds, reading)
    found = solutions(reader, reading, at, holds.numbers(), reading.chain.usable)
    assert found
    assert [score for score, _ in found] == sorted((score for score, _ in found), reverse=True)


def test_a_record_without_offsets_and_latents_is_read_by_the_lean_one() -> None:
    reader, reading, truth = _valve()
    lean = replace(
        reading, features=np.delete(reading.features, range(1, reading.latents), axis=1), latents=1
    )
    holds = _holds(truth, [2, 5, 17, 28, 36])
    at = positions(holds, lean)
    assert solutions(reader, lean, at, holds.numbers(), lean.chain.usable, starts=1)
    labelled = np.zeros(len(lean.features), bool)
    assert len(choose(lean, lean.stretches, labelled, 3)) == 3


def test_labels_of_one_value_tie_nothing() -> None:
    reader, reading, truth = _valve()
    holds = _holds(truth, [1, 9])
    assert (
        solutions(reader, reading, positions(holds, reading), np.array([1.0, 1.0]), reading.chain.usable)
        == []
    )


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
