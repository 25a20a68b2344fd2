"""What trains keeps its distance from what is held out, and both are spread as promised."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from panel_cases import SHAPES, Shape, assemble, layout, panel_of

from tslam.errors import FrameError
from tslam.panel import Panel, Split, folds, split, transitions
from tslam.panel.split import LEAST_HELD, LEAST_TRAIN


def _panel(*lengths: Sequence[int]) -> Panel:
    """A panel without holes: for each series, the lengths of its segments."""
    segments, series = layout(lengths)
    none = np.zeros((series.size, 0))
    return assemble(np.zeros((series.size, 1)), none, none, segments, series)


def _check(panel: Panel, rows: np.ndarray, found: Split, purge: int) -> None:
    """Purged are exactly the rows close to a held-out one of their segment."""
    segment = np.array([next(i for i, s in enumerate(panel.segments) if s.start <= t < s.stop) for t in rows])
    held = rows[found.held]
    for t, own, train in zip(rows, segment, found.train, strict=True):
        near = held[segment[found.held] == own]
        assert train == bool(np.all(np.abs(near - t) > purge))
    assert found.train.sum() >= LEAST_TRAIN
    assert found.held.sum() >= LEAST_HELD


@given(SHAPES, st.sampled_from(["blocks", "last"]), st.floats(0.1, 0.6), st.integers(0, 5))
def test_no_training_row_is_near_a_held_out_one(shape: Shape, mode: str, fraction: float, purge: int) -> None:
    panel = panel_of(shape)
    rows = transitions(panel, 1)
    assume(rows.size)
    try:
        found = split(
            panel, rows, mode="last" if mode == "last" else "blocks", fraction=fraction, purge=purge
        )
    except FrameError:
        event("too short")
        return
    _check(panel, rows, found, purge)


@given(SHAPES, st.integers(1, 4), st.sampled_from(["blocks", "last"]))
def test_with_a_purge_of_the_lags_no_training_window_overlaps_a_held_out_one(
    shape: Shape, lags: int, mode: str
) -> None:
    panel = panel_of(shape)
    rows = transitions(panel, lags)
    assume(rows.size > 30)
    try:
        found = split(panel, rows, mode="last" if mode == "last" else "blocks", fraction=0.3, purge=lags)
    except FrameError:
        assume(False)
    used = np.zeros(panel.rows, bool)
    for t in rows[found.held]:
        used[t - lags + 1 : t + 2] = True
    assert not any(used[t - lags + 1 : t + 2].any() for t in rows[found.train])


@given(SHAPES, st.integers(2, 4), st.integers(0, 3), st.none() | st.integers(1, 20))
def test_folds_hold_every_row_exactly_once(shape: Shape, count: int, purge: int, block: int | None) -> None:
    panel = panel_of(shape)
    rows = transitions(panel, 1)
    assume(rows.size)
    try:
        found = folds(panel, rows, count=count, block=block, purge=purge)
    except FrameError:
        return
    assert len(found) == count
    np.testing.assert_array_equal(np.sum([f.held for f in found], axis=0), 1)
    for fold in found:
        _check(panel, rows, fold, purge)


def _blocks(held: np.ndarray) -> int:
    return int(np.sum(np.diff(held.astype(int), prepend=0) == 1))


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.8])
def test_blocks_are_spread_over_each_long_series(fraction: float) -> None:
    panel = _panel([1001], [600, 601], [2001])
    rows = transitions(panel, 1)
    found = split(panel, rows, mode="blocks", fraction=fraction, purge=4)
    for code in range(3):
        own = found.held[panel.series_of[rows] == code]
        assert own.mean() == pytest.approx(fraction, abs=0.01)
        assert 6 <= _blocks(own) <= 12
        halves = np.array_split(own, 2)
        assert halves[0].mean() == pytest.approx(halves[1].mean(), abs=0.05)
    assert found.train.mean() >= (1 - fraction) / 2 - 0.01


def test_short_series_share_the_blocks() -> None:
    panel = _panel(*[[31]] * 40)
    rows = transitions(panel, 1)
    found = split(panel, rows, mode="blocks", fraction=0.25, purge=4)
    assert found.held.mean() == pytest.approx(0.25, abs=0.01)
    assert found.train.mean() > 0.5
    touched = np.unique(panel.series_of[rows[found.held]])
    assert 10 <= touched.size < 40


def test_the_last_part_of_each_series_is_held_out() -> None:
    panel = _panel([51, 50], [201])
    rows = transitions(panel, 1)
    found = split(panel, rows, mode="last", fraction=0.2, purge=3)
    for code, size in ((0, 99), (1, 200)):
        own = found.held[panel.series_of[rows] == code]
        assert own[-round(0.2 * size) :].all()
        assert own.sum() == round(0.2 * size)


def test_folds_of_a_fleet_mix_every_series() -> None:
    panel = _panel(*[[401]] * 10)
    rows = transitions(panel, 1)
    for fold in folds(panel, rows, count=2, purge=2):
        for code in range(10):
            assert fold.held[panel.series_of[rows] == code].mean() == pytest.approx(0.5, abs=0.1)
        assert fold.train.mean() > 0.35


def test_the_same_record_is_split_the_same_way() -> None:
    panel = _panel([300], [200])
    rows = transitions(panel, 2)
    one, other = (split(panel, rows, mode="blocks", fraction=0.25, purge=4) for _ in range(2))
    np.testing.assert_array_equal(one.held, other.held)
    np.testing.assert_array_equal(one.train, other.train)


@pytest.mark.parametrize("mode", ["blocks", "last"])
def test_the_least_record_can_be_split(mode: str) -> None:
    panel = _panel([31])
    found = split(
        panel, transitions(panel, 1), mode="last" if mode == "last" else "blocks", fraction=0.25, purge=2
    )
    assert found.held.sum() == 8
    assert found.train.sum() >= LEAST_TRAIN


def test_records_too_short_to_split_say_so() -> None:
    panel = _panel([20])
    rows = transitions(panel, 1)
    for mode in ("blocks", "last"):
        with pytest.raises(
            FrameError, match=r"of 19 transitions, .*at least 10.*held out .at least 5.*longer record"
        ):
            split(panel, rows, mode="last" if mode == "last" else "blocks", fraction=0.5, purge=10)
    with pytest.raises(FrameError, match="Too few rows"):
        folds(panel, rows, count=5, purge=10)
