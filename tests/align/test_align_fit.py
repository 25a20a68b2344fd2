"""Alignments: what is read, what it is worth, what is certified, and the way to disk."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from align_cases import HIDDEN, ROWS, case, certified

import tslam
from tslam import errors
from tslam.align.certificate import Certificate, Level
from tslam.contract.roles import Kind


def _r2(read: np.ndarray, truth: np.ndarray) -> float:
    known = np.isfinite(read)
    return float(1 - np.mean((read[known] - truth[known]) ** 2) / truth[known].var())


def test_a_few_labels_read_the_level_on_later_time() -> None:
    own = case()
    alignment = own.model.align(own.labelled([2, 6, 9, 15, 20, 24]), HIDDEN)
    later = own.model.with_alignment(alignment).decode(own.record.frame, HIDDEN)
    read = later[f"{HIDDEN}_inferred"].cast(pl.Float64).to_numpy()[ROWS:]
    assert _r2(read, own.truth[ROWS:]) > 0.8


def test_what_is_read_is_never_named_like_a_logged_action() -> None:
    own = case()
    out = own.model.with_alignment(certified()).decode(own.fitted_on.to_arrow(), HIDDEN)
    field = out.schema.field(f"{HIDDEN}_inferred")
    assert field.metadata == {b"tslam.role": b"latent"}


def test_the_controller_and_the_decoder_are_each_others_way_back() -> None:
    alignment = certified()
    assert alignment.controller is not None
    assert alignment.tied is not None
    z = alignment.controller(np.array([0.0, 1.0]))
    assert np.allclose(alignment.tied.level + alignment.tied.unit * z, [0.0, 1.0])


def test_a_certificate_says_what_was_validated() -> None:
    certificate = certified().certificate
    assert certificate.level is Level.INTERVENTIONAL
    assert certificate.missing() == ()
    assert certificate.validation.later
    assert certificate.validation.low > 0.8
    assert certificate.validation.baseline is not None
    assert {check.name for check in certificate.checks} == {"sign", "gain", "dose", "order"}
    assert {part.part for part in certificate.consistency} == {"exog_0 high", "exog_0 low"}
    assert Certificate.model_validate_json(certificate.model_dump_json()) == certificate


def test_without_an_experiment_it_predicts_and_no_more() -> None:
    own = case()
    certificate = own.model.align(own.labelled(), HIDDEN).certificate
    assert certificate.level is Level.PREDICTIVE
    assert any("experiment" in said for said in certificate.missing())


def test_few_labels_are_at_most_a_correlation() -> None:
    own = case()
    certificate = own.model.align(
        own.labelled([2, 9, 15, 20]), HIDDEN, experiment=own.experiment()
    ).certificate
    assert not certificate.validation.later
    assert certificate.level in {Level.NONE, Level.CORRELATIONAL}


def test_labels_that_have_nothing_to_do_with_it_certify_nothing() -> None:
    own = case()
    frame = own.labelled()
    shuffled = frame.with_columns(pl.col(HIDDEN).gather(np.arange(ROWS)[::-1].tolist()))
    certificate = own.model.align(shuffled, HIDDEN, experiment=own.experiment()).certificate
    assert certificate.level is Level.NONE


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    own = case()
    model = own.model.with_alignment(certified())
    model.save(tmp_path / "model")
    again = tslam.load(tmp_path / "model")
    assert again.alignments[0].certificate == certified().certificate
    assert again.decode(own.fitted_on, HIDDEN).equals(model.decode(own.fitted_on, HIDDEN))


@pytest.mark.parametrize("kind", ["ordinal", "categorical", "event"])
def test_other_kinds_of_action(kind: str) -> None:
    own = case()
    middle = float(np.median(own.truth))
    frame = own.labelled().with_columns((pl.col(HIDDEN) > middle).cast(pl.Float64))
    if kind == "categorical":
        frame = frame.with_columns(
            pl.col(HIDDEN).replace_strict({0.0: "low", 1.0: "high"}, return_dtype=pl.String, default=None)
        )
    alignment = own.model.align(frame, HIDDEN, kind=kind, experiment=own.experiment())
    later = own.model.with_alignment(alignment).decode(own.record.frame, HIDDEN)[f"{HIDDEN}_inferred"][
        ROWS:-1
    ]
    high: Any = {"ordinal": 1.0, "categorical": "high", "event": "1"}[kind]
    assert np.mean((later == high).to_numpy() == (own.truth[ROWS:-1] > middle)) > 0.85
    assert alignment.decoder.kind is Kind(kind)


def test_an_alignment_belongs_to_its_model() -> None:
    with pytest.raises(errors.AlignmentError, match="another model"):
        case(1).model.with_alignment(certified(0))


def test_what_is_not_aligned_cannot_be_decoded() -> None:
    with pytest.raises(errors.AlignmentError, match="no alignment"):
        case().model.decode(case().fitted_on, HIDDEN)
