"""Every kind of gap is found where it is, named by its column, and by nothing else."""

from functools import cache

import numpy as np
import pytest
from audit_cases import (
    alarms,
    audited,
    constant,
    delayed,
    easy,
    frozen,
    of_kind,
    on_or_off,
    overlap,
    swapped,
)

from tslam.audit.gap import Gap, GapKind, Severity
from tslam.plants import Record, linear
from tslam.plants.plant import TIME
from tslam.report import GapReport

PLANT = easy()
CULPRIT = "action_0"
LATE = 7
FIRST, STOP = 1200, 1800


@cache
def _without(name: str) -> GapReport:
    return audited(PLANT.drop(name))


@cache
def _silent() -> GapReport:
    return audited(PLANT, frozen(PLANT.frame, CULPRIT, FIRST, STOP))


@cache
def _late() -> GapReport:
    return audited(PLANT, delayed(PLANT.frame, CULPRIT, LATE))


@cache
def _coarse() -> GapReport:
    return audited(PLANT, on_or_off(PLANT.frame, CULPRIT))


@cache
def _strange() -> GapReport:
    return audited(PLANT, swapped(PLANT.frame, CULPRIT, easy(seed=50)))


@cache
def _still() -> GapReport:
    return audited(PLANT, constant(PLANT.frame, CULPRIT))


REPORTS = {
    GapKind.MISSING_ACTION: lambda: _without(CULPRIT),
    GapKind.LOG_OUTAGE: _silent,
    GapKind.MISALIGNED_LOG: _late,
    GapKind.COARSE_LOG: _coarse,
    GapKind.INERT_ACTION: _strange,
    GapKind.UNEXCITED_ACTION: _still,
    GapKind.MISSING_EXOGENOUS: lambda: _without("exog_0"),
}


def _only(report: GapReport, kind: GapKind) -> Gap:
    found = of_kind(report.gaps, kind)
    assert len(found) == 1, report.gaps
    return found[0]


def _driven(record: Record, action: str) -> set[str]:
    return set(record.effects[action])


@pytest.mark.parametrize("kind", REPORTS, ids=lambda kind: kind.value)
def test_a_fault_is_found_and_at_least_a_warning(kind: GapKind) -> None:
    gap = _only(REPORTS[kind](), kind)
    assert gap.severity.rank >= Severity.WARNING.rank
    assert gap.recommendation
    assert gap.evidence


@pytest.mark.parametrize("kind", REPORTS, ids=lambda kind: kind.value)
def test_a_fault_is_not_taken_for_anything_else(kind: GapKind) -> None:
    # An action whose log says nothing is missing too: it still acts, and no column holds it.
    besides = {GapKind.INERT_ACTION, GapKind.UNEXCITED_ACTION}
    allowed = {kind, GapKind.MISSING_ACTION} if kind in besides else {kind}
    assert {gap.kind for gap in alarms(REPORTS[kind]())} <= allowed


def test_a_missing_action_drives_its_channels_and_moves_when_it_moved() -> None:
    gap = _only(_without(CULPRIT), GapKind.MISSING_ACTION)
    assert gap.severity is Severity.CRITICAL
    assert gap.column is None
    assert set(gap.channels) == _driven(PLANT, CULPRIT)
    assert gap.substitutes_for is not None
    assert not gap.substitutes_for.declared
    assert 0.0 < gap.substitutes_for.share <= 1.0
    at = np.array([PLANT.frame[TIME].search_sorted(first) for first, _ in gap.windows])
    near = np.abs(at[:, None] - PLANT.moves[CULPRIT][None, :]).min(axis=1) <= 2
    assert near.mean() > 0.6  # 0.1 by chance
    assert near.sum() > 0.25 * len(PLANT.moves[CULPRIT])


@pytest.mark.parametrize("seed", [0, 2])
def test_an_outage_is_placed_where_the_log_was_wrong(seed: int) -> None:
    plant = easy(seed)
    frame = frozen(plant.frame, CULPRIT, FIRST, STOP)
    gap = _only(audited(plant, frame), GapKind.LOG_OUTAGE)
    wrong = np.flatnonzero((frame[CULPRIT] != plant.frame[CULPRIT]).to_numpy())
    truth = np.zeros(frame.height, bool)
    truth[wrong[0] : wrong[-1] + 1] = True
    assert gap.column == CULPRIT
    assert set(gap.channels) == _driven(plant, CULPRIT)
    assert overlap(frame, gap, truth) >= 0.6
    assert all(type(edge) is type(frame[TIME][0]) for window in gap.windows for edge in window)


