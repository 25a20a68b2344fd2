"""Rows find their place on the grid; gaps, shifts of phase and strays are told apart."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.errors import CadenceError
from tslam.panel.clock import Clock
from tslam.panel.grid import Grid, lay


def _lay(
    ticks: Any, *, series: Any = None, measured: Any = None, step: float | None = None, max_gap: int = 3
) -> Grid:
    stamps = np.asarray(ticks, float)
    codes = np.zeros(stamps.size, int) if series is None else np.asarray(series)
    names = tuple(f"s{i}" for i in range(int(codes.max()) + 1))
    known = np.ones(stamps.size, bool) if measured is None else np.asarray(measured, bool)
    clock = Clock(stamps, dated=False)
    return lay(clock, codes, names, known, given=(step, "given") if step else None, max_gap=max_gap)


@st.composite
def records(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Slots of some series with rows missing, in any order, which rows are measured, and max_gap."""
    slots, codes = [], []
    for code in range(draw(st.integers(1, 3))):
        gaps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 3, 7]), min_size=5, max_size=30))
        own = np.cumsum([draw(st.integers(-50, 50)), 1, *gaps])
        slots.append(own)
        codes.append(np.full(own.size, code))
    order = np.array(draw(st.permutations(range(sum(map(len, slots))))))
    measured = np.array(
        draw(st.lists(st.sampled_from([True, True, True, False]), min_size=order.size, max_size=order.size))
    )
    measured[0] = True
    return np.concatenate(slots)[order], np.concatenate(codes)[order], measured, draw(st.integers(0, 4))


def _by_hand(
    slots: np.ndarray, codes: np.ndarray, measured: np.ndarray, max_gap: int
) -> list[list[int | None]]:
    """Segments as lists of caller rows (None where masked), one measured row after the other."""
    segments: list[list[int | None]] = []
    for code in range(codes.max() + 1):
        rows = {int(slots[i]): int(i) for i in np.flatnonzero(codes == code)}
        last = None
        for slot in sorted(s for s, i in rows.items() if measured[i]):
            if last is None or slot - last - 1 > max_gap:
                segments.append([])
            else:
                segments[-1] += [rows.get(s) for s in range(last + 1, slot)]
            segments[-1].append(rows[slot])
            last = slot
    return segments


@given(records())
def test_the_grid_is_what_a_walk_row_by_row_gives(
    record: tuple[np.ndarray, np.ndarray, np.ndarray, int],
) -> None:
    slots, codes, measured, max_gap = record
    grid = _lay(slots * 0.5, series=codes, measured=measured, step=0.5, max_gap=max_gap)
    at = np.full(grid.ticks.size, -1)
    at[grid.position] = grid.source
    got = [[None if i < 0 else int(i) for i in at[s.start : s.stop]] for s in grid.segments]
    assert got == _by_hand(slots, codes, measured, max_gap)
    assert [s.start for s in grid.segments] == [0, *(s.stop for s in grid.segments[:-1])]
    for segment in grid.segments:
        own = slice(segment.start, segment.stop)
        assert np.all(grid.series[own] == segment.series)
        np.testing.assert_allclose(np.diff(grid.ticks[own]), 0.5)
    np.testing.assert_array_equal(grid.ticks[grid.position], slots[grid.source] * 0.5)


def test_a_far_outlier_allocates_no_rows() -> None:
    grid = _lay([*range(40), 1e15])
    assert grid.ticks.size == 41
    assert len(grid.segments) == 2


@given(seed=st.integers(0, 10**6), drift=st.sampled_from([-0.002, 0.0, 0.003]))
def test_jitter_and_drift_leave_every_row_its_place(seed: int, drift: float) -> None:
    rng = np.random.default_rng(seed)
    slots = np.flatnonzero(rng.random(400) > 0.05)
    stamps = slots * (1 + drift) + rng.uniform(-0.04, 0.04, slots.size)
    grid = _lay(stamps, max_gap=10)
    assert len(grid.segments) == 1
    np.testing.assert_array_equal(grid.position, slots - slots[0])
    np.testing.assert_array_equal(grid.ticks[grid.position], stamps)
    assert np.all(np.diff(grid.ticks) > 0)
    assert any("not exactly a multiple of 1 " in note for note in grid.notes)


def test_a_logger_that_restarts_begins_a_new_segment() -> None:
    grid = _lay([*np.arange(20.0), *(20.4 + np.arange(20)), *(41.9 + np.arange(20))])
    assert [(s.start, s.stop) for s in grid.segments] == [(0, 20), (20, 40), (40, 60)]
    assert "The clock shifted by part of a step 2 times; each shift begins a new segment." in grid.notes


def test_a_stray_stamp_has_no_place_and_breaks_nothing() -> None:
    stamps = np.arange(40.0)
    grid = _lay([*stamps, 17.4, 30.02])
    assert set(range(42)) - set(grid.source.tolist()) == {40, 41}
    assert grid.ticks.size == 40
    assert len(grid.segments) == 1
    assert "2 rows lie between grid rows and are left out; the first at 17.4, 30.02." in grid.notes


def test_duplicates_are_named_with_their_rows() -> None:
    with pytest.raises(
        CadenceError, match=r"2 duplicate time stamps; the first: 3 \(rows \[3, 9\]\); 4 \(rows \[4, 10\]\)"
    ):
        _lay([0, 1, 2, 3, 4, 5, 6, 7, 8, 3, 4])
    with pytest.raises(CadenceError, match=r"1 in series 's1' \(rows \[4, 5\]\)"):
        _lay([0, 1, 2, 0, 1, 1], series=[0, 0, 0, 1, 1, 1])


def test_one_row_per_series_is_no_series() -> None:
    with pytest.raises(CadenceError, match="No series has two rows"):
        _lay([0, 1, 2], series=[0, 1, 2])


def test_a_record_whose_measured_rows_are_all_stray_is_refused() -> None:
    measured = np.zeros(41, bool)
    measured[40] = True
    with pytest.raises(CadenceError, match="No row with a measured observation lies on the grid"):
        _lay([*range(40), 17.4], measured=measured)


def test_everything_that_was_handled_is_said() -> None:
    measured = np.ones(40, bool)
    measured[[0, 1, 10, 11, 39]] = False
    slots = np.r_[np.arange(20), np.arange(22, 32), np.arange(45, 55)]
    grid = _lay(slots[::-1], measured=measured[::-1], max_gap=3)
    assert grid.notes[1:] == (
        "Rows were not in order of time (39 steps back); they were sorted.",
        "4 grid rows have no measured observation and stay masked (missing, not imputed).",
        "1 gaps are longer than max_gap=3 steps; each ends a segment.",
        "3 rows without any observation lie before, after or in long gaps of the record; they are left out.",
    )
