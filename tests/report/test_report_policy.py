"""When an audit fails: thresholds, and gaps that somebody accepted until a day."""

from datetime import date
from pathlib import Path

import pytest

from tslam.audit.gap import Gap, Substitution
from tslam.contract import Column, Contract, SeverityRule
from tslam.errors import ConfigError
from tslam.report.policy import Policy

TEXT = """\
fail_on = "warning"
[[accept]]
kind = "missing_action"
column = "valve"
owner = "team"
reason = "known"
expires = 2026-05-31
"""
GAP = Gap(
    kind="missing_action",
    severity="critical",
    channels=("level", "flow"),
    substitutes_for=Substitution(column="valve", declared=False, share=0.5),
)


def policy(folder: Path, text: str = TEXT) -> Policy:
    (folder / "tslam.toml").write_text(text, encoding="utf-8")
    return Policy.read(folder / "tslam.toml")


def test_an_accepted_gap_counts_again_from_the_day_after_it_expires(tmp_path: Path) -> None:
    read = policy(tmp_path)
    assert read.fail_on == "warning"
    other = GAP.model_copy(update={"substitutes_for": None})
    last = read.judge([other, GAP], date(2026, 5, 31))
    assert (list(last.accepted), list(last.expired)) == ([1], [])
    after = read.judge([other, GAP], date(2026, 6, 1))
    assert (list(after.accepted), list(after.expired)) == ([], [1])


def test_a_gap_is_known_by_the_channel_it_drives_most(tmp_path: Path) -> None:
    read = policy(tmp_path, TEXT.replace('column = "valve"', 'channels = ["level"]'))
    assert read.accept[0].covers(GAP)
    assert not read.accept[0].covers(GAP.model_copy(update={"channels": ("flow", "level")}))
    assert not read.accept[0].covers(GAP.model_copy(update={"kind": "log_outage"}))


def test_thresholds_take_the_place_of_the_contracts(tmp_path: Path) -> None:
    own = SeverityRule(warning_share=0.3)
    contract = Contract(
        severity=SeverityRule(warning_q=0.2),
        columns=(
            Column(name="t", role="time"),
            Column(name="level", role="observation"),
            Column(name="pump", role="action", severity=own),
            Column(name="valve", role="action"),
            Column(name="fan", role="action", severity=own),
        ),
    )
    text = """
[severity]
critical_share = 0.2
[columns.pump]
critical_q = 0.001
[columns.valve]
warning_q = 0.04
"""
    judged = policy(tmp_path, text).over(contract)
    assert judged.rule(None) == SeverityRule(warning_q=0.2, critical_share=0.2)
    assert judged.rule("pump") == SeverityRule(warning_share=0.3, critical_q=0.001)
    assert judged.rule("valve") == SeverityRule(warning_q=0.04, critical_share=0.2)
    assert judged.rule("fan") == own
    assert Policy().over(contract) == contract
    with pytest.raises(ConfigError, match=r"column 'pumpe', which is not there\. Did you mean 'pump'"):
        policy(tmp_path, "[columns.pumpe]\nwarning_q = 0.04").over(contract)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[[accept]]", "[[accept]", r"not TOML: .*line 2, column"),
        ('owner = "team"\n', "", "accept.0.owner: Field required"),
        ('reason = "known"', 'reason = ""', "accept.0.reason"),
        ("expires = 2026-05-31\n", "", "accept.0.expires"),
        ('column = "valve"\n', "", "give its column or its channels"),
        ("fail_on", "fail_at", "fail_at"),
        ("missing_action", "missing", "accept.0.kind"),
        ("[[accept]]", "[severity]\ncritical_q = 1.5\n[[accept]]", "severity.*critical_q"),
        ("[[accept]]", "[columns.valve]\ncritical = 0.5\n[[accept]]", "columns.valve.critical"),
    ],
)
def test_a_policy_that_cannot_be_is_an_error(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        policy(tmp_path, TEXT.replace(old, new))


def test_a_policy_that_is_not_there_or_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Policy.read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"\xe9")
    with pytest.raises(ConfigError, match="not UTF-8"):
        Policy.read(tmp_path / "latin.toml")
