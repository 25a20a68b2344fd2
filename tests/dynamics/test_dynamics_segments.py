"""Offsets of segments: levels that history would take to itself."""

import numpy as np
import pytest
from held_cases import probe
from test_dynamics_jumping import few_moves

from tslam.dynamics.held import fit_held
from tslam.dynamics.held_step import Problem
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.leaps import read_leaps
from tslam.dynamics.segments import levels_from_others, settle_on_segments

RIDGE = 1e-4


def held_plant(
    rows: int, noise: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A linear plant of three channels, its next row's change, one held input and what that adds."""
    rng = np.random.default_rng(seed)
    A, b = np.array([[0.8, 0.1, 0.0], [0.0, 0.7, 0.1], [0.1, 0.0, 0.6]]), np.array([0.5, -0.3, 0.2])
    moved = rng.random(rows) < 1 / 40
    level = rng.normal(size=rows)[np.maximum.accumulate(np.where(moved, np.arange(rows), 0))]
    x = np.zeros((rows + 1, 3))
    for t in range(rows):
        x[t + 1] = A @ x[t] + b * level[t] + noise * rng.normal(size=3)
    return x[:-1], np.diff(x, axis=0), level, b


@pytest.mark.parametrize(("plant", "hidden"), [("rotor", "speed_setpoint"), ("tank", "pump_1")])
def test_a_level_that_settled_telemetry_tells_is_left_to_the_latent(plant: str, hidden: str) -> None:
    F, change, start, level = few_moves(plant, hidden, 100)
    every = np.ones(len(F), bool)
    fit = fit_held(F, change, every, start, ridge=RIDGE, iterations=80, starts=(0.98,), jumps=True)
    taken = probe(read_leaps(fit.inverse, change - fit.forward.mean(F), start), level)
    problem = Problem(F, change, every, start, RIDGE, "full")
    state = settle_on_segments(problem)
    assert state is not None
    told = probe(read_leaps(HeldInverse(state.B, state.R, state.phi), problem.left(state.W), start), level)
    assert told > 0.8
    assert told > taken + 0.05


def test_regression_loadings_and_noise_are_those_of_the_plant() -> None:
    X, change, level, b = held_plant(3000, 0.05)
    problem = Problem(X, change, np.ones(3000, bool), np.arange(3000) == 0, 1e-9, "full")
    state = settle_on_segments(problem, 1)
    assert state is not None
    A = np.array([[0.8, 0.1, 0.0], [0.0, 0.7, 0.1], [0.1, 0.0, 0.6]])
    np.testing.assert_allclose(state.W[:-1].T + np.eye(3), A, atol=0.05)
    np.testing.assert_allclose(np.abs(state.B[:, 0]), np.abs(b) * level.std(), rtol=0.15)
    np.testing.assert_allclose(np.diag(state.R), 0.05**2, rtol=0.25)


def test_where_nothing_is_held_there_is_nothing_to_read() -> None:
    X, change, level, b = held_plant(3000, 0.2)
    without = change - np.outer(level, b)  # the same plant with its input known
    problem = Problem(X, without, np.ones(3000, bool), np.arange(3000) == 0, 1e-6, "full")
    assert settle_on_segments(problem) is None


def test_no_more_latents_than_segments_tell_are_given() -> None:
    X, change, _, _ = held_plant(2000, 0.02)
    problem = Problem(X, change, np.ones(2000, bool), np.arange(2000) == 0, 1e-6, "full")
    one = settle_on_segments(problem, 1)
    assert one is not None
    assert one.B.shape == (3, 1)
    assert settle_on_segments(problem, 3) is None


def test_rows_that_are_not_learnt_from_change_nothing() -> None:
    X, change, _, _ = held_plant(2000, 0.05)
    train, start = np.arange(2000) % 500 < 400, np.arange(2000) == 0
    spoilt = change.copy()
    spoilt[~train] = 99.0
    spoilt[::7, 1] = np.nan  # rows with a gap are not learnt from either
    clean = np.where(np.isnan(spoilt).any(axis=1)[:, None], np.nan, change)
    states = [settle_on_segments(Problem(X, Y, train, start, 1e-6, "full")) for Y in (spoilt, clean)]
    assert states[0] is not None
    assert states[1] is not None
    np.testing.assert_allclose(states[0].W, states[1].W, atol=1e-4)
    np.testing.assert_allclose(states[0].B, states[1].B, atol=1e-4)
    few = np.arange(2000) < 20
    assert settle_on_segments(Problem(X, change, few, start, 1e-6, "full")) is None


def test_a_level_that_noise_covers_is_read_only_where_it_is_asked_for() -> None:
    X, change, level, _ = held_plant(4000, 1.2)
    problem = Problem(X, change, np.ones(4000, bool), np.arange(4000) == 0, 1e-6, "full")
    assert settle_on_segments(problem) is None
    state = settle_on_segments(problem, 1)
    assert state is not None
    path = HeldInverse(state.B, state.R, state.phi).path(problem.left(state.W), problem.start)
    assert abs(np.corrcoef(path.mean[:, 0], level)[0, 1]) > 0.7


def test_the_level_of_a_row_is_what_other_rows_of_its_segment_tell() -> None:
    X, change, level, _ = held_plant(3000, 0.2)
    every, start = np.ones(3000, bool), np.arange(3000) == 0
    told = levels_from_others(Problem(X, change, every, start, 1e-6, "full"))
    assert told is not None
    assert probe(told[:, None], level) > 0.9
    begins = np.flatnonzero(np.diff(level)) + 1
    row = int(begins[np.flatnonzero(np.diff(begins) > 40)[0]]) + 20
    spoilt = change.copy()
    spoilt[row] += 0.2 * np.array([1.0, -1.0, 1.0])
    again = levels_from_others(Problem(X, spoilt, every, start, 1e-6, "full"))
    assert again is not None
    moved = np.abs(again - told) / told.std()
    assert moved[row - 8 : row - 2].min() > 5.0 * moved[row - 2 : row + 3].max()


def test_segments_that_do_not_differ_tell_no_level() -> None:
    X, change, level, b = held_plant(3000, 0.2)
    without = change - np.outer(level, b)
    problem = Problem(X, without, np.ones(3000, bool), np.arange(3000) == 0, 1e-6, "full")
    told = levels_from_others(problem)
    assert told is None or np.abs(told).max() < 0.1
