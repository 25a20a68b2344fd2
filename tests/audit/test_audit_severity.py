"""How much a gap matters: false discoveries are controlled, the contract's thresholds decide."""

import numpy as np
import pytest
from audit_cases import alarms, audited, contract_of, delayed, easy
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tslam.audit.gap import GapKind, Severity
from tslam.audit.severity import false_discovery, grade
from tslam.contract import SeverityRule

PLANT = easy(rows=2500)
LATE = delayed(PLANT.frame, "action_0", 7)
PROBABILITIES = st.lists(st.floats(0.0, 1.0, allow_subnormal=False), min_size=1, max_size=30)


@given(PROBABILITIES)
def test_q_values_are_those_of_benjamini_and_yekutieli(p: list[float]) -> None:
    np.testing.assert_allclose(false_discovery(p), multipletests(p, method="fdr_by")[1], rtol=1e-12)


@given(PROBABILITIES, st.integers(0, 40))
def test_questions_without_a_finding_count_as_asked(p: list[float], silent: int) -> None:
    expected = multipletests([*p, *[1.0] * silent], method="fdr_by")[1][: len(p)]
    np.testing.assert_allclose(false_discovery(p, asked=len(p) + silent), expected, rtol=1e-12)


def test_no_question_has_no_q_value() -> None:
    assert false_discovery([]).shape == (0,)
    assert false_discovery([], asked=5).shape == (0,)


@pytest.mark.parametrize(
    ("q", "share", "rival", "severity"),
    [
        (0.0, 1.0, False, Severity.CRITICAL),
        (0.009, 0.05, False, Severity.CRITICAL),
        (0.009, 0.05, True, Severity.WARNING),
        (0.009, 0.049, False, Severity.WARNING),
        (0.011, 1.0, False, Severity.WARNING),
        (0.049, 0.01, False, Severity.WARNING),
        (0.051, 1.0, False, Severity.INFO),
        (0.0, 0.009, False, Severity.INFO),
    ],
)
def test_certainty_and_size_are_both_needed(q: float, share: float, rival: bool, severity: Severity) -> None:
    assert grade(q, share, SeverityRule(), rival=rival) is severity


def test_the_contract_says_what_is_critical() -> None:
    assert alarms(audited(PLANT, LATE))[0].severity is Severity.CRITICAL
    lenient = contract_of(PLANT).model_copy(update={"severity": SeverityRule(critical_share=1.0)})
    found = alarms(audited(PLANT, LATE, contract=lenient))
    assert [(gap.kind, gap.severity) for gap in found] == [(GapKind.MISALIGNED_LOG, Severity.WARNING)]


@pytest.mark.parametrize(
    ("column", "severity"), [("action_0", Severity.INFO), ("action_1", Severity.CRITICAL)]
)
def test_a_column_has_thresholds_of_its_own(column: str, severity: Severity) -> None:
    contract = contract_of(PLANT)
    rule = SeverityRule(warning_share=1.0, critical_share=1.0)
    own = contract.with_columns([contract.column(column).model_copy(update={"severity": rule})])
    found = [gap for gap in audited(PLANT, LATE, contract=own).gaps if gap.column == "action_0"]
    assert [gap.severity for gap in found] == [severity]


@pytest.mark.parametrize(
    ("allowed", "severity"),
    [(None, Severity.INFO), pytest.param(5, Severity.INFO, marks=pytest.mark.long), (1, Severity.WARNING)],
)
def test_dead_time_is_a_warning_where_the_contract_allows_less(
    allowed: int | None, severity: Severity
) -> None:
    slow = PLANT.frame.with_columns(PLANT.frame["action_0"].shift(-3).fill_null(strategy="forward"))
    contract = contract_of(PLANT)
    stated = contract.with_columns([contract.column("action_0").model_copy(update={"dead_time": allowed})])
    found = [gap for gap in audited(PLANT, slow, contract=stated).gaps if gap.column == "action_0"]
    assert [(gap.lag, gap.severity) for gap in found] == [(-3, severity)]
