"""Two contracts compared, with an eye to roles; and a patch applied."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from contract_strategies import contracts
from hypothesis import given

from tslam.contract import Column, Contract
from tslam.errors import ContractError, RoleError

BASE = Contract(
    name="plant",
    version="1.2.3",
    columns=(
        Column(name="ts", role="time"),
        Column(name="level", role="observation", unit="m", minimum=0, maximum=5),
        Column(name="mode", role="action", levels=["on", "off"]),
        Column(name="rain", role="exogenous", known_in_future=True),
        Column(name="note", role="ignore"),
    ),
)
PATCH = """\
apiVersion: v3.1.0
kind: DataContract
id: plant
version: 1.2.3
status: proposed
schema:
  - name: plant
    logicalType: object
    properties:
      - name: mode
        logicalType: string
        customProperties:
          - {property: auditGap, value: log_outage}
      - name: unlogged_action_on_level
        logicalType: number
        description: What moves level.
        customProperties:
          - {property: tslamRole, value: action}
          - {property: auditGap, value: missing_action}
"""


@pytest.mark.parametrize(
    ("name", "update", "impact"),
    [
        ("mode", {"role": "exogenous"}, "breaking"),
        ("rain", {"role": "action"}, "breaking"),
        ("note", {"role": "observation"}, "compatible"),
        ("level", {"unit": "cm"}, "breaking"),
        ("mode", {"unit": "1"}, "compatible"),
        ("mode", {"timing": "within"}, "compatible"),
        ("level", {"maximum": 6.0}, "compatible"),
        ("level", {"maximum": 4.0}, "breaking"),
        ("level", {"minimum": None}, "compatible"),
        ("rain", {"minimum": 0.0}, "breaking"),
        ("mode", {"levels": ("on", "off", "auto")}, "compatible"),
        ("mode", {"levels": ("on",)}, "breaking"),
        ("level", {"required": False}, "breaking"),
        ("rain", {"known_in_future": False}, "breaking"),
        ("mode", {"dead_time": 3}, "compatible"),
        ("mode", {"description": "new"}, "editorial"),
    ],
)
def test_each_change_has_its_impact(name: str, update: dict[str, Any], impact: str) -> None:
    changed = Column.model_validate(BASE.column(name).model_dump() | update)
    found = BASE.diff(BASE.with_columns([changed]))
    assert [(c.column, c.field, c.impact) for c in found.changes] == [(name, next(iter(update)), impact)]
    assert bool(found.breaking) == (impact == "breaking")


def test_columns_that_come_and_go() -> None:
    less = BASE.model_copy(
        update={"columns": tuple(c for c in BASE.columns if c.name not in ("mode", "note"))}
    )
    assert [(c.column, c.field, c.impact) for c in BASE.diff(less).changes] == [
        ("mode", "removed", "breaking"),
        ("note", "removed", "compatible"),
    ]
    assert {(c.field, c.impact) for c in less.diff(BASE).changes} == {("added", "compatible")}
    series = BASE.with_columns([Column(name="unit", role="series")])
    assert BASE.diff(series).changes[0].impact == "breaking"


@given(contracts(), contracts())
def test_no_change_is_none_and_every_change_is_seen(one: Contract, other: Contract) -> None:
    assert one.diff(one).changes == ()
    said = {"freq", "timezone", "severity", "description", "columns"}
    same = one.model_dump(include=said) == other.model_dump(include=said)
    assert (one.diff(other).changes == ()) == same


def test_a_patch_adds_what_should_be_logged() -> None:
    grown = BASE.apply(PATCH, rename={"unlogged_action_on_level": "valve"})
    assert grown.actions == ("mode", "valve")
    assert grown.column("mode") == BASE.column("mode")
    assert grown.column("valve").description == "What moves level."
    assert (grown.version, BASE.version) == ("1.3.0", "1.2.3")
    assert [c.impact for c in BASE.diff(grown).changes] == ["compatible"]
    assert grown.apply(PATCH.replace("unlogged_action_on_level", "valve")) == grown


def test_a_patch_that_adds_nothing_changes_nothing() -> None:
    assert BASE.apply(PATCH[: PATCH.index("  - name: plant")].replace("schema:", "schema: []")) == BASE


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        ("tslamRole", "owner", ContractError, r"line 14, column 9: column 'unlogged_action_on_level' is not"),
        ("value: action}", "value: latent}", RoleError, "have the role 'latent'"),
        ("name: unlogged_action_on_level", "name: mode", ContractError, "line 14.*stand more than once"),
        ("name: unlogged_action_on_level", "name: latent_0", RoleError, "called like inferred latents"),
    ],
)
def test_a_patch_that_cannot_be_applied_says_why(
    old: str, new: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        BASE.apply(PATCH.replace(old, new))


def test_a_rename_of_what_the_patch_has_not_is_refused() -> None:
    with pytest.raises(ContractError, match="Did you mean 'unlogged_action_on_level'"):
        BASE.apply(PATCH, rename={"unlogged_action_on_levle": "valve"})


WRITTEN = """\
# The plant's contract, kept by team 7.
apiVersion: v3.1.0
kind: DataContract
id: 5f3c
version: 1.2.3
status: active
x-unknown: kept
schema:
- name: plant
  physicalName: db.plant   # as the historian has it
  properties:
  - name: ts
    logicalType: timestamp
  - name: level
    logicalType: number
    quality: [{metric: nullValues, mustBe: 0}]
    customProperties:
    - {property: owner, value: team-7}
    - {property: tslamUnit, value: m}
team:
  members: []
"""


def test_what_a_change_does_not_touch_stays_as_it_was_written() -> None:
    contract = Contract.from_odcs(WRITTEN)
    assert contract.to_odcs() == WRITTEN
    grown = contract.apply(PATCH.replace("name: mode", "name: level").replace("logicalType: string", ""))
    text = grown.to_odcs()
    lines = text.splitlines()
    kept = [line for line in WRITTEN.splitlines() if not line.startswith("version")]
    assert [line for line in kept if line not in lines] == []
    assert text.startswith("# The plant's contract")
    assert 'version: "1.3.0"' in text
    assert Contract.from_odcs(text) == grown
    changed = contract.with_columns([Column(name="level", role="observation", unit="cm", maximum=3)])
    level = yaml.safe_load(changed.to_odcs())["schema"][0]["properties"][1]
    assert {"property": "owner", "value": "team-7"} in level["customProperties"]
    assert {"property": "tslamUnit", "value": "cm"} in level["customProperties"]
    assert (level["quality"], level["logicalTypeOptions"]) == (
        [{"metric": "nullValues", "mustBe": 0}],
        {"maximum": 3},
    )


@given(contracts(), contracts())
def test_any_contract_can_be_written_into_any_document(one: Contract, other: Contract) -> None:
    assert Contract.from_odcs(other.read_from(one.to_odcs()).to_odcs()) == other


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("before")
    with pytest.raises(ContractError):
        BASE.to_odcs(path, latents=["pump"])
    assert path.read_text() == "before"
    BASE.to_odcs(path)
    assert [found.name for found in tmp_path.iterdir()] == ["c.yaml"]
