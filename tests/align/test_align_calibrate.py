"""Calibration: what few labels say of levels that were found without any."""

from dataclasses import replace

import numpy as np
import pytest

from tslam.align.calibrate import Curve, calibrate, unbent

HOLDS, ROWS = 40, 30


def _levels(noise: float, bend: float = 0.0) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """A level read with an error in each hold and one that is something else; the action; the holds."""
    rng = np.random.default_rng(0)
    z = rng.uniform(-1.7, 1.7, HOLDS)
    action = 3.0 - 2.0 * (np.expm1(bend * z) / bend if bend else z)
    read = np.column_stack([z + noise * rng.standard_normal(HOLDS), rng.standard_normal(HOLDS)])
    read = (read - read.mean(axis=0)) / read.std(axis=0)
    return np.repeat(read, ROWS, axis=0), action, [np.arange(i * ROWS, (i + 1) * ROWS) for i in range(HOLDS)]


def _r2(curves: tuple[Curve, ...], levels: np.ndarray, action: np.ndarray) -> float:
    path = sum(c.weight * c(levels[:, c.which]) for c in curves)
    return float(1 - np.mean((path - np.repeat(action, ROWS)) ** 2) / action.var())


@pytest.mark.parametrize("count", [2, 3, 6])
def test_few_labels_give_the_scale(count: int) -> None:
    levels, action, at = _levels(0.1)
    which = [int(np.argmin(action)), int(np.argmax(action)), *range(count - 2)]
    curves = calibrate(levels, np.array([0.0, 200.0]), tuple(at[i] for i in which), action[which])
    assert sum(c.weight for c in curves) == pytest.approx(1.0)
    assert all(c.slope < 0 for c in curves if c.which == 0)
    assert _r2(curves, levels, action) > 0.9


def test_labels_say_which_level_it_is_where_the_record_does_not() -> None:
    levels, action, at = _levels(0.1)
    curves = calibrate(levels[:, ::-1], np.array([0.0, 50.0]), tuple(at[:8]), action[:8])
    assert sum(c.weight for c in curves if c.which == 1) > 0.95


def test_a_bend_is_learnt_from_labels() -> None:
    levels, action, at = _levels(0.05, bend=0.5)
    curves = calibrate(levels, np.array([0.0, 200.0]), tuple(at[:12]), action[:12])
    assert sum(c.weight * c.bend for c in curves) > 0.2
    assert _r2(curves, levels, action) > 0.95


def test_labels_that_read_alike_do_not_give_any_slope() -> None:
    levels, action, at = _levels(0.0)
    order = np.argsort(action)
    near = order[[20, 21]]
    levels = levels.copy()
    levels[at[near[0]]] = levels[at[near[1]]]
    curves = calibrate(levels[:, :1], np.zeros(1), tuple(at[i] for i in near), action[near])
    assert all(np.isfinite(c.slope) and abs(c.slope) < 10 * action.std() for c in curves)


SPEEDS = np.array([-1.4, -0.3, 0.3, 1.4])
"""Where the four speeds of a fan are read: no line, nor any bend, goes through them."""


def _speeds(noise: float) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The level that is read of a fan, its speeds, and its holds."""
    rng = np.random.default_rng(1)
    speed = np.tile(np.arange(4), HOLDS // 4)
    read = SPEEDS[speed] + noise * rng.standard_normal(HOLDS)
    return (
        read.repeat(ROWS)[:, None],
        100.0 * (speed + 1.0),
        [np.arange(i * ROWS, (i + 1) * ROWS) for i in range(HOLDS)],
    )


def test_near_its_labels_a_reading_follows_them() -> None:
    levels, speed, at = _speeds(0.05)
    curves = calibrate(levels, np.zeros(1), tuple(at[:8]), speed[:8])
    plain = tuple(replace(c, seats=(), pulls=()) for c in curves)
    assert 1 - _r2(curves, levels, speed) < 0.3 * (1 - _r2(plain, levels, speed))
    assert _r2(curves, levels, speed) > 0.99


def test_labels_that_contradict_each_other_are_not_followed() -> None:
    levels, action, at = _levels(0.0)
    wrong = action[:12] + 0.5 * action.std() * np.random.default_rng(2).standard_normal(12)
    curves = calibrate(levels[:, :1], np.zeros(1), tuple(at[:12]), wrong)
    plain = tuple(replace(c, seats=(), pulls=()) for c in curves)
    assert 1 - _r2(curves, levels, action) < 1.05 * (1 - _r2(plain, levels, action))


def test_far_from_any_label_a_curve_is_as_it_was() -> None:
    levels, speed, at = _speeds(0.05)
    few = [i for i in range(8) if speed[i] < 300]
    for curve in calibrate(levels, np.zeros(1), tuple(at[i] for i in few), speed[few]):
        far = np.array([2.4])
        assert curve(far) == pytest.approx(replace(curve, seats=(), pulls=())(far), rel=1e-3)


@pytest.mark.parametrize("bend", [-0.6, -0.2, 0.0, 0.6])
@pytest.mark.parametrize("slope", [-2.0, 0.5])
def test_unbent_values_are_where_they_would_be_read(bend: float, slope: float) -> None:
    z = np.linspace(-3.5, 3.5, 50)
    one = Curve(0, bend, slope, 1.0, 0.5)
    assert one.unbent(one(z)) == pytest.approx(np.sign(slope) * z)
    # two curves of half the weight each, drawn towards labels or not, are one
    drawn = replace(one, seats=(0.0,), pulls=(0.3,))
    assert unbent([one, drawn], one(z)) == pytest.approx(np.sign(slope) * z)
