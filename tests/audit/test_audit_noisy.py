"""Noisy sensors, holes and dead time are ordinary: the right kind is found, and nothing on a clean record."""

from functools import cache

import numpy as np
import polars as pl
import pytest
from audit_cases import alarms, audited, delayed, easy, frozen, ground_of, of_kind, overlap

from tslam.audit.gap import GapKind

PLANT = easy(rows=2400)
CULPRIT = "action_0"
FIRST, STOP = 900, 1500
DEAD = 4


def _roughened(frame: pl.DataFrame, times: float = 2.0, seed: int = 0) -> pl.DataFrame:
    """Sensor noise in units of the innovation, and eight readings in a hundred lost."""
    rng = np.random.default_rng(seed)
    columns = []
    for name in PLANT.observations:
        values = frame[name].to_numpy()
        read = values + times * 0.3 * rng.normal(size=values.size)
        read[rng.random(values.size) < 0.08] = np.nan
        columns.append(pl.Series(name, read).fill_nan(None))
    return frame.with_columns(columns)


def _answering_late(steps: int) -> pl.DataFrame:
    """Every action acts some rows after its log: the log is early by as much."""
    frame = PLANT.frame
    for name in PLANT.actions:
        values = frame[name].to_numpy()
        frame = frame.with_columns(pl.Series(name, np.append(values[steps:], np.repeat(values[-1], steps))))
    return frame


@cache
def _rough() -> pl.DataFrame:
    return _roughened(PLANT.frame)


def test_the_ground_sees_through_noise_and_holes() -> None:
    noisy = ground_of(PLANT, _roughened(PLANT.frame, times=1.0))
    assert noisy.past is not None
    assert ground_of(PLANT).past is None


def test_dead_time_is_noted_and_alarms_nobody() -> None:
    report = audited(PLANT, _roughened(_answering_late(DEAD)))
    assert not alarms(report)
    noted = {gap.column: gap.lag for gap in of_kind(report.gaps, GapKind.MISALIGNED_LOG)}
    assert noted[CULPRIT] is not None
    assert abs(noted[CULPRIT] + DEAD) <= 1


@pytest.mark.parametrize("dead", [0, DEAD])
def test_an_outage_is_placed_where_the_log_was_silent(dead: int) -> None:
    frame = _roughened(frozen(_answering_late(dead) if dead else PLANT.frame, CULPRIT, FIRST, STOP))
    report = audited(PLANT, frame)
    (gap,) = of_kind(alarms(report), GapKind.LOG_OUTAGE)
    assert gap.column == CULPRIT
    silent = np.zeros(frame.height, bool)
    silent[FIRST:STOP] = True
    assert overlap(frame, gap, silent) > 0.6


def test_a_late_log_is_found_behind_noise() -> None:
    report = audited(PLANT, delayed(_rough(), CULPRIT, 7))
    (gap,) = of_kind(alarms(report), GapKind.MISALIGNED_LOG)
    assert (gap.column, gap.lag) == (CULPRIT, 7)
