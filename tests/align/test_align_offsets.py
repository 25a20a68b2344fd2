"""Offsets of stretches: a held input that the whole record's slopes take over is found within stretches."""

from functools import cache

import numpy as np

from tslam.align.offsets import Offsets, learn_offsets
from tslam.align.stretches import stretches
from tslam.panel.chain import Chain

ROWS, HOLD = 3000, 50


@cache
def _tank() -> tuple[Chain, np.ndarray]:
    """A slow tank with a hidden valve: its level says more of the valve than any one step does."""
    rng = np.random.default_rng(0)
    valve = np.repeat(rng.standard_normal(ROWS // HOLD), HOLD)
    o = np.zeros((ROWS + 1, 2))
    for t in range(ROWS):
        o[t + 1] = [0.95, 0.7] * o[t] + np.array([0.05, 0.02]) * valve[t] + 0.02 * rng.standard_normal(2)
    start = np.zeros(ROWS, bool)
    start[0] = True
    none = slice(0)
    return Chain(
        np.arange(ROWS), start, np.ones(ROWS, bool), o[:-1], o[1:], slice(0, 2), none, none, ()
    ), valve


def _r2(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def _learnt(c: Chain, rows: np.ndarray) -> tuple[Offsets, np.ndarray]:
    parts = stretches(_tank()[1][:, None], c, 4.0)
    found, _ = learn_offsets(c.X, c, rows, parts)
    return found, found.path(c.X, c, parts)


def test_the_leading_offset_is_the_held_input() -> None:
    c, valve = _tank()
    _, path = _learnt(c, np.ones(ROWS, bool))
    slopes = np.linalg.lstsq(c.X, c.Y, rcond=None)[0]
    plain = (c.Y - c.X @ slopes).reshape(-1, HOLD, 2).mean(axis=1)
    assert _r2(path[:, 0], valve) > 0.9
    assert _r2(path[:, 0], valve) > max(_r2(own, valve[::HOLD]) for own in plain.T)


def test_later_rows_are_read_with_what_was_learnt_before() -> None:
    c, valve = _tank()
    before = np.arange(ROWS) < ROWS // 2
    _, path = _learnt(c, before)
    assert _r2(path[~before, 0], valve[~before]) > 0.9
    again, _ = _learnt(c, before)
    assert np.array_equal(again.directions, _learnt(c, before)[0].directions)


def test_where_nothing_is_measured_together_there_are_no_offsets() -> None:
    c, _ = _tank()
    holed = Chain(
        c.rows, c.start, c.usable, c.X, np.where(np.arange(2) == np.arange(ROWS)[:, None] % 2, c.Y, np.nan),
        c.history, c.actions, c.exog, (),
    )  # fmt: skip
    found, path = _learnt(holed, np.ones(ROWS, bool))
    assert found.directions.shape == (2, 0)
    assert path.shape == (ROWS, 0)


def test_stretches_that_end_where_the_input_moves_are_told_from_others() -> None:
    c, valve = _tank()
    every = np.ones(ROWS, bool)
    right = learn_offsets(c.X, c, every, stretches(valve[:, None], c, 4.0))[1]
    late = learn_offsets(c.X, c, every, stretches(np.roll(valve, HOLD // 2)[:, None], c, 4.0))[1]
    none = learn_offsets(c.X, c, every, stretches(np.zeros((ROWS, 1)), c, 4.0))[1]
    assert right > max(late, none)
