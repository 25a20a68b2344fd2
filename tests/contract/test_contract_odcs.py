"""Contracts as Open Data Contract Standard documents: there, back, and what cannot be read."""

import json
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from contract_strategies import contracts
from hypothesis import given
from hypothesis import strategies as st
from open_data_contract_standard.model import OpenDataContractStandard

from tslam.contract import Column, Contract, Kind, Role, Timing, latent_names, read, read_with_notes
from tslam.errors import ContractError

STANDARD = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text())
VALIDATOR = jsonschema.Draft201909Validator(STANDARD)
ONLY_IN_V32 = {"vendor", "enum", "semanticType", "synonyms", "deprecated", "context", "map"}

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: plant\nversion: 1.2.0\nstatus: active\nschema:\n"
PLANT = (
    HEAD
    + """\
  - name: plant
    properties:
      - name: when
        logicalType: timestamp
        logicalTypeOptions: {timezone: true, defaultTimezone: Europe/Berlin}
      - name: level
        logicalType: number
        logicalTypeOptions: {minimum: 0, maximum: 12.5}
      - name: valve
        logicalType: string
        customProperties:
          - {property: tslamRole, value: action}
          - {property: tslamTiming, value: within}
          - {property: owner, value: team-7}
          - {property: role, value: something else, vendor: soda}
      - name: count
        logicalType: integer
      - name: remark
        logicalType: string
"""
)


def keys_of(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data) | {key for value in data.values() for key in keys_of(value)}
    return {key for item in data for key in keys_of(item)} if isinstance(data, list) else set()


@given(contracts(), st.integers(0, 3))
def test_a_contract_comes_back_as_it_was_written(contract: Contract, latents: int) -> None:
    text = contract.to_odcs(latents=latent_names(latents))
    assert Contract.from_odcs(text) == contract


@given(contracts(), st.integers(0, 3))
def test_what_is_written_is_odcs(contract: Contract, latents: int) -> None:
    text = contract.to_odcs(latents=latent_names(latents))
    written = yaml.safe_load(text)  # YAML 1.1, where ruamel reads 1.2
    VALIDATOR.validate(written)
    assert written["apiVersion"] == "v3.1.0"
    assert not keys_of(written) & ONLY_IN_V32
    OpenDataContractStandard.from_string(text)
    assert [part["name"] for part in written["schema"][0]["properties"]] == [c.name for c in contract.columns]
    assert Contract.from_odcs(json.dumps(written)) == contract


def test_columns_without_a_role_get_the_one_of_their_type_and_a_note() -> None:
    contract, notes = read_with_notes(PLANT)
    assert (contract.name, contract.version, contract.timezone) == ("plant", "1.2.0", "Europe/Berlin")
    assert contract.time == "when"
    assert contract.observations == ("level", "count")
    assert contract.names(Role.IGNORE) == ("remark",)
    level, valve = contract.column("level"), contract.column("valve")
    assert (level.minimum, level.maximum) == (0.0, 12.5)
    assert (valve.role, valve.timing, valve.kind) == (Role.ACTION, Timing.WITHIN, Kind.CATEGORICAL)
    assert len(notes) == 3
    assert "'when' is the time" in notes[0]
    assert "taken as observations by their logicalType: level, count" in notes[1]
    assert "ignored by their logicalType: remark" in notes[2]


def test_roles_of_the_vendor_tslam_are_read_as_v32_has_them() -> None:
    text = (
        PLANT.replace("v3.1.0", "v3.2.0")
        .replace("{property: tslamRole, value: action}", "{property: role, value: action, vendor: tslam}")
        .replace("{property: tslamTiming, value: within}", "{property: deadTime, value: 4, vendor: tslam}")
        .replace("name: count\n", "name: count\n        enum: [{value: 1}, {value: 2}]\n")
    )
    contract = Contract.from_odcs(text)
    assert contract.actions == ("valve",)
    assert contract.column("valve").dead_time == 4
    assert contract.column("count").levels == (1.0, 2.0)


def test_a_numeric_time_and_numbers_as_text_are_kept() -> None:
    contract = Contract(
        columns=(Column(name="s", role="time", kind="continuous"), Column(name="x", role="observation")),
        freq="0.5",
    )
    text = contract.to_odcs()
    assert yaml.safe_load(text)["schema"][0]["properties"][0]["logicalType"] == "number"
    assert Contract.from_odcs(text.replace('"0.5"', "0.5").replace('"0.1.0"', "0.1")).freq == "0.5"


