"""State, sensor noise and a held input are told apart; later rows and held-out rows teach nothing."""

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from tslam.dynamics.sensing import Readings, Sensed, fit_sensed, with_held

ROWS, CHANNELS = 1500, 3
SENSOR = 0.4


def _readings(rng: Generator, held: float) -> tuple[Readings, np.ndarray]:
    """A stable state driven by one known input and by one that is held and not known; noisy sensors."""
    A = np.diag([0.8, 0.7, 0.85]) + 0.05 * rng.standard_normal((CHANNELS, CHANNELS))
    u = np.repeat(rng.standard_normal(ROWS // 30 + 1), 30)[:ROWS]
    z = np.zeros(ROWS)
    for t in range(1, ROWS):
        z[t] = 0.98 * z[t - 1] + np.sqrt(1 - 0.98**2) * rng.standard_normal()
    x = np.zeros((ROWS, CHANNELS))
    for t in range(1, ROWS):
        drive = held * z[t - 1] * np.array([1.0, -0.5, 0.0]) + u[t - 1] * np.array([0.0, 0.7, 0.5])
        x[t] = A @ x[t - 1] + drive + 0.3 * rng.standard_normal(CHANNELS)
    y = x + SENSOR * rng.standard_normal(x.shape)
    before = np.column_stack([np.append(0.0, u[:-1]), np.ones(ROWS)])
    start = np.arange(ROWS) == 0
    return Readings(y, np.ones(y.shape, bool), start, before, y), z


def _both(readings: Readings) -> tuple[Sensed, Sensed]:
    plain = fit_sensed(readings, 1e-4, state_ridge=1e-4, iterations=60, settled=1e-6)
    assert plain is not None
    fit = fit_sensed(
        readings, 1e-4, state_ridge=1e-4, iterations=200, settled=1e-6, first=with_held(plain, 1)
    )
    assert fit is not None
    return plain, fit


def _told(readings: Readings) -> float:
    path = _both(readings)[1].smoothed(readings)
    assert path is not None
    return 1.0 - float(path.cov[:, -1, -1].mean())


@pytest.mark.parametrize("seed", [0, 1])
def test_a_held_input_is_followed_and_drives_where_it_does(seed: int) -> None:
    readings, z = _readings(default_rng(seed), held=0.4)
    fit = _both(readings)[1]
    path = fit.smoothed(readings)
    assert path is not None
    assert np.corrcoef(path.mean[:, -1], z)[0, 1] ** 2 > 0.6
    size = np.abs(fit.direction[:, 0])
    assert size[0] > size[1] > size[2]


def test_without_one_the_data_tell_less_of_it() -> None:
    there, absent = (_told(_readings(default_rng(2), held)[0]) for held in (0.4, 0.0))
    assert there > 0.6
    assert absent < 0.5


def test_sensor_noise_is_told_from_noise_of_the_state() -> None:
    plain, _ = _both(_readings(default_rng(3), held=0.0)[0])
    np.testing.assert_allclose(np.sqrt(plain.R), SENSOR, atol=0.08)
    np.testing.assert_allclose(np.sqrt(np.diag(plain.Q)), 0.3, atol=0.1)


def test_what_is_expected_of_a_row_takes_in_no_reading_of_it_or_later() -> None:
    readings, _ = _readings(default_rng(4), held=0.4)
    fit = _both(readings)[1]
    y = readings.y.copy()
    y[700:] += 5.0
    other = Readings(y, readings.seen, readings.start, readings.inputs, y)
    np.testing.assert_array_equal(fit.ahead(readings)[:701], fit.ahead(other)[:701])
    assert np.abs(fit.ahead(readings)[701] - fit.ahead(other)[701]).max() > 0.1


def test_too_few_rows_are_refused() -> None:
    readings, _ = _readings(default_rng(5), held=0.4)
    assert fit_sensed(readings.head(4), 1e-4, state_ridge=1e-4, iterations=5, settled=1e-4) is None
