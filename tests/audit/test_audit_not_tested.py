"""What cannot be asked is said, and why; clocks and kinds of record come back as they were."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from audit_cases import alarms, audited, constant, easy, frozen, of_kind

from tslam.audit.gap import GapKind, Severity
from tslam.audit.run import FEWEST_ROWS
from tslam.plants.plant import TIME

PLANT = easy(rows=2000)
SILENT = frozen(PLANT.frame, "action_0", 800, 1200)


def test_a_short_record_answers_nothing_and_says_so() -> None:
    report = audited(easy(rows=150))
    assert report.findings.tested == 0
    assert report.exit_code() == 3
    assert report.gaps == []
    reasons = [item.reason for item in report.findings.not_tested]
    assert any(str(FEWEST_ROWS) in reason for reason in reasons)
    assert report.attribution == ()


def test_an_action_without_any_value_is_a_gap_and_the_rest_is_asked() -> None:
    frame = PLANT.frame.with_columns(pl.lit(None, pl.Float64).alias("action_0"))
    report = audited(PLANT, frame)
    found = [gap for gap in report.gaps if gap.column == "action_0"]
    assert [(gap.kind, gap.severity) for gap in found] == [(GapKind.LOG_OUTAGE, Severity.WARNING)]
    assert found[0].windows == ((frame[TIME][0], frame[TIME][-1]),)
    missing = of_kind(report.gaps, GapKind.MISSING_ACTION)
    assert len(missing) == 1
    assert missing[0].substitutes_for is not None
    # it has a name already: that of the empty column
    assert (missing[0].substitutes_for.column, missing[0].substitutes_for.declared) == ("action_0", True)
    assert set(missing[0].channels) == set(PLANT.effects["action_0"])


def test_an_exogenous_variable_without_any_value_is_a_gap() -> None:
    frame = PLANT.frame.with_columns(pl.lit(None, pl.Float64).alias("exog_1"))
    gaps = of_kind(audited(PLANT, frame).gaps, GapKind.MISSING_EXOGENOUS)
    assert "exog_1" in {gap.column for gap in gaps}
    assert {gap.severity for gap in gaps} == {Severity.WARNING}


def test_questions_about_a_column_that_never_moves_are_listed() -> None:
    report = audited(PLANT, constant(PLANT.frame, "action_2"))
    asked = {item.question for item in report.findings.not_tested if item.subject == "action_2"}
    assert len(asked) >= 3
    assert report.findings.tested < audited(PLANT).findings.tested


def test_windows_on_a_numeric_clock_are_numbers_of_it() -> None:
    frame = SILENT.with_columns((pl.int_range(pl.len()) * 0.5 + 100.0).alias(TIME))
    gap = of_kind(audited(PLANT, frame).gaps, GapKind.LOG_OUTAGE)[0]
    first, last = gap.windows[0]
    assert isinstance(first, float)
    assert isinstance(last, float)
    assert 100.0 + 0.5 * 600 < first < last < 100.0 + 0.5 * 1400


def test_windows_come_back_in_the_zone_of_the_caller() -> None:
    local = pl.col(TIME).dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    naive = of_kind(audited(PLANT, SILENT).gaps, GapKind.LOG_OUTAGE)[0]
    aware = of_kind(audited(PLANT, SILENT.with_columns(local)).gaps, GapKind.LOG_OUTAGE)[0]
    for plain, zoned in zip(naive.windows[0], aware.windows[0], strict=True):
        assert isinstance(plain, datetime)
        assert isinstance(zoned, datetime)
        assert zoned.utcoffset() == timedelta(hours=-5)
        assert zoned.replace(tzinfo=None) == plain - timedelta(hours=5)


def test_holes_in_the_record_are_no_finding() -> None:
    rng = np.random.default_rng(0)
    gone = rng.random((PLANT.frame.height, len(PLANT.observations))) < 0.05
    columns = [
        pl.Series(name, np.where(gone[:, i], np.nan, PLANT.frame[name].to_numpy())).fill_nan(None)
        for i, name in enumerate(PLANT.observations)
    ]
    assert not alarms(audited(PLANT, PLANT.frame.with_columns(columns)))


def test_the_audit_of_a_record_is_the_same_twice() -> None:
    assert audited(PLANT, SILENT).findings == audited(PLANT, SILENT).findings
