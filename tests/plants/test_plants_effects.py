"""Cause before effect, and only where declared: one move more or less in an otherwise equal history."""

import numpy as np
import pytest

from tslam.plants.blueprint import BURN, Blueprint, draw, parameters, run
from tslam.plants.building import BUILDING
from tslam.plants.drive import Drive, autoregressive, schedule
from tslam.plants.reactor import REACTOR
from tslam.plants.rotor import ROTOR
from tslam.plants.service import SERVICE
from tslam.plants.tank import TANK
from tslam.seeding import generator

BLUEPRINTS = (TANK, BUILDING, SERVICE, ROTOR, REACTOR)
plants = pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda b: b.name)


def _until(drive: Drive, stop: int) -> Drive:
    return Drive(*(part[:stop].copy() for part in drive))


@plants
def test_a_move_changes_the_declared_channels_of_the_next_row_and_nothing_else(blueprint: Blueprint) -> None:
    constants, drive = parameters(blueprint, 4), draw(blueprint, 1500, 4)
    obs, acts = run(blueprint, constants, drive)
    rows = np.random.default_rng(0).choice(np.arange(BURN, 1500), 30, replace=False)
    for j, actuator in enumerate(blueprint.actuators):
        changed = np.zeros(len(blueprint.observations), dtype=bool)
        for t in rows:
            other = _until(drive, t + 2)
            other.moved[t, j] = True
            other.moved[t + 1, j] = False
            middle = 0.5 * (actuator.low + actuator.high)
            other.level[t, j] = actuator.high if acts[t, j] < middle else actuator.low
            moved_obs, moved_acts = run(blueprint, constants, other)
            np.testing.assert_array_equal(moved_obs[: t + 1], obs[: t + 1])
            np.testing.assert_array_equal(np.delete(moved_acts[t], j), np.delete(acts[t], j))
            assert moved_acts[t, j] != acts[t, j]
            changed |= moved_obs[t + 1] != obs[t + 1]
        names = {name for name, hit in zip(blueprint.observations, changed, strict=True) if hit}
        assert names == set(blueprint.effects[actuator.name])


@plants
def test_a_typical_move_stands_out_of_one_row_of_noise(blueprint: Blueprint) -> None:
    constants, drive = parameters(blueprint, 0), draw(blueprint, 3000, 0)
    obs, acts = run(blueprint, constants, drive)
    noise = _noise(blueprint, drive, obs)
    for j, actuator in enumerate(blueprint.actuators):
        sizes = []
        for t in np.flatnonzero(np.diff(acts[BURN:, j]))[:20] + 1 + BURN:
            kept = _until(drive, t + 2)
            kept.moved[t, j] = False
            sizes.append(np.abs(run(blueprint, constants, kept)[0][t + 1] - obs[t + 1]))
        assert (np.median(sizes, axis=0) / noise).max() >= 2.0, actuator.name


def _noise(blueprint: Blueprint, drive: Drive, obs: np.ndarray) -> np.ndarray:
    """Standard deviation of what one row of process and sensor noise does to each channel."""
    rng, differences = np.random.default_rng(1), []
    for t in rng.choice(np.arange(BURN, 3000), 100, replace=False):
        other = _until(drive, t + 2)
        other.shock[t] = rng.standard_normal(blueprint.shocks)
        other.sensor[t + 1] = rng.standard_normal(len(blueprint.sensors)) * list(blueprint.sensors.values())
        differences.append(run(blueprint, parameters(blueprint, 0), other)[0][t + 1] - obs[t + 1])
    return np.median(np.abs(differences), axis=0) / 0.6745 / np.sqrt(2.0)


@plants
def test_the_world_acts_on_the_next_row(blueprint: Blueprint) -> None:
    constants, drive = parameters(blueprint, 4), draw(blueprint, 700, 4)
    obs, _ = run(blueprint, constants, drive)
    # The middle of a working day, where the sun shines and people are in.
    t = BURN + 150
    for i in range(len(blueprint.exogenous)):
        other = _until(drive, t + 2)
        other.exog[t, i] *= 1.1
        other.exog[t, i] += 0.1
        changed_obs, _ = run(blueprint, constants, other)
        np.testing.assert_array_equal(changed_obs[: t + 1], obs[: t + 1])
        assert (changed_obs[t + 1] != obs[t + 1]).any()


@plants
def test_actions_stay_on_their_levels_and_hold_between_moves(blueprint: Blueprint) -> None:
    drive = draw(blueprint, 2000, 9)
    for feedback in (0.0, 1.0):
        _, acts = run(blueprint, parameters(blueprint, 9), drive, feedback)
        for j, actuator in enumerate(blueprint.actuators):
            steps = (acts[:, j] - actuator.low) / actuator.step
            np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
            assert steps.min() >= 0
            assert steps.max() <= actuator.levels - 1
            assert not (np.diff(acts[:, j]) != 0)[~drive.moved[1:, j]].any()
        if feedback == 0.0:
            np.testing.assert_array_equal(acts, drive.level)


@plants
def test_feedback_makes_moves_answer_what_the_operator_watches(blueprint: Blueprint) -> None:
    drive = draw(blueprint, 8000, 2)
    obs, acts = run(blueprint, parameters(blueprint, 2), drive, feedback=1.0)
    for j, actuator in enumerate(blueprint.actuators):
        rows = np.flatnonzero(drive.moved[:, j])
        below = actuator.target - obs[rows, blueprint.observations.index(actuator.watches)]
        answer = (acts - drive.level)[rows, j]
        unclipped = (acts[rows, j] > actuator.low) & (acts[rows, j] < actuator.high)
        np.testing.assert_allclose(
            answer[unclipped], actuator.gain * below[unclipped], atol=0.5 * actuator.step + 1e-9
        )
        assert np.abs(answer).max() >= actuator.step


@plants
def test_moves_come_at_the_stated_rate_and_go_to_any_other_level(blueprint: Blueprint) -> None:
    drawn = [schedule(blueprint.actuators, 6000, seed, blueprint.name) for seed in range(20)]
    for j, actuator in enumerate(blueprint.actuators):
        moved = np.array([m[:, j] for m, _ in drawn])
        rate = 20 * 6000 / actuator.dwell
        assert abs(moved.sum() - rate) < 5.0 * np.sqrt(rate)
        level = np.array([v[:, j] for _, v in drawn])
        assert len(np.unique(level)) == actuator.levels
        np.testing.assert_array_equal(np.diff(level, axis=1) != 0, moved[:, 1:])


def test_autoregressive_series_have_unit_variance_and_the_stated_memory() -> None:
    series = autoregressive(generator(0, "memory"), 100_000, 0.8, 0.8)
    np.testing.assert_allclose(series.var(axis=0), 1.0, atol=0.05)
    np.testing.assert_allclose((series[1:] * series[:-1]).mean(axis=0), 0.8, atol=0.05)
    assert abs(np.corrcoef(series.T)[0, 1]) < 0.05
