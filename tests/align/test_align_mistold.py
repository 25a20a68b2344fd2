"""Labels against what is read: a gain is told by a handful, misread holds are not."""

import numpy as np
import pytest

from tslam.align.certificate import Misread, Validation
from tslam.align.mistold import limits_on_labels, misread_of, mistold

LENGTH, ERROR = 40, 0.05
VALIDATED = Validation(measure="r2", value=0.98, low=0.95, high=0.99, labels=20, later=True)


def _holds(values: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(np.arange(i * LENGTH, (i + 1) * LENGTH) for i in range(values.size))


def _told(values: np.ndarray, read: np.ndarray, misread: Misread) -> str:
    drift = limits_on_labels("valve", VALIDATED, 1.0)
    return "; ".join(mistold(drift, misread, np.repeat(read, LENGTH), _holds(values), values))


def _misread(rng: np.random.Generator) -> Misread:
    values = rng.uniform(-2, 2, 40)
    read = np.repeat(values + ERROR * rng.standard_t(3, 40), LENGTH)
    found = misread_of(read, _holds(values), values, VALIDATED, 1.0)
    assert found is not None
    return found


@pytest.mark.parametrize("gain", [0.5, 0.67, 1.5, 2.0])
def test_four_labels_tell_a_gain(gain: float) -> None:
    rng = np.random.default_rng(3)
    misread = _misread(rng)
    values = np.array([-1.8, -0.9, 0.8, 1.6])
    told = _told(values, gain * values + ERROR * rng.standard_normal(4), misread)
    assert "times what it did" in told


def test_labels_of_the_same_plant_tell_none() -> None:
    rng = np.random.default_rng(4)
    misread = _misread(rng)
    for _ in range(200):
        values = rng.uniform(-2, 2, 6)
        assert _told(values, values + ERROR * rng.standard_t(3, 6), misread) == ""


def test_one_misread_hold_is_no_gain() -> None:
    misread = _misread(np.random.default_rng(5))
    values = np.array([-1.5, -0.5, 0.5, 1.5])
    assert "times what" not in _told(values, values + np.array([0.0, 0.9, 0.0, 0.0]), misread)


def test_short_holds_count_for_less() -> None:
    misread = _misread(np.random.default_rng(6))
    values = np.array([-1.2, 1.2])
    short = tuple(np.arange(i * LENGTH, i * LENGTH + 5) for i in range(2))
    path = np.repeat(1.35 * values, LENGTH)
    assert mistold((), misread, path, _holds(values), values)
    assert not mistold((), misread, path, short, values)


def test_the_error_is_never_less_than_validation_allows() -> None:
    values = np.linspace(-1, 1, 5)
    exact = misread_of(np.repeat(values, LENGTH), _holds(values), values, VALIDATED, 1.0)
    assert exact is not None
    assert exact.error == pytest.approx(0.2 * np.sqrt(0.05))
    nothing = Validation(measure="r2", value=1.0, low=1.0, high=1.0, labels=0, later=False)
    assert misread_of(np.repeat(values, LENGTH), _holds(values), values, nothing, 1.0) is None
