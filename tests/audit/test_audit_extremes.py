"""A model that falls short at extremes of the state is not taken for a hand that nobody logged."""

import numpy as np
import polars as pl
import pytest
from audit_cases import alarms, easy, ground_of

import tslam
from tslam.audit.rest import Resting, at_rest, resting_steps, undisturbed
from tslam.report import GapReport

HOLD = 10


def _reactor(seed: int, rows: int, spread: float) -> pl.DataFrame:
    """A stirred tank that reacts and oscillates, coolant set anew every ten rows, no noise.

    Morningred, Paden, Seborg, Mellichamp, "An adaptive nonlinear predictive controller", Chemical Engineering
    Science 47 (1992): concentration in mol/l, temperature in K, coolant in l/min, a row every .1 min.
    """
    rng = np.random.default_rng(seed)
    amount, heat, table = 0.0885, 441.2, []
    for row in range(rows):
        if row % HOLD == 0:
            flow = float(np.clip(100.0 + spread * rng.normal(), 90.0, 111.0))
        table.append((6.0 * row, amount, heat, flow))
        for _ in range(10):
            reacts = 7.2e10 * amount * np.exp(-1e4 / heat)
            cooled = 0.01 * flow * (1.0 - np.exp(-700.0 / flow)) * (350.0 - heat)
            amount += 0.01 * (1.0 - amount - reacts)
            heat += 0.01 * (350.0 - heat + 200.0 * reacts + cooled)
    return pl.DataFrame(table, schema=["seconds", "concentration", "temperature", "coolant"], orient="row")


def _audited(frame: pl.DataFrame, *actions: str) -> GapReport:
    return tslam.fit(frame, actions=actions, time="seconds", config="linear", progress=False).audit(frame)


@pytest.mark.parametrize(
    ("seed", "spread"), [(1, 2.0), (2, 2.0), (2, 4.0)], ids=["behind", "stretched", "adequate"]
)
def test_a_reactor_that_oscillates_has_nothing_hidden(seed: int, spread: float) -> None:
    assert not alarms(_audited(_reactor(seed, 3000, spread), "coolant"))


def test_and_with_its_coolant_not_logged_it_has() -> None:
    found = alarms(_audited(_reactor(1, 3000, 4.0).drop("coolant")))
    assert [(gap.kind.value, gap.severity.value) for gap in found] == [("missing_action", "critical")]


def test_steps_at_extremes_are_told_from_steps_at_any_time() -> None:
    ground = ground_of(easy(0, rows=3000))
    rng, rows = np.random.default_rng(0), ground.rows
    steps = rng.normal(size=ground.n)
    far = ~at_rest(np.ones(ground.n, bool), ground.F, ground.penalty)

    def asked(path: np.ndarray) -> Resting:
        return resting_steps(ground, [path], rows, ground.start)

    always = asked(np.cumsum(steps))
    assert always.anywhere == pytest.approx(1.0, abs=0.15)
    assert always.ordinary == pytest.approx(1.0, abs=0.15)
    assert always.by_itself
    extreme = asked(np.cumsum(steps * np.where(far, 1.0, 0.1)))
    assert extreme.ordinary < 0.3
    assert extreme.anywhere > 2.0 * extreme.ordinary
    assert not extreme.by_itself


def test_only_a_part_of_the_record_may_be_asked_about() -> None:
    ground = ground_of(easy(0, rows=3000))
    path = np.cumsum(np.random.default_rng(1).normal(size=ground.n))
    half = ground.n // 2
    few = resting_steps(ground, [path[:half]], ground.rows[:half], ground.start[:half])
    still = undisturbed(ground.panel, ground.rows, ground.start, after=6, before=2)
    assert 50 < still[:half].sum() < half
    assert few.by_itself
    assert np.isnan(resting_steps(ground, [path[:60]], ground.rows[:60], ground.start[:60]).ordinary)
