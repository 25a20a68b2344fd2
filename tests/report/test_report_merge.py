"""Findings of series that were fitted alone, told as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.audit.gap import Attribution, Findings, Gap, GapKind, LatentInfo, NotTested, Severity, Share
from tslam.report.merge import merge_findings, merge_latents


def info(name: str, t: float) -> LatentInfo:
    return LatentInfo(name=name, earned=t > 2, gain=t, t_value=t, p_value=0.5, persistence=0.9)


def gap(severity: Severity, score: float) -> Gap:
    return Gap(kind=GapKind.MISSING_ACTION, severity=severity, score=score)


def shares(
    channel: str | None, rows: int, value: float, *, window: tuple[float, float] | None = None
) -> Attribution:
    share, none = Share(value=value, low=value - 0.1, high=value + 0.2), Share(value=0.0, low=0.0, high=0.0)
    return Attribution(
        channel=channel, window=window, history=share, actions=none, exogenous=none, latents=share, rows=rows
    )


def test_gaps_name_their_series_and_come_strongest_first() -> None:
    merged = merge_findings(
        {
            "a": Findings(gaps=(gap(Severity.WARNING, 50.0), gap(Severity.INFO, 900.0)), tested=3),
            "b": Findings(gaps=(gap(Severity.CRITICAL, 10.0), gap(Severity.WARNING, 70.0)), tested=4),
        }
    )
    assert [(g.severity, g.score, g.series) for g in merged.gaps] == [
        (Severity.CRITICAL, 10.0, ("b",)),
        (Severity.WARNING, 70.0, ("b",)),
        (Severity.WARNING, 50.0, ("a",)),
        (Severity.INFO, 900.0, ("a",)),
    ]
    assert merged.tested == 7


def test_what_was_not_tested_and_what_is_noted_says_where() -> None:
    silent = NotTested(question="lag", subject="u", reason="it never moves")
    merged = merge_findings({"a": Findings(notes=("short",)), "b": Findings(not_tested=(silent,))})
    assert merged.not_tested == (NotTested(question="lag", subject="u", reason="series b: it never moves"),)
    assert merged.notes == ("Series a: short",)


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, False)])
def test_one_inadequate_model_is_enough(*, first: bool, second: bool) -> None:
    merged = merge_findings({"a": Findings(adequate=first), "b": Findings(adequate=second)})
    assert merged.adequate == (first and second)


def test_shares_are_averaged_over_the_rows_of_all_series() -> None:
    merged = merge_findings(
        {
            "a": Findings(attribution=(shares(None, 300, 0.1), shares("x", 300, 0.2))),
            "b": Findings(attribution=(shares(None, 100, 0.5), shares("y", 100, 0.4))),
        }
    )
    assert [(row.channel, row.rows) for row in merged.attribution] == [(None, 400), ("x", 300), ("y", 100)]
    for row, value in zip(merged.attribution, (0.2, 0.2, 0.4), strict=True):
        assert (row.history.value, row.history.low, row.history.high) == pytest.approx(
            (value, value - 0.1, value + 0.2)
        )
        assert row.unexplained == pytest.approx(1 - 2 * value)


def test_shares_of_windows_are_those_of_one_series_and_left_out() -> None:
    part = shares("x", 50, 0.9, window=(0.0, 9.0))
    merged = merge_findings({"a": Findings(attribution=(part, shares("x", 100, 0.2)))})
    assert [(row.window, row.history.value) for row in merged.attribution] == [(None, pytest.approx(0.2))]


def test_series_without_a_row_weigh_nothing_that_breaks() -> None:
    merged = merge_findings({"a": Findings(attribution=(shares("x", 0, 0.2),)), "b": Findings()})
    assert merged.attribution[0].history.value == pytest.approx(0.2)
    assert merged.attribution[0].rows == 0


def test_of_each_latent_the_surest_is_told() -> None:
    found = merge_latents([info("latent_0", 1.0), info("latent_1", 3.0), info("latent_0", 5.0)])
    assert [(i.name, i.t_value) for i in found] == [("latent_0", 5.0), ("latent_1", 3.0)]


@given(st.permutations(range(16)))
def test_latents_are_told_in_the_order_of_their_numbers(order: list[int]) -> None:
    found = merge_latents(info(f"latent_{i}", 1.0) for i in order)
    assert [i.name for i in found] == [f"latent_{i}" for i in range(16)]
