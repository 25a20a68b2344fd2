"""What a model does beyond the rows that it knows is no gap."""

from audit_cases import alarms, audited, easy, ground_of, on_or_off

from tslam.audit.misfit import fitted_to_itself, optimism
from tslam.plants import tank


def test_a_linear_model_of_a_linear_plant_goes_nowhere_beyond() -> None:
    ground = ground_of(easy(0, rows=2000))
    own = fitted_to_itself(ground)
    assert 0.0 < optimism(ground, own) < 0.2
    assert (own.trust > 0.0).all()


def test_a_full_tank_is_a_limit() -> None:
    record = tank(2500, 20000)
    ground = ground_of(record)
    full = record.frame["level_2"].to_numpy()[ground.rows] > 1.499
    own = fitted_to_itself(ground)
    assert full.mean() > 0.05
    assert (own.trust[full] == 0.0).mean() > 0.95
    assert (own.trust == 0.0).mean() < 0.3


def test_a_tank_that_fills_up_is_no_coarse_log_and_a_coarse_log_still_is() -> None:
    record = tank(2500, 20000)
    assert not alarms(audited(record))
    record = tank(2500, 20001)
    found = alarms(audited(record, on_or_off(record.frame, "pump_2")))
    assert ("coarse_log", "pump_2") in {(gap.kind.value, gap.column) for gap in found}
