"""Windows stay inside their segment; regressors are carried and targets never filled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel_cases import SHAPES, Shape, assemble, panel_of

from tslam.errors import ConfigError
from tslam.panel import Segment, carried_share, design, transitions

NAN = float("nan")


def _carried(values: np.ndarray, segment: Segment, row: int, channel: int) -> float:
    """The last value measured in the segment up to a row, by hand; 0 where there is none."""
    for r in range(row, segment.start - 1, -1):
        if np.isfinite(values[r, channel]):
            return float(values[r, channel])
    return 0.0


@given(SHAPES, st.integers(1, 5))
def test_transitions_are_the_rows_whose_window_lies_in_one_segment(shape: Shape, lags: int) -> None:
    panel = panel_of(shape)
    by_hand = [
        t
        for segment in panel.segments
        for t in range(segment.start, segment.stop - 1)
        if t - lags + 1 >= segment.start and np.isfinite(panel.obs[t + 1]).any()
    ]
    assert transitions(panel, lags).tolist() == by_hand


@given(SHAPES, st.integers(1, 4), st.integers(1, 6), st.sets(st.sampled_from(["a0", "a1", "e0", "e1"])))
def test_the_design_is_what_a_walk_cell_by_cell_gives(
    shape: Shape, lags: int, input_lags: int, within: set[str]
) -> None:
    panel = panel_of(shape)
    rows = transitions(panel, lags)
    got = design(panel, rows, lags, input_lags=input_lags, within=frozenset(within))
    sources = {**dict.fromkeys(panel.channels, panel.obs)}
    sources |= {f"a{i}": panel.actions for i in range(panel.actions.shape[1])}
    sources |= {f"e{i}": panel.exog for i in range(panel.exog.shape[1])}
    assert got.X.shape == (rows.size, len(got.terms))
    for n, t in enumerate(rows):
        segment = next(s for s in panel.segments if s.start <= t < s.stop)
        for column, (name, offset) in enumerate(got.terms):
            row = t + offset
            expected = _carried(sources[name], segment, row, int(name[1:])) if row >= segment.start else 0.0
            assert got.X[n, column] == expected
    np.testing.assert_array_equal(got.Y, panel.obs[rows + 1])
    expected_inputs = [(name, -lag) for lag in range(input_lags) for name in sources if name[0] != "o"]
    expected_inputs += [(name, 1) for name in sources if name in within]
    assert list(got.terms[got.history]) == [(name, -lag) for lag in range(lags) for name in panel.channels]
    assert sorted(got.terms[got.actions] + got.terms[got.exog]) == sorted(expected_inputs)
    assert {name[0] for name, _ in got.terms[got.actions]} <= {"a"}
    assert {name[0] for name, _ in got.terms[got.exog]} <= {"e"}


@given(SHAPES, st.integers(1, 4))
def test_a_change_outside_a_window_changes_nothing_in_it(shape: Shape, lags: int) -> None:
    panel = panel_of(shape)
    rows = transitions(panel, lags)
    if not rows.size:
        return
    t = rows[rows.size // 2]
    segment = next(s for s in panel.segments if s.start <= t < s.stop)
    outside = np.r_[0 : segment.start, t + 2 : panel.rows]
    changed = assemble(
        panel.obs.copy(), panel.actions.copy(), panel.exog.copy(), panel.segments, panel.series_of
    )
    for values in (changed.obs, changed.actions, changed.exog):
        values[outside] = 1e6
    one, other = (design(p, np.array([t]), lags, input_lags=4) for p in (panel, changed))
    np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(one.Y, other.Y)


def test_rows_whose_window_leaves_the_segment_are_refused() -> None:
    none = np.zeros((6, 0))
    panel = assemble(np.zeros((6, 1)), none, none, (Segment(0, 0, 3), Segment(0, 3, 6)), np.zeros(6, int))
    for row in (0, 2, 3, 5):
        with pytest.raises(ConfigError, match=r"no window of 2 lags. Take them from transitions\(panel, 2\)"):
            design(panel, np.array([row]), 2)
    assert design(panel, np.array([1, 4]), 2).X.shape == (2, 2)


def test_the_panel_is_left_as_it_was() -> None:
    obs = np.array([[1.0], [NAN], [3.0]])
    panel = assemble(obs, np.zeros((3, 0)), np.zeros((3, 0)), (Segment(0, 0, 3),), np.zeros(3, int))
    got = design(panel, np.array([0, 1]), 1)
    np.testing.assert_array_equal(got.X, [[1], [1]])
    np.testing.assert_array_equal(got.Y, [[NAN], [3]])
    np.testing.assert_array_equal(panel.obs, [[1], [NAN], [3]])


def test_the_share_of_carried_cells_leaves_out_channels_that_were_never_measured() -> None:
    obs, actions = np.array([[1.0], [NAN], [3.0], [4.0]]), np.array([[NAN, 1.0]] * 4)
    panel = assemble(obs, actions, np.zeros((4, 0)), (Segment(0, 0, 4),), np.zeros(4, int))
    assert carried_share(panel) == 1 / 8
