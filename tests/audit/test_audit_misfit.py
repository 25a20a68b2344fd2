"""What a model does beyond the rows that it knows is no gap; what has no effect is told by rotating it."""

import numpy as np
import pytest
from audit_cases import alarms, audited, easy, ground_of, on_or_off

from tslam.audit.elsewhere import elsewhere_p
from tslam.audit.misfit import fitted_to_itself, optimism
from tslam.plants import tank

LAGS = (-12, 32)


def _held(rng: np.random.Generator, rows: int) -> np.ndarray:
    """A column that takes a new value now and then."""
    moves = rng.random(rows) < 1 / 40
    return rng.standard_normal(rows)[np.maximum.accumulate(np.where(moves, np.arange(rows), 0))][:, None]


def test_a_column_without_effect_is_no_better_than_itself_at_another_time() -> None:
    rng = np.random.default_rng(0)
    p = np.array([elsewhere_p(rng.standard_normal((1500, 3)), _held(rng, 1500), LAGS) for _ in range(200)])
    assert (p < 0.05).mean() < 0.1
    assert 0.4 < np.median(p) < 0.6


@pytest.mark.parametrize("lag", [0, 5, -12])
def test_a_column_with_an_effect_is_better_where_it_is(lag: int) -> None:
    rng = np.random.default_rng(1)
    column = _held(rng, 3000)
    left = rng.standard_normal((3000, 3))
    left[:, 1] += 0.5 * np.roll(column[:, 0], -lag)
    assert elsewhere_p(left, column, LAGS) < 0.05


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
