"""Roles from plain arguments, and with a contract beside them."""

from contextlib import suppress

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.contract import Column, Contract, Kind, Role, Timing, from_arguments, merge
from tslam.contract.hints import hint_of
from tslam.errors import ContractError, RoleError

STAMP = pl.Datetime("us", "Europe/Berlin")
PLANT: dict[str, pl.DataType] = {
    "when": STAMP,
    "unit": pl.String(),
    "level": pl.Float64(),
    "valve": pl.Int64(),
    "mode": pl.Enum(["auto", "manual"]),
    "running": pl.Boolean(),
    "ambient": pl.Float32(),
    "fault_id": pl.Int8(),
    "cost": pl.Decimal(10, 2),
    "raw": pl.List(pl.Float64()),
}


def test_every_column_gets_one_role_in_the_order_of_the_frame() -> None:
    contract, notes = from_arguments(
        PLANT, actions=["valve", "mode"], exog="ambient", ignore="cost", series="unit", freq=10
    )
    assert [column.name for column in contract.columns] == list(PLANT)
    assert (contract.time, contract.series, contract.timezone, contract.freq) == (
        "when",
        "unit",
        "Europe/Berlin",
        "10",
    )
    assert contract.actions == ("valve", "mode")
    assert contract.exogenous == ("ambient",)
    assert contract.observations == ("level", "running", "fault_id")
    assert contract.names(Role.IGNORE) == ("cost", "raw")
    assert contract.column("mode").kind is Kind.CATEGORICAL
    assert contract.column("running").kind is Kind.BOOLEAN
    assert contract.column("level").kind is None
    assert any("'fault_id'" in note and "label" in note for note in notes)
    assert any("raw (List(Float64))" in note for note in notes)


def test_text_that_nobody_named_is_left_out_with_a_note() -> None:
    contract, notes = from_arguments({"t": STAMP, "x": pl.Float64(), "recipe": pl.String()})
    assert contract.names(Role.IGNORE) == ("recipe",)
    assert any("they are text: recipe" in note for note in notes)


def test_settings_may_come_as_kind_timing_fields_or_column() -> None:
    contract, _ = from_arguments(
        PLANT,
        actions={"valve": Kind.ORDINAL, "mode": "within", "running": {"dead_time": 3, "unit": "-"}},
        exog=[Column(name="ambient", role="exogenous", known_in_future=True), "cost"],
    )
    assert contract.column("valve").kind is Kind.ORDINAL
    assert contract.column("mode").timing is Timing.WITHIN
    assert contract.column("mode").kind is Kind.CATEGORICAL
    assert (contract.column("running").dead_time, contract.column("running").kind) == (3, Kind.BOOLEAN)
    assert contract.column("ambient").known_in_future


