"""Certificates are withdrawn when the plant is another, and stay where nothing changed."""

import numpy as np
import polars as pl
from align_cases import HIDDEN, ROWS, case, certified

from tslam.align.certificate import Level


def _level(frame: pl.DataFrame) -> Level:
    model = case().model.with_alignment(certified()).recheck(frame)
    return model.alignments[0].certificate.level


def test_it_stays_through_twenty_audits_of_the_same_plant() -> None:
    later = case().record.frame[ROWS:]
    parts = np.array_split(np.arange(later.height), 20)
    levels = [_level(later[int(p[0]) : int(p[-1]) + 1]) for p in parts]
    assert levels == [Level.INTERVENTIONAL] * 20


def test_a_rescaled_sensor_withdraws_it() -> None:
    later = case().record.frame[ROWS : ROWS + 600]
    name = case().record.observations[0]
    changed = later.with_columns(pl.col(name) * 1.5)
    model = case().model.with_alignment(certified()).recheck(changed)
    certificate = model.alignments[0].certificate
    assert certificate.level is Level.NONE
    assert certificate.withdrawn is not None
    assert certificate.intact
    assert any("withdrawn" in said for said in certificate.missing())


def test_what_passes_is_no_other_plant() -> None:
    later = case().record.frame[ROWS : ROWS + 600]
    name = case().record.observations[0]
    early = pl.int_range(pl.len()) < 150
    assert _level(
        later.with_columns(pl.when(early).then(pl.col(name) * 1.5).otherwise(name).alias(name))
    ) is (Level.INTERVENTIONAL)


def test_another_plant_withdraws_it() -> None:
    other = case(1).record.frame[: ROWS // 4]
    assert _level(other) is Level.NONE


def test_withdrawn_it_stays_withdrawn() -> None:
    model = case().model.with_alignment(certified()).recheck(case(1).record.frame[: ROWS // 4])
    again = model.recheck(case().record.frame[ROWS:])
    assert again.alignments[0].certificate.withdrawn is not None
    assert again.alignments[0].action == HIDDEN
