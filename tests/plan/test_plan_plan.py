"""Plans reach goals that can be reached, keep what is asked, and refuse what cannot be."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from guarded_cases import HIDDEN, certified, goal, log

import tslam
from tslam import errors
from tslam.plan.dials import Limits
from tslam.plan.search import search
from tslam.plants.plant import TIME, Record
from tslam.seeding import torch_generator

STEPS = 12


@pytest.fixture(scope="module")
def record() -> Record:
    return tslam.plants.simulate("tank", rows=2500, seed=0)


@pytest.fixture(scope="module")
def model(record: Record) -> tslam.LatentActionModel:
    return tslam.fit(record.frame, **record.roles(), config="linear", progress=False)


def _change(values: pl.Series, start: float) -> np.ndarray:
    return np.diff(np.r_[start, values.to_numpy()])


@pytest.mark.parametrize("method", ["cem", "mppi"])
def test_the_search_finds_the_bottom_of_a_bowl(method: Any) -> None:
    import torch

    target = torch.tensor([0.2, 0.9, 0.5], dtype=torch.float64)
    best, cost = search(
        lambda x: (x - target).square().sum(1),
        torch.full_like(target, 0.5),
        method,
        torch_generator(0, "test"),
    )
    assert cost < 2e-3
    assert torch.allclose(best, target, atol=0.06)


def test_a_plan_does_better_than_leaving_everything(record: Record, model: tslam.LatentActionModel) -> None:
    level = float(record.frame["level_2"][-1])
    aim = level + 0.05
    plan = model.plan(record.frame, {"level_2": aim}, STEPS)
    stay = model.rollout(record.frame, STEPS)["level_2"].to_numpy()
    planned = plan["level_2_expected"].to_numpy()
    assert np.mean((planned - aim) ** 2) < 0.7 * np.mean((stay - aim) ** 2)
    assert plan[TIME][0] == record.frame[TIME][-1]


def test_a_plan_is_what_a_rollout_of_it_gives(record: Record, model: tslam.LatentActionModel) -> None:
    plan = model.plan(record.frame, {"level_2": float(record.frame["level_2"][-1])}, STEPS)
    given = {name: plan[name].to_list() for name in record.actions}
    out = model.rollout(record.frame, STEPS, actions=given)
    assert np.allclose(out["level_2"], plan["level_2_expected"])


def test_range_rate_and_dwell_are_kept(record: Record, model: tslam.LatentActionModel) -> None:
    aim = {"level_2": float(record.frame["level_2"][-1]) - 0.05}
    limits = {"valve": Limits(low=50.0, high=80.0, rate=2.0, dwell=3), "pump_2": {"low": 30.0, "high": 40.0}}
    now = float(record.frame["valve"][-1])
    plan = model.plan(record.frame, aim, STEPS, actions=["valve", "pump_2"], limits=limits)
    moves = _change(plan["valve"], now)
    assert np.abs(moves).max() <= 2.0 + 1e-9
    assert set(np.flatnonzero(np.abs(moves) > 1e-9)) <= {0, 3, 6, 9}
    assert plan["pump_2"].is_between(30.0, 40.0).all()
    assert "pump_1" not in plan.columns


def test_limits_come_from_the_contract(record: Record) -> None:
    actions = {name: {} for name in record.actions} | {
        "valve": {"minimum": 40.0, "maximum": 90.0, "max_rate": 1.0, "min_dwell": 2, "levels": None}
    }
    model = tslam.fit(
        record.frame, actions=actions, exog=["inlet_temp"], time=TIME, config="linear", progress=False
    )
    plan = model.plan(record.frame, {"level_2": float(record.frame["level_2"].mean())}, STEPS)
    moves = _change(plan["valve"], float(record.frame["valve"][-1]))
    assert np.abs(moves).max() <= 1.0 + 1e-9
    assert set(np.flatnonzero(np.abs(moves) > 1e-9)) <= set(range(0, STEPS, 2))


def test_the_same_seed_gives_the_same_plan(record: Record, model: tslam.LatentActionModel) -> None:
    aim = {"level_1": float(record.frame["level_1"][-1])}
    assert model.plan(record.frame, aim, 4, seed=3).equals(model.plan(record.frame, aim, 4, seed=3))


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"goal": {"level_2": 99.0}}, errors.PlanError, "outside what was ever seen"),
        ({"goal": {}}, errors.ConfigError, "no goal"),
        ({"goal": {"levl_2": 0.6}}, errors.RoleError, "levl_2"),
        ({"horizon": 0}, errors.ConfigError, "horizon"),
        ({"method": "guess"}, errors.ConfigError, "method"),
        ({"actions": ["valv"]}, errors.RoleError, "valv"),
        ({"limits": {"valv": {}}}, errors.RoleError, "valv"),
        ({"limits": {"valve": {"rate": 0.0}}}, errors.PlanError, "never move"),
        ({"limits": {"valve": {"low": 70.0, "high": 60.0}}}, errors.PlanError, "nowhere between"),
        (
            {"limits": {"valve": {"low": 10.0, "high": 20.0, "rate": 0.1}}},
            errors.PlanError,
            "cannot come back",
        ),
        ({"actions": []}, errors.PlanError, "nothing to turn"),
    ],
)
def test_what_cannot_be_is_refused(
    record: Record, model: tslam.LatentActionModel, asked: dict[str, Any], error: type[Exception], said: str
) -> None:
    plain = {"goal": {"level_2": float(record.frame["level_2"][-1])}, "horizon": STEPS}
    with pytest.raises(error, match=said):
        model.plan(record.frame, **(plain | asked))


def test_a_certified_latent_cannot_leave_its_validated_range() -> None:
    with pytest.raises(errors.PlanError, match="nowhere between"):
        certified().plan(log(), goal(), 4, using=["latent_0"], limits={HIDDEN: {"low": 50.0, "high": 60.0}})
