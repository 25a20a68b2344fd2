"""What the state was is told better than by the last reading, and from no reading that came later."""

import numpy as np
import polars as pl

from tslam.contract import from_arguments
from tslam.dynamics.sensed import runs_away, sensed_state
from tslam.dynamics.sensing import Readings, known_inputs
from tslam.panel import Panel, build
from tslam.panel.windows import bounds, carry
from tslam.plants import linear

PLANT = linear(rows=2500, d=5, exog=1, seed=2)
NOISE = 2.0
"""Sensor noise in standard deviations of a one-step innovation."""


def _panel(frame: pl.DataFrame) -> Panel:
    return build(frame, from_arguments(dict(frame.schema), **PLANT.roles())[0])


def _spoilt(seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    columns = []
    for name in PLANT.observations:
        clean = PLANT.frame[name].to_numpy()
        sd = NOISE * np.diff(clean).std()
        read = np.where(rng.random(clean.size) < 0.08, np.nan, clean + sd * rng.normal(size=clean.size))
        columns.append(pl.Series(name, read).fill_nan(None))
    return PLANT.frame.with_columns(columns)


def _error(panel: Panel, estimate: np.ndarray) -> np.ndarray:
    truth = (
        np.column_stack([PLANT.frame[name].to_numpy() for name in PLANT.observations])
        - panel.scaling.obs_mean[0]
    ) / panel.scaling.obs_sd[0]
    return np.sqrt(((estimate - truth) ** 2).mean(axis=0))


def test_noise_is_cleared_and_holes_are_bridged() -> None:
    panel = _panel(_spoilt())
    state = sensed_state(panel)
    assert state is not None
    carried = carry(panel.obs, bounds(panel)[0])
    assert (_error(panel, state) < 0.9 * _error(panel, carried)).all()


def test_a_sensor_without_noise_is_believed() -> None:
    panel = _panel(PLANT.frame)
    state = sensed_state(panel)
    assert state is not None
    assert (_error(panel, state) < 0.05).all()


def test_readings_of_later_rows_do_not_come_into_it() -> None:
    spoilt = _spoilt()
    half = spoilt.height // 2
    name = PLANT.observations[0]
    # one later reading hardly moves the fit, and would move its own row by far more if it were looked at
    changed = spoilt[name].to_numpy().copy()
    changed[half] = np.nanmax(changed) * 3
    other = spoilt.with_columns(pl.Series(name, changed).fill_nan(None))
    one, two = _panel(spoilt), _panel(other)
    a, b = sensed_state(one), sensed_state(two)
    assert a is not None
    assert b is not None
    in_units = [s * p.scaling.obs_sd[0] + p.scaling.obs_mean[0] for s, p in ((a, one), (b, two))]
    moved = np.abs(in_units[0] - in_units[1])[:, 0]
    assert moved[half] > 20 * moved[: half - 1].max()


def test_a_record_too_short_to_learn_from_says_nothing() -> None:
    wide = linear(rows=40, d=30, exog=2)
    contract, _ = from_arguments(dict(wide.frame.schema), **wide.roles())
    assert sensed_state(build(wide.frame, contract)) is None


def test_a_state_far_beyond_every_reading_has_run_away() -> None:
    panel = _panel(_spoilt())
    first, _ = bounds(panel)
    readings = Readings.of(panel, first, known_inputs(panel, first, frozenset()))
    state = sensed_state(panel)
    assert state is not None
    assert not runs_away(state, readings)
    for value in (1e3, -1e160, np.inf, np.nan):
        state[700, 1] = value
        assert runs_away(state, readings), value