@pytest.mark.parametrize(
    ("schema", "time"),
    [
        ({"a": pl.Date(), "x": pl.Float64()}, "a"),
        ({"x": pl.Float64(), "Timestamp": pl.Int64()}, "Timestamp"),
        ({"t": pl.Float64(), "when": pl.Datetime("ns"), "x": pl.Float64()}, "when"),
    ],
)
def test_the_only_column_that_can_be_the_time_is(schema: dict[str, pl.DataType], time: str) -> None:
    contract, _ = from_arguments(schema)
    assert contract.time == time
    assert (contract.column(time).kind is Kind.CONTINUOUS) == schema[time].is_numeric()


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"x": pl.Float64()}, r"has no time column.*time='seconds'.*\['x'\]"),
        ({}, "has no time column"),
        (
            {"a": STAMP, "b": pl.Date(), "x": pl.Float64()},
            r"several date or datetime columns: \['a', 'b'\].*time='a'",
        ),
        (
            {"t": pl.Int64(), "ts": pl.Int64(), "x": pl.Float64()},
            r"several numeric columns called like a time",
        ),
        (
            {"time": pl.String(), "x": pl.Float64()},
            r"'time' is text: parse it with pl.col\('time'\).str.to_datetime",
        ),
    ],
)
def test_without_one_clock_the_error_says_how_to_name_it(schema: dict[str, pl.DataType], said: str) -> None:
    with pytest.raises(RoleError, match=said):
        from_arguments(schema)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"actions": "vlave"},
            "'vlave' was given the role 'action' and is not in the frame. Did you mean 'valve'",
        ),
        ({"time": "nope"}, "'nope' was given the role 'time' and is not in the frame"),
        ({"series": "nope"}, "'nope' was given the role 'series'"),
        ({"ignore": ["nope"]}, "'nope' was given the role 'ignore'"),
        ({"actions": "valve", "exog": "valve"}, "'valve' was given two roles, 'action' and 'exogenous'"),
        ({"actions": "valve", "observations": "valve"}, "two roles, 'action' and 'observation'"),
        ({"actions": "when", "time": "when"}, "'when' was given the role 'action' and is Datetime"),
        ({"actions": "valve", "time": "valve"}, "two roles, 'time' and 'action'"),
        ({"actions": ["valve", "valve"]}, "'valve' is named twice as 'action'"),
        ({"time": "unit"}, r"'unit' was given the role 'time' and is String.*str.to_datetime"),
        ({"time": "running"}, "'running' was given the role 'time' and is Boolean"),
        ({"observations": ["unit"]}, "'unit' was given the role 'observation' and is String"),
        ({"observations": []}, "No observation is left"),
        (
            {"actions": ["level", "valve", "running", "fault_id", "cost"], "exog": "ambient"},
            "No observation is left",
        ),
        ({"exog": "raw"}, "'raw' was given the role 'exogenous' and is List"),
        ({"series": "level"}, "'level' was given the role 'series' and is Float64"),
        ({"actions": 5}, r"The role 'action' was given 5 \(int\)"),
        ({"actions": [5]}, "Column names are strings"),
        (
            {"actions": {"valve": "sometimes"}},
            "the setting 'sometimes'. It takes a kind .*continuous.*timing",
        ),
        ({"actions": {"valve": ["within"]}}, "It takes a kind"),
        ({"actions": {"valve": {"role": "exogenous"}}}, "Give name and role once"),
        ({"actions": Column(name="valve", role="exogenous")}, "Give name and role once"),
        ({"actions": {"valve": Column(name="mode", role="action")}}, "Give name and role once"),
        ({"actions": {"valve": {"dead_time": -1}}}, "dead_time"),
    ],
)
def test_bad_arguments_are_named_errors(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(RoleError if said != "dead_time" else ContractError, match=said):
        from_arguments(PLANT, **arguments)


def test_a_column_called_like_a_latent_is_refused_unless_ignored() -> None:
    schema = {"t": STAMP, "x": pl.Float64(), "latent_0": pl.Float64()}
    with pytest.raises(RoleError, match=r"\['latent_0'\] are called like inferred latents"):
        from_arguments(schema)
    contract, _ = from_arguments(schema, ignore="latent_0")
    assert contract.observations == ("x",)


names = st.sampled_from([*PLANT, "ghost"])
some = st.lists(names, max_size=3)


@given(some, some, st.none() | some, some, st.none() | names, st.none() | names)
def test_whatever_is_named_each_column_has_one_role_or_the_error_is_named(
    actions: list[str],
    exog: list[str],
    observations: list[str] | None,
    ignore: list[str],
    time: str | None,
    series: str | None,
) -> None:
    given_names = [*actions, *exog, *(observations or []), *ignore, *filter(None, (time, series))]
    with suppress(RoleError):  # whatever else is raised fails the test
        contract, _ = from_arguments(
            PLANT,
            actions=actions,
            exog=exog,
            observations=observations,
            ignore=ignore,
            time=time,
            series=series,
        )
        assert len(set(given_names)) == len(given_names)
        assert set(contract.actions) == set(actions)
        assert set(contract.exogenous) == set(exog)
        assert set(contract.observations) >= set(observations or [])
        assert [column.name for column in contract.columns] == list(PLANT)


CONTRACT = Contract(
    name="plant",
    columns=(
        Column(name="when", role="time"),
        Column(name="level", role="observation"),
        Column(name="valve", role="action", unit="%", kind="event"),
        Column(name="flow", role="exogenous"),
        Column(name="cost", role="ignore"),
    ),
)


def test_arguments_add_to_a_contract() -> None:
    merged, notes = merge(
        CONTRACT,
        PLANT,
        actions={"valve": {"timing": "within"}, "mode": None},
        exog="flow",
        observations="running",
        series="unit",
        freq="10s",
        ignore="cost",
        time="when",
    )
    assert merged.column("valve") == Column(
        name="valve", role="action", unit="%", kind="event", timing="within"
    )
    assert merged.column("mode").kind is Kind.CATEGORICAL
    assert merged.column("running").kind is Kind.BOOLEAN
    assert (merged.series, merged.freq) == ("unit", "10s")
    assert merged.exogenous == ("flow",)
    assert any("does not declare them: ambient, fault_id, raw" in note for note in notes)
    assert any("not in the frame: flow" in note for note in notes)


def test_nothing_beside_a_contract_changes_nothing() -> None:
    assert merge(CONTRACT, PLANT)[0] == CONTRACT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"exog": "valve"},
            "'valve' has the role 'action' in the contract 'plant' and 'exogenous' in the arguments",
        ),
        ({"actions": "cost"}, "'cost' has the role 'ignore' in the contract"),
        ({"time": "level"}, "has the time column 'when' and the argument says time='level'"),
        ({"actions": "ghost"}, "'ghost' was given the role 'action' and is not in the frame"),
        ({"actions": {"valve": {"unit": "m"}}}, "has unit '%' in the contract 'plant' and 'm'"),
        ({"actions": {"valve": Kind.CONTINUOUS}}, "has kind .*event.* in the contract"),
        ({"actions": "unit", "series": "unit"}, "two roles, 'action' and 'series'"),
    ],
)
def test_arguments_that_contradict_the_contract_are_a_role_error(
    arguments: dict[str, object], said: str
) -> None:
    with pytest.raises(RoleError, match=said):
        merge(CONTRACT, PLANT, **arguments)


def test_the_clock_of_a_contract_must_be_in_the_frame() -> None:
    with pytest.raises(RoleError, match="'when' was given the role 'time' and is not in the frame"):
        merge(CONTRACT, {"level": pl.Float64()})
    with pytest.raises(RoleError, match="has freq '1m' and the argument says freq='2m'"):
        merge(CONTRACT.model_copy(update={"freq": "1m"}), PLANT, freq="2m")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("fault_id", "a label"),
        ("isAnomaly", "a label"),
        ("ROW_INDEX", None),
        ("index", "an identifier"),
        ("deviceID", "an identifier"),
        ("target_temperature", None),
        ("pumpSpeed", "a command"),
        ("wind_speed", "the outside world"),
        ("humid", None),
        ("µ", None),
    ],
)
def test_names_hint(name: str, hint: str | None) -> None:
    assert hint_of(name) == hint
