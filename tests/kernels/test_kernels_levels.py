"""Levels between jumps: the likeliest ones, found again, and a price for each jump."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tslam.kernels import levels
from tslam.kernels.levels import held_levels


def _stairs(rng: np.random.Generator, rows: int, jumps: int) -> np.ndarray:
    at = np.sort(rng.choice(np.arange(10, rows - 10), jumps, replace=False))
    return np.repeat(rng.normal(size=jumps + 1), np.diff([0, *at, rows]))


def _starts(rows: int, *others: int) -> np.ndarray:
    return np.isin(np.arange(rows), [0, *others])


def _price(w: np.ndarray, precision: np.ndarray, begins: list[int], penalty: float) -> float:
    """Log-likelihood of a way to cut a series, over that of the level 0, less the penalties."""
    total = penalty
    for a, b in zip(begins, [*begins[1:], len(w)], strict=True):
        q, h = precision[a:b].sum(), (precision[a:b] * w[a:b]).sum()
        total += 0.5 * h * h / (1 + q) - 0.5 * np.log1p(q) - penalty
    return total


def test_jumps_are_found_where_they_happen() -> None:
    rng = np.random.default_rng(0)
    truth = _stairs(rng, 1000, 12)
    found, gain = held_levels(truth + 0.1 * rng.normal(size=1000), np.full(1000, 100.0), _starts(1000), 8.0)
    large = np.flatnonzero(np.abs(np.diff(truth)) > 0.5)
    assert set(large) <= set(np.flatnonzero(np.diff(found)))
    assert np.abs(found - truth).mean() < 0.03
    assert gain > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_no_other_way_to_cut_a_short_series_is_likelier(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    w, precision = 2 * rng.normal(size=rows), rng.choice([0.0, 1.0, 9.0], rows)
    _, gain = held_levels(w, precision, _starts(rows), 1.5)
    ways = [[0, *(i + 1 for i in range(rows - 1) if mask >> i & 1)] for mask in range(2 ** (rows - 1))]
    assert gain == pytest.approx(max(_price(w, precision, way, 1.5) for way in ways), abs=1e-9)


def test_noise_alone_has_no_jump_and_a_jump_between_segments_is_free() -> None:
    rng = np.random.default_rng(1)
    w = 0.1 * rng.normal(size=800)
    found, _ = held_levels(w, np.full(800, 100.0), _starts(800), 8.0)
    assert not np.diff(found).any()
    w[400:] += 0.1
    found, _ = held_levels(w, np.full(800, 100.0), _starts(800, 400), 1e6)
    np.testing.assert_array_equal(np.flatnonzero(np.diff(found)), [399])


def test_what_was_not_measured_says_nothing() -> None:
    w = np.full(300, 1.0)
    w[100:200] = 50.0
    precision = np.where((np.arange(300) < 100) | (np.arange(300) >= 200), 100.0, 0.0)
    found, _ = held_levels(w, precision, _starts(300), 8.0)
    np.testing.assert_allclose(found, 1.0, atol=0.01)
    assert held_levels(w, np.zeros(300), _starts(300), 8.0)[0].any() == 0


def test_a_long_hold_stays_cheap_and_is_read_as_well() -> None:
    """Beyond the beginnings that are kept, the likeliest cut is still found."""
    rng = np.random.default_rng(2)
    rows = 5 * levels._MOST
    truth = np.where(np.arange(rows) < rows - 200, 0.3, -0.7)
    found, _ = held_levels(truth + 0.5 * rng.normal(size=rows), np.full(rows, 4.0), _starts(rows), 8.0)
    jumps = np.flatnonzero(np.diff(found))
    assert jumps.size == 1
    assert abs(jumps[0] - (rows - 201)) <= 5
    unmeasured, _ = held_levels(truth, np.zeros(rows), _starts(rows), 8.0)
    assert not unmeasured.any()
