"""Certificates are withdrawn when the plant is another, and stay where nothing changed."""

import numpy as np
import polars as pl
import pytest
from align_cases import HIDDEN, ROWS, case, certified

from tslam.align.certificate import Level
from tslam.align.labels import Label
from tslam.errors import AlignmentError
from tslam.plants.plant import TIME


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


def _relabelled(factor: float) -> Level:
    """The level after new data whose labels say that the action was moved by that much more or less."""
    own = case()
    middle = float(own.truth.mean())
    told = pl.Series(HIDDEN, middle + factor * (own.truth - middle))
    later = own.record.frame.with_columns(told)[ROWS : ROWS + 600]
    model = own.model.with_alignment(certified()).recheck(later, HIDDEN)
    return model.alignments[0].certificate.level


@pytest.mark.parametrize("factor", [0.67, 1.5])
def test_labels_tell_that_the_action_does_more_than_it_did(factor: float) -> None:
    assert _relabelled(1.0) is Level.INTERVENTIONAL
    assert _relabelled(factor) is Level.NONE


def test_one_label_is_enough_to_contradict() -> None:
    own, frame = case(), case().record.frame
    start, end, value = frame[TIME][ROWS + 5], frame[TIME][ROWS + 60], float(own.truth.max() + 3.0)
    model = own.model.with_alignment(certified())
    later = frame[ROWS : ROWS + 300]
    told = model.recheck(later, HIDDEN, labels=[Label(start, end, value)])
    assert "error of" in str(told.alignments[0].certificate.withdrawn)


def test_labels_of_what_is_not_aligned_are_refused() -> None:
    model = case().model.with_alignment(certified())
    with pytest.raises(AlignmentError, match="no alignment"):
        model.recheck(case().record.frame[ROWS:], "action_0")
    early = case().record.frame[TIME]
    outside = Label(early[0], early[9], 1.0)
    with pytest.raises(AlignmentError, match="no row in the data"):
        model.recheck(case().record.frame[ROWS : ROWS + 300], HIDDEN, labels=[outside])


def test_labels_too_short_to_be_read_are_refused() -> None:
    frame, model = case().record.frame, case().model.with_alignment(certified())
    short = Label(frame[TIME][ROWS + 5], frame[TIME][ROWS + 7], 1.0)
    with pytest.raises(AlignmentError, match="longer"):
        model.recheck(frame[ROWS : ROWS + 300], HIDDEN, labels=[short])
