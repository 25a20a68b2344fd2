"""A slow input that nobody measures is told from noise and from a plant that bends, and no more is said."""

from functools import cache

import numpy as np
import pytest
from audit_cases import audited, frozen, ground_of, of_kind

from tslam.audit.gap import GapKind, Severity
from tslam.audit.ground import Ground
from tslam.audit.unmeasured import MOST_CHANNELS, Unmeasured, claim_unmeasured, unmeasured_input
from tslam.plants import Record, linear, reactor, tank

PLANT = linear(2000, 73, d=5, exog=2, sensor=0.1)
WITHOUT = PLANT.drop(PLANT.exogenous[0])


@cache
def _missing() -> tuple[Ground, Unmeasured]:
    ground = ground_of(WITHOUT)
    found = unmeasured_input(ground)
    assert found is not None
    return ground, found


def test_a_driver_that_nobody_measures_is_found_and_followed() -> None:
    ground, found = _missing()
    assert found.stands
    truth = PLANT.frame[PLANT.exogenous[0]].to_numpy()[ground.rows]
    assert np.corrcoef(found.path, truth)[0, 1] ** 2 > 0.5


def test_it_is_claimed_as_undetermined_and_never_critical() -> None:
    claim = claim_unmeasured(*_missing())
    assert claim is not None
    assert (claim.kind, claim.most) == (GapKind.UNDETERMINED, "warning")
    assert claim.channels
    assert {e.name for e in claim.evidence} == {"causal_gain", "told", "jumpiness"}


@pytest.mark.parametrize("record", [PLANT, reactor(2000, 71)], ids=["noisy", "bends"])
def test_with_everything_measured_nothing_stands(record: Record) -> None:
    ground = ground_of(record)
    found = unmeasured_input(ground)
    assert found is not None
    assert not found.stands
    assert claim_unmeasured(ground, found) is None


def test_an_input_that_jumps_while_everything_logged_rests_is_an_action() -> None:
    ground = ground_of(PLANT.drop(PLANT.actions[0]))
    found = unmeasured_input(ground)
    assert found is not None
    assert found.jumps
    claim = claim_unmeasured(ground, found)
    assert claim is not None
    assert (claim.kind, claim.most) == (GapKind.MISSING_ACTION, "warning")
    moved = np.flatnonzero(np.diff(PLANT.frame[PLANT.actions[0]].to_numpy()))
    near = [np.abs(moved - first).min() <= 2 for first, _ in claim.windows]
    assert len(near) > 5
    assert np.mean(near) > 0.8


def test_an_input_that_jumps_when_logged_actions_do_is_a_misfit() -> None:
    ground = ground_of(tank(3000, 70))
    found = unmeasured_input(ground)
    assert found is not None
    assert found.jumps
    assert found.gain.t > 2.0
    assert found.resting.anywhere < 0.8
    assert claim_unmeasured(ground, found) is None


def test_the_report_says_it_once_and_asks_for_no_change_of_the_contract() -> None:
    report = audited(WITHOUT)
    loud = [gap for gap in report.gaps if gap.severity is not Severity.INFO]
    assert [gap.kind for gap in loud] in ([GapKind.UNDETERMINED], [GapKind.MISSING_EXOGENOUS])
    assert not of_kind(report.gaps, GapKind.MISSING_ACTION)


def test_it_is_not_asked_where_a_log_is_known_to_lack_something_or_of_very_many_channels() -> None:
    silent = audited(PLANT, frozen(PLANT.frame, "action_0", 700, 1300)).findings.not_tested
    reasons = {item.question: item.reason for item in silent}
    assert "action_0" in reasons["a held input that no column measures"]
    wide = linear(500, 0, d=MOST_CHANNELS + 1, exog=1)
    assert any(str(MOST_CHANNELS) in item.reason for item in audited(wide).findings.not_tested)
