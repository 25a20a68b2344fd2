"""Plants with nothing hidden stay clean."""

import pytest
from audit_cases import alarms, audited

from tslam.plants import PLANTS, simulate

QUIET = [("building", 0), ("service", 0), ("rotor", 0), ("reactor", 0), ("linear", 0), ("tank", 1)]


def test_a_quiet_plant_of_each_kind_is_in_the_suite() -> None:
    assert {name for name, _ in QUIET} == set(PLANTS)


@pytest.mark.parametrize(("name", "seed"), QUIET)
def test_nothing_hidden_raises_no_alarm(name: str, seed: int) -> None:
    report = audited(simulate(name, 3000, seed))
    assert not alarms(report)
    assert report.findings.tested > 0
    assert report.exit_code("warning") == 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PLANTS)
def test_nothing_hidden_raises_no_alarm_on_more_plants(name: str, seed: int) -> None:
    assert not alarms(audited(simulate(name, 4000, seed)))