@pytest.mark.parametrize(("seed", "late"), [(0, LATE), (1, 3), pytest.param(2, 20, marks=pytest.mark.long)])
def test_a_late_log_is_late_by_so_many_steps(seed: int, late: int) -> None:
    plant = easy(seed)
    gap = _only(audited(plant, delayed(plant.frame, CULPRIT, late)), GapKind.MISALIGNED_LOG)
    assert gap.column == CULPRIT
    assert gap.severity is Severity.CRITICAL
    assert gap.lag is not None
    assert abs(gap.lag - late) <= 1
    assert set(gap.channels) <= _driven(plant, CULPRIT)
    assert gap.channels


def test_dead_time_is_noted_and_not_an_alarm() -> None:
    frame = PLANT.frame.with_columns(PLANT.frame[CULPRIT].shift(-3).fill_null(strategy="forward"))
    report = audited(PLANT, frame)
    gap = _only(report, GapKind.MISALIGNED_LOG)
    assert (gap.column, gap.lag, gap.severity) == (CULPRIT, -3, Severity.INFO)
    assert not alarms(report)


def test_a_coarse_log_is_that_of_the_column_which_was_graded() -> None:
    gap = _only(_coarse(), GapKind.COARSE_LOG)
    assert gap.column == CULPRIT
    assert set(gap.channels) >= _driven(PLANT, CULPRIT)
    assert gap.lag is None


def test_a_log_of_something_else_is_inert_and_what_it_should_have_held_is_missing() -> None:
    report = _strange()
    inert = _only(report, GapKind.INERT_ACTION)
    assert inert.column == CULPRIT
    assert inert.severity is Severity.WARNING
    assert set(_only(report, GapKind.MISSING_ACTION).channels) == _driven(PLANT, CULPRIT)


def test_an_action_that_is_logged_and_does_nothing_is_inert_alone() -> None:
    frame = PLANT.frame.with_columns(easy(seed=50).frame["action_0"].alias("action_9"))
    report = audited(PLANT, frame, actions=(*PLANT.actions, "action_9"))
    assert [(gap.kind, gap.column) for gap in alarms(report)] == [(GapKind.INERT_ACTION, "action_9")]


def test_a_column_that_never_moves_is_not_judged() -> None:
    report = _still()
    gap = _only(report, GapKind.UNEXCITED_ACTION)
    assert gap.column == CULPRIT
    assert gap.severity is Severity.WARNING
    assert CULPRIT in {item.subject for item in report.findings.not_tested}


def test_a_read_back_that_copies_an_observation_is_not_judged_either() -> None:
    frame = PLANT.frame.with_columns(2.0 * PLANT.frame["channel_0"].alias(CULPRIT) + 1.0)
    report = audited(PLANT, frame)
    assert _only(report, GapKind.UNEXCITED_ACTION).column == CULPRIT


def test_a_smooth_driver_that_nobody_measured_is_no_action() -> None:
    gap = _only(_without("exog_0"), GapKind.MISSING_EXOGENOUS)
    assert gap.column is None
    assert gap.severity is Severity.WARNING
    assert gap.windows == ()


@pytest.mark.parametrize("kind", REPORTS, ids=lambda kind: kind.value)
def test_all_numbers_are_finite_and_the_strongest_comes_first(kind: GapKind) -> None:
    report = REPORTS[kind]()
    keys = [(gap.severity.rank, gap.score) for gap in report.gaps]
    assert keys == sorted(keys, reverse=True)
    for gap in report.gaps:
        numbers = [gap.score, *(item.value for item in gap.evidence)]
        assert all(number is not None and np.isfinite(number) for number in numbers)
        # what is read off the log has no null, and so no p-value
        read_off = gap.kind is GapKind.UNEXCITED_ACTION
        assert (gap.p_value is None) == read_off
        assert read_off or 0.0 <= gap.p_value <= 1.0
    assert report.from_json(report.to_json()) == report


def test_a_white_action_shows_by_no_level_and_is_not_made_up() -> None:
    # It is drawn anew in every row: nothing of it can be known beforehand, so nothing has earned its place.
    plant = linear(rows=2500, seed=0, d=6, white=True).drop(CULPRIT)
    assert not alarms(audited(plant))
