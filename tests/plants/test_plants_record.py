"""What every plant promises: one seed one history, known roles, moves where the column changes."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.errors import ConfigError, RoleError
from tslam.plants import PLANTS, Record, simulate

NAMES = tuple(PLANTS)


@pytest.fixture(scope="module", params=NAMES)
def record(request: pytest.FixtureRequest) -> Record:
    return simulate(request.param, rows=6000, seed=3)


def test_columns_are_the_roles_and_finite(record: Record) -> None:
    assert record.frame.columns == ["time", *record.observations, *record.actions, *record.exogenous]
    values = record.frame.drop("time").to_numpy()
    assert values.shape[0] == 6000
    assert np.isfinite(values).all()
    assert (values[:, : len(record.observations)].std(axis=0) > 0).all()


def test_the_clock_is_regular_in_microseconds_without_a_zone(record: Record) -> None:
    time = record.frame["time"]
    assert time.dtype == pl.Datetime("us", None)
    assert time[0].isoformat() == "2024-01-01T00:00:00"
    assert (time.diff().drop_nulls() == timedelta(seconds=record.cadence)).all()


def test_moves_are_where_the_column_changes_and_most_are_frequent(record: Record) -> None:
    assert set(record.moves) == set(record.effects) == set(record.actions)
    for action, rows in record.moves.items():
        column = record.frame[action].to_numpy()
        changed = np.zeros(len(column), dtype=bool)
        changed[rows] = True
        np.testing.assert_array_equal(changed[1:], column[1:] != column[:-1])
        assert not changed[0]
        assert 40 <= len(rows) <= 200, action
        assert len(np.unique(column)) >= 4


def test_effects_name_observations(record: Record) -> None:
    for channels in record.effects.values():
        assert channels
        assert set(channels) <= set(record.observations)


def test_roles_leave_the_observations_to_the_fit(record: Record) -> None:
    roles = record.roles()
    assert roles == {"actions": record.actions, "exog": record.exogenous, "time": "time"}
    named = {*roles["actions"], *roles["exog"], roles["time"]}
    assert tuple(name for name in record.frame.columns if name not in named) == record.observations


def test_a_dropped_action_leaves_the_log_and_stays_in_the_truth(record: Record) -> None:
    gone = record.actions[0]
    partial = record.drop(gone)
    assert partial.frame.columns == [name for name in record.frame.columns if name != gone]
    assert gone not in partial.roles()["actions"]
    assert partial.hidden == (gone,)
    assert record.hidden == ()
    assert partial.truth.frame[gone].equals(record.frame[gone])
    assert partial.effects[gone] == record.effects[gone]
    assert partial.moves[gone] is record.moves[gone]
    world = record.exogenous[0]
    assert partial.drop(world).hidden == (gone, world)


def test_only_inputs_can_be_dropped(record: Record) -> None:
    with pytest.raises(RoleError, match=r"input to drop"):
        record.drop(record.observations[0])
    with pytest.raises(RoleError, match=r"input to drop"):
        record.drop(record.actions[0]).drop(record.actions[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_is_a_history_whatever_the_global_state(name: str) -> None:
    first = simulate(name, rows=300, seed=5)
    np.random.seed(1)  # noqa: NPY002 - the subject of the test: a global state that plants must not read
    before = _global_state()
    second = simulate(name, rows=300, seed=5)
    assert second.frame.equals(first.frame)
    assert second.truth.parameters == first.truth.parameters
    np.testing.assert_array_equal(_global_state(), before)


def _global_state() -> np.ndarray:
    return np.random.get_state()[1].copy()  # noqa: NPY002 - looked at, so that writing to it is seen


@pytest.mark.parametrize("name", NAMES)
def test_a_longer_record_begins_with_the_shorter_one(name: str) -> None:
    assert simulate(name, rows=400, seed=2).frame.head(250).equals(simulate(name, rows=250, seed=2).frame)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "linear"])
def test_another_seed_is_another_plant_of_the_kind(name: str) -> None:
    one, other = (simulate(name, rows=50, seed=seed).truth.parameters for seed in (0, 1))
    assert one.keys() == other.keys()
    ratios = np.array([other[key] / one[key] for key in one])
    assert (ratios != 1.0).all()
    assert (np.abs(np.log(ratios)) < 0.4).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "linear"])
@pytest.mark.parametrize("feedback", [-0.1, 1.5, float("nan")])
def test_feedback_has_a_range(name: str, feedback: float) -> None:
    with pytest.raises(ConfigError, match=r"from 0 .* to 1"):
        PLANTS[name](rows=10, feedback=feedback)


@pytest.mark.parametrize("name", NAMES)
def test_a_record_holds_a_transition(name: str) -> None:
    assert simulate(name, rows=2).frame.height == 2
    with pytest.raises(ConfigError, match="at least 2"):
        simulate(name, rows=1)


def test_an_unknown_plant_is_named_with_the_next_step() -> None:
    with pytest.raises(ConfigError, match=r"no plant 'tanks'. Did you mean 'tank'"):
        simulate("tanks")
    with pytest.raises(ConfigError, match=r"no plant 'xyz'. Ask for one of \['tank'"):
        simulate("xyz")


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32 - 1))
def test_every_seed_gives_finite_telemetry_within_reach(name: str, seed: int) -> None:
    record = simulate(name, rows=1500, seed=seed)
    values = record.frame.drop("time").to_numpy()
    assert np.isfinite(values).all()
    if name != "linear":
        positive = record.frame.select(record.observations).min()
        assert all(value > -1.0 for value in positive.row(0))
