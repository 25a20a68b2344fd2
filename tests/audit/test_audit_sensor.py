"""One change in a record tells no hand from a sensor that was set anew: the audit says which sensor."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from audit_cases import audited, easy, ground_of

from tslam.audit.finding import Claim
from tslam.audit.gap import GapKind, Severity
from tslam.audit.ground import Ground
from tslam.audit.sensor import as_sensor

ROWS = 1500


def _step(n: int) -> np.ndarray:
    return np.where(np.arange(n) > 0.4 * n, 1.0, 0.0)


def _drift(n: int) -> np.ndarray:
    return np.clip((np.arange(n) / n - 0.3) / 0.5, 0.0, 1.0)


def _often(n: int) -> np.ndarray:
    return np.sign(np.sin(np.arange(n) / n * 40.0))


@pytest.mark.parametrize("shape", [_step, _drift])
def test_a_faulty_sensor_is_never_an_action(shape: Callable[[int], np.ndarray]) -> None:
    record = easy(3, rows=ROWS)
    channel = record.observations[1]
    reading = record.frame[channel].to_numpy()
    off = record.frame.with_columns(pl.Series(channel, reading + 2.0 * reading.std() * shape(ROWS)))
    alarms = [g for g in audited(record, off).gaps if g.severity is not Severity.INFO]
    assert {g.kind for g in alarms} == {GapKind.UNDETERMINED}
    assert all(channel in g.recommendation for g in alarms)


def _claim(ground: Ground, direction: np.ndarray, shape: Callable[[int], np.ndarray]) -> Claim:
    return Claim(
        GapKind.MISSING_ACTION, None, 0.0, 1.0, 1.0, "Log it.", direction=direction, path=shape(ground.n)
    )


@pytest.mark.parametrize("shape", [_step, _drift])
def test_a_fault_names_its_sensor(shape: Callable[[int], np.ndarray]) -> None:
    """o_{t+1} = A o_t: what a reading off by one leaves is its column of I - A."""
    record = easy(0, rows=ROWS)
    ground = ground_of(record)
    n = len(record.observations)
    known = np.column_stack([ground.X[:, :n], ground.X[:, ground.regressors.inputs_from :]])
    A = np.linalg.lstsq(known, ground.Y, rcond=None)[0][:n].T
    for k, channel in enumerate(record.observations):
        told = as_sensor(ground, _claim(ground, (np.eye(n) - A)[:, k], shape))
        assert told.kind is GapKind.UNDETERMINED
        assert told.recommendation.startswith(f"Compare {channel} ")


def test_what_moves_again_and_again_is_no_sensor() -> None:
    ground = ground_of(easy(0, rows=ROWS))
    along = np.eye(ground.Y.shape[1])[0]
    assert as_sensor(ground, _claim(ground, along, _often)).kind is GapKind.MISSING_ACTION
    assert as_sensor(ground, _claim(ground, along, _step)).kind is GapKind.UNDETERMINED
