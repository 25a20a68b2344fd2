"""Latents that jump and hold are read as such, and those that drift are not."""

import numpy as np
import pytest

from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.leaps import read_leaps

CHAN = 4


def _measured(z: np.ndarray, noise: float, seed: int = 0) -> tuple[np.ndarray, HeldInverse, np.ndarray]:
    """What latents leave in four channels, their reader, and where segments begin."""
    rng = np.random.default_rng(seed)
    B = rng.normal(size=(CHAN, z.shape[1]))
    left = z @ B.T + noise * rng.normal(size=(len(z), CHAN))
    inverse = HeldInverse(B, noise**2 * np.eye(CHAN), np.full(z.shape[1], 0.98))
    return left, inverse, np.arange(len(z)) == 0


def _held(rng: np.random.Generator, rows: int, dwell: float) -> np.ndarray:
    moved = rng.random(rows) < 1 / dwell
    moved[0] = True
    return rng.normal(size=rows)[np.flatnonzero(moved)[np.cumsum(moved) - 1]]


def _drifting(rng: np.random.Generator, rows: int) -> np.ndarray:
    z = np.zeros(rows)
    for t in range(1, rows):
        z[t] = 0.98 * z[t - 1] + np.sqrt(1 - 0.98**2) * rng.normal()
    return z


def test_a_move_stands_in_one_row() -> None:
    z = _held(np.random.default_rng(1), 2000, 50)[:, None]
    left, inverse, start = _measured(z, 0.2)
    found, smooth = read_leaps(inverse, left, start)[:, 0], inverse.path(left, start).mean[:, 0]
    moves = np.flatnonzero(np.abs(np.diff(z[:, 0])) > 1)
    rest = np.setdiff1d(np.arange(1999), moves[:, None] + np.arange(-2, 3))

    def contrast(path: np.ndarray) -> float:
        step = np.abs(np.diff(path))
        return float(np.median([step[max(0, m - 2) : m + 3].max() for m in moves]) / np.median(step[rest]))

    assert contrast(found) > 3 * contrast(smooth)
    assert ((found - z[:, 0]) ** 2).mean() < ((smooth - z[:, 0]) ** 2).mean()


def test_what_drifts_is_smoothed_and_nothing_else() -> None:
    z = _drifting(np.random.default_rng(2), 1500)[:, None]
    left, inverse, start = _measured(z, 1.0)
    np.testing.assert_array_equal(read_leaps(inverse, left, start), inverse.path(left, start).mean)


def test_each_latent_is_read_in_its_own_way() -> None:
    rng = np.random.default_rng(3)
    z = np.column_stack([_held(rng, 2000, 60), _drifting(rng, 2000)])
    left, inverse, start = _measured(z, 0.2)
    found, smooth = read_leaps(inverse, left, start), inverse.path(left, start).mean
    gained = [((smooth[:, i] - z[:, i]) ** 2).mean() / ((found[:, i] - z[:, i]) ** 2).mean() for i in (0, 1)]
    assert gained[0] > 1.2
    assert gained[1] > 0.95


def test_holes_are_bridged_and_latents_without_memory_left_alone() -> None:
    z = _held(np.random.default_rng(4), 1200, 60)[:, None]
    left, inverse, start = _measured(z, 0.2)
    left[300:305] = np.nan
    left[::7, 1] = np.nan
    found = read_leaps(inverse, left, start)
    assert np.isfinite(found).all()
    assert np.abs(found - z).mean() < min(0.12, np.abs(inverse.path(left, start).mean - z).mean())
    single = HeldInverse(inverse.B, inverse.R, np.zeros(1))
    np.testing.assert_array_equal(read_leaps(single, left, start), single.path(left, start).mean)
    none = HeldInverse(np.zeros((CHAN, 1)), inverse.R, inverse.phi)
    np.testing.assert_array_equal(read_leaps(none, left, start), np.zeros_like(found))


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_record_of_few_rows_is_read(rows: int) -> None:
    left, inverse, start = _measured(np.ones((rows, 1)), 0.5)
    assert read_leaps(inverse, left, start).shape == (rows, 1)
