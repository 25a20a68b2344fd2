"""A sensor on another scale, and a logged action that does more, are told by undoing that; states are not."""

import numpy as np
import polars as pl
import pytest
from align_cases import ROWS, case, certified

from tslam.align.altered import altered
from tslam.align.certificate import Certificate
from tslam.panel.ingest import read as read_frame

AUDIT = 300


def _certificate(frame: pl.DataFrame) -> Certificate:
    model = case().model.with_alignment(certified()).recheck(frame)
    return model.alignments[0].certificate


def _later() -> pl.DataFrame:
    return case().record.frame[ROWS : ROWS + AUDIT]


def _told(frame: pl.DataFrame) -> str:
    own, model = certified(), case().model
    panel = model._panel(read_frame(frame, model.contract)[0])
    changes = own.certificate.changes
    assert changes is not None
    assert own.tied is not None
    reading = own.reading(panel, model._levels(panel, "smoothed"))
    return "; ".join(altered(changes, own.tied, panel, reading.chain))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_every_sensor_on_another_scale_withdraws_it(factor: float) -> None:
    for name in case().record.observations:
        assert _certificate(_later().with_columns(pl.col(name) * factor)).withdrawn is not None, name
    first = case().record.observations[0]
    assert f"'{first}' read about {factor:g} times" in _told(_later().with_columns(pl.col(first) * factor))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_logged_action_that_does_more_or_less_is_named(factor: float) -> None:
    """What the log calls one unit now does as much as so many did."""
    for name in case().record.actions:
        assert f"'{name}' did" in _told(_later().with_columns(pl.col(name) / factor)), name


def test_nothing_is_told_of_the_same_plant() -> None:
    later = case().record.frame[ROWS:]
    for first in range(0, later.height - AUDIT + 1, AUDIT):
        assert _told(later[first : first + AUDIT]) == "", first


def test_a_change_withdraws_the_certificate_and_is_named_in_it() -> None:
    name = case().record.actions[0]
    told = _certificate(_later().with_columns(pl.col(name) / 2.0)).withdrawn
    assert told is not None
    assert f"'{name}' did about 2 times" in told


def test_what_passes_is_no_other_scale() -> None:
    name = case().record.observations[0]
    early = pl.int_range(pl.len()) < AUDIT // 3
    passing = _later().with_columns(pl.when(early).then(pl.col(name) * 1.5).otherwise(name).alias(name))
    assert _told(passing) == ""


def test_too_few_rows_tell_nothing() -> None:
    name = case().record.actions[0]
    assert _told(_later()[:40].with_columns(pl.col(name) / 2.0)) == ""


def test_what_the_certified_record_would_not_contradict_is_not_tried() -> None:
    changes = certified().certificate.changes
    assert changes is not None
    assert all(change.least > 0 for change in changes.tried)
    assert {c.name for c in changes.tried} >= set(case().record.actions)
    assert np.isfinite(changes.usual)
