"""Numbers and sentences that people read."""

import math

import pytest

from tslam.audit.gap import Findings, Gap, GapKind, Severity
from tslam.report.words import MINUS, NOTHING, joined, number, percent, probability, verdict


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, NOTHING),
        (math.nan, NOTHING),
        (0.0, "0"),
        (38.24, "38.2"),
        (-0.0987, f"{MINUS}0.0987"),
        (1234.5, "1,234"),
        (0.1 + 0.2, "0.3"),
        (9.999, "10"),
        (1e-9, f"1.00e{MINUS}09"),
        (2.5e9, "2.50e+09"),
    ],
)
def test_numbers_have_three_digits(value: float | None, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.138, "14%"),
        (0.0042, "0.4%"),
        (-0.01, f"{MINUS}1%"),
        (-0.0001, "0%"),
        (0.0, "0%"),
        (None, NOTHING),
        (1.2, "120%"),
    ],
)
def test_shares_are_percentages(share: float | None, said: str) -> None:
    assert percent(share) == said


def test_a_p_value_is_never_zero() -> None:
    assert probability(0.0) == "< 0.0001"
    assert probability(0.0312) == "0.0312"
    assert probability(None) == NOTHING


def test_lists_are_prose() -> None:
    assert joined([]) == ""
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert joined(list("abcde"), most=3) == "a, b and 3 more"


@pytest.mark.parametrize("kind", GapKind)
def test_every_kind_has_a_verdict_that_is_one_sentence(kind: GapKind) -> None:
    gap = Gap(kind=kind, severity=Severity.WARNING, column="valve_2", channels=("level",), lag=8, score=2.0)
    said = verdict(Findings(gaps=(gap,), tested=1))
    assert said.endswith(".")
    assert said.count(".") == 1
    assert "valve_2" in said or "level" in said


def test_the_verdict_speaks_of_the_worst_gap_and_counts_the_rest() -> None:
    gaps = (
        Gap(kind=GapKind.UNDETERMINED, severity=Severity.INFO, score=99.0),
        Gap(kind=GapKind.MISALIGNED_LOG, severity=Severity.CRITICAL, column="pump", lag=1, score=3.0),
        Gap(kind=GapKind.COARSE_LOG, severity=Severity.CRITICAL, column="fan", score=2.0),
    )
    said = verdict(Findings(gaps=gaps, tested=3))
    assert said == "The log of pump is 1 step late; 1 more critical gap and 1 note follow."


def test_a_clean_audit_and_one_that_asked_nothing_are_told_apart() -> None:
    assert "No gap was found in 4 questions" in verdict(Findings(tested=4))
    assert "Nothing could be tested" in verdict(Findings())
    assert "too weak" in verdict(Findings(tested=4, adequate=False))