def test_series_and_time_are_the_key_and_never_null() -> None:
    columns = [Column(name=name, role=name) for name in ("time", "series", "observation")]
    written = yaml.safe_load(Contract(columns=tuple(columns)).to_odcs())["schema"][0]["properties"]
    keys = [
        (part.get("required"), part.get("primaryKey"), part.get("primaryKeyPosition")) for part in written
    ]
    assert keys == [(True, True, 2), (True, True, 1), (None, None, None)]
    without = Contract(columns=(columns[0], columns[2])).to_odcs()
    assert yaml.safe_load(without)["schema"][0]["properties"][0]["primaryKeyPosition"] == 1


def test_a_table_is_chosen_by_name_and_latents_are_no_choice() -> None:
    contract = Contract.from_odcs(PLANT)
    text = contract.to_odcs(latents=["latent_0", "latent_1"])
    other = text.replace(
        "schema:\n",
        "schema:\n  - name: lab\n    properties:\n      - name: a\n        logicalType: date\n",
        1,
    )
    assert Contract.from_odcs(other) == contract, "the one table that says its roles"
    silent = other.replace("tslamRole", "ownRole").replace("tslam", "own")
    with pytest.raises(ContractError, match=r"line 7.*several objects, \['lab', 'plant',.*table='lab'"):
        Contract.from_odcs(silent)
    assert Contract.from_odcs(other, table="plant") == contract
    with pytest.raises(ContractError, match="no schema object 'plnt'"):
        Contract.from_odcs(other, table="plnt")
    with pytest.raises(ContractError, match="have the role 'latent'"):
        Contract.from_odcs(text, table="plant_latents")


def test_latents_stand_in_a_table_of_their_own() -> None:
    text = Contract.from_odcs(PLANT).to_odcs(latents=["latent_0"])
    measured, inferred = yaml.safe_load(text)["schema"]
    assert "latent_0" not in {part["name"] for part in measured["properties"]}
    assert inferred["name"] == "plant_latents"
    assert [part["name"] for part in inferred["properties"]] == ["when", "latent_0"]
    assert inferred["properties"][1]["transformSourceObjects"] == ["plant"]
    assert inferred["properties"][1]["customProperties"] == [{"property": "tslamRole", "value": "latent"}]
    for wrong in (["pump"], ["latent_0", "latent_0"]):
        with pytest.raises(ContractError, match="expected names such as latent_0"):
            Contract.from_odcs(PLANT).to_odcs(latents=wrong)


