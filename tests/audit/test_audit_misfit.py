"""What a model does beyond the rows that it knows is no gap."""

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import alarms, audited, easy, ground_of, on_or_off

from tslam.audit.misfit import fitted_to_itself, optimism
from tslam.audit.offset import visibility
from tslam.plants import tank


def test_a_linear_model_of_a_linear_plant_goes_nowhere_beyond() -> None:
    ground = ground_of(easy(0, rows=2000))
    own = fitted_to_itself(ground)
    assert 0.0 < optimism(ground, own) < 0.2
    assert own.seen.all()


def test_a_full_tank_is_a_limit_of_its_level_and_of_nothing_else() -> None:
    record = tank(2500, 20000)
    ground = ground_of(record)
    full = record.frame["level_2"].to_numpy()[ground.rows] > 1.499
    own = fitted_to_itself(ground)
    assert full.mean() > 0.05
    level = ground.panel.channels.index("level_2")
    assert own.seen[full, level].mean() < 0.05
    assert own.seen[~full, level].mean() > 0.9
    assert own.seen[:, ground.panel.channels.index("temp_2")].all()

    def shown(name: str, by: np.ndarray) -> float:
        limited = visibility(replace(ground, seen=own.seen & by), name)
        return limited / visibility(replace(ground, seen=ground.seen & by), name)

    everything = np.ones_like(own.seen)
    alone = everything & (np.arange(len(ground.panel.channels)) == level)
    assert shown("valve", alone) < 0.9
    assert shown("valve", ~alone) == pytest.approx(1.0, abs=0.01)
    assert shown("valve", everything) < 0.98
    assert shown("heater", everything) == pytest.approx(1.0, abs=0.01)


def test_a_channel_without_a_value_tells_as_much_as_none() -> None:
    ground = ground_of(easy(0, rows=1000))
    seen = ground.seen.copy()
    seen[:, 2] = False
    chosen = [i for i in range(seen.shape[1]) if i != 2]
    B = ground.direction(["action_0"])[:, chosen, 0]
    precision = np.linalg.inv(ground.cov[np.ix_(chosen, chosen)])
    expected = (np.einsum("tc,cd,td->t", B, precision, B) * ground.trust).mean()
    assert visibility(replace(ground, seen=seen), "action_0") == pytest.approx(expected)
    seen[:] = False
    assert visibility(replace(ground, seen=seen), "action_0") == 0.0


def test_a_tank_that_fills_up_is_no_coarse_log_and_a_coarse_log_still_is() -> None:
    record = tank(2500, 20000)
    assert not alarms(audited(record))
    record = tank(2500, 20001)
    found = alarms(audited(record, on_or_off(record.frame, "pump_2")))
    assert ("coarse_log", "pump_2") in {(gap.kind.value, gap.column) for gap in found}