def test_a_latent_among_measured_columns_is_an_error() -> None:
    with pytest.raises(ContractError, match=r"\['valve'\] have the role 'latent'"):
        Contract.from_odcs(
            PLANT.replace("tslamRole, value: action}", "tslamRole, value: latent}").replace(
                "tslamTiming", "tslam"
            )
        )
    with pytest.raises(ContractError, match=r"\['latent_0'\] are called like"):
        Contract.from_odcs(PLANT.replace("name: count", "name: latent_0"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "value: action",
            "value: acton",
            r"line 18, column 42: tslamRole 'acton' is not known; did you mean 'action'",
        ),
        ("value: action", "value: [action]", r"tslamRole \['action'\] is not known"),
        (
            "tslamTiming",
            "tslamTimng",
            r"line 19, column 24: .*'tslamTimng' is not known; did you mean 'timing'",
        ),
        (
            "value: within",
            "value: whenever",
            "line 19, column 44: tslamTiming 'whenever' is not known; known are before, within, auto",
        ),
        (
            "        customProperties:",
            "        role: action\n        customProperties:",
            r"'role' is no field of the standard. Put",
        ),
        (
            "value: something else, vendor: soda",
            "value: time, vendor: tslam",
            "is said twice, as 'action' and 'time'",
        ),
        (
            "name: count\n        logicalType: integer",
            "name: count\n        logicalType: date",
            r"\['when', 'count'\] could be it",
        ),
        (
            "logicalType: timestamp",
            "logicalType: string",
            "no column has the role 'time', and no column could be it",
        ),
        ("kind: DataContract", "kind: DataProduct", "line 2, column 7: kind is 'DataProduct'"),
        (
            "apiVersion: v3.1.0",
            "apiVersion: v2.2.2",
            "line 1, column 13: apiVersion is 'v2.2.2'; this reads ODCS v3",
        ),
        ("schema:", "models:", "there is no schema"),
        ("minimum: 0", "minimum: .inf", "minimum"),
        ("minimum: 0", "minimum: 99", "minimum 99.0 is above maximum 12.5"),
        ("name: level", "name: 5", "line 12, column 15: 'name' is 5; expected text"),
        ("name: level", "title: level", "a property without a name"),
        ("name: level", "name: count", r"\['count'\] stand more than once"),
        ("value: within", "value: !secret x", "plain YAML"),
        ("value: within", "value: 2024-01-01", "plain YAML"),
        ("      - name: remark", "      - remark", "not YAML|expected a mapping"),
        ("  - name: plant\n    properties:", "  plant:\n    properties:", "expected a list"),
        ("{timezone: true, defaultTimezone: Europe/Berlin}", "[]", "expected a mapping"),
    ],
)
def test_what_cannot_be_is_a_contract_error_with_its_place(old: str, new: str, said: str) -> None:
    assert PLANT.count(old) >= 1
    with pytest.raises(ContractError, match=said):
        Contract.from_odcs(PLANT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("  []", "no table of measured columns"),
        ("  - name: a\n", "'a' has no properties"),
        ("  - name: a\n    properties: 3\n", r"line 8.*'properties' is 3; expected a list"),
        ("  - properties: []\n", "a schema object called None"),
        ("  - name: a\n  - name: a\n", "a schema object called 'a'"),
    ],
)
def test_a_schema_without_a_table_is_a_contract_error(schema: str, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        Contract.from_odcs(HEAD + schema)


def test_severity_is_read_and_checked_by_column_and_by_table() -> None:
    rule = "          - {property: tslamSeverity, value: {criticalShare: 0.2}}\n"
    text = PLANT.replace("          - {property: owner", rule + "          - {property: owner", 1)
    contract = Contract.from_odcs(text)
    assert contract.rule("valve").critical_share == 0.2
    assert contract.rule(None).critical_share == 0.05
    with pytest.raises(
        ContractError, match=r"line 20, column 46.*criticl_share: there is no such field; did you mean"
    ):
        Contract.from_odcs(text.replace("criticalShare", "criticlShare"))
    with pytest.raises(ContractError, match="expected a mapping"):
        Contract.from_odcs(text.replace("{criticalShare: 0.2}", "0.2"))
    with pytest.raises(ContractError, match="the severity is empty"):
        Contract.from_odcs(text.replace("{criticalShare: 0.2}", "null"))


def test_files_are_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "plant.odcs.yaml"
    contract = Contract.from_odcs(PLANT)
    text = contract.to_odcs(path)
    assert path.read_text(encoding="utf-8") == text
    assert Contract.from_odcs(path) == Contract.from_odcs(str(path)) == contract
    path.write_text(text.replace("value: action", "value: acton"), encoding="utf-8")
    with pytest.raises(ContractError, match=r"plant\.odcs\.yaml, line \d+, column \d+"):
        read(path)
    with pytest.raises(ContractError, match="cannot be written"):
        contract.to_odcs(tmp_path / "not there" / "x.yaml")


@given(st.data())
def test_a_damaged_document_is_a_contract_error_or_a_contract(data: st.DataObject) -> None:
    lines = PLANT.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    damage = data.draw(st.sampled_from(["drop", "indent", "cut", "null"]))
    lines[at] = {
        "drop": "",
        "indent": "  " + lines[at],
        "cut": lines[at][: len(lines[at]) // 2],
        "null": lines[at].split(":")[0] + ":",
    }[damage]
    with suppress(ContractError):  # whatever else is raised fails the test
        assert Contract.from_odcs("\n".join(lines)).observations


@given(contracts(), st.integers(0, 2))
def test_v32_is_written_on_request_and_both_ways(contract: Contract, latents: int) -> None:
    text = contract.to_odcs(latents=latent_names(latents), version="v3.2.0")
    written = yaml.safe_load(text)
    VALIDATOR.validate(written)
    assert written["apiVersion"] == "v3.2.0"
    assert "property: tslam" not in text.replace('"', "")
    again = Contract.from_odcs(text)
    assert again == contract
    assert yaml.safe_load(again.to_odcs(version="v3.1.0")) == yaml.safe_load(
        contract.to_odcs(latents=latent_names(latents))
    )


def test_a_version_of_the_standard_that_is_not_written_is_refused() -> None:
    with pytest.raises(ContractError, match=r"'v2\.0'.*written are"):
        Contract.from_odcs(PLANT).to_odcs(version="v2.0")
