"""The contract patch: valid ODCS, and readable by tslam once it is merged."""

import json
from importlib.resources import files
from typing import Any

import pytest
from crowded_report import HOSTILE
from jsonschema import Draft201909Validator
from ruamel.yaml import YAML

from tslam.audit.gap import Gap, GapKind, Severity
from tslam.contract import odcs
from tslam.contract.roles import Role
from tslam.contract.yaml_document import dump
from tslam.report import GapReport
from tslam.report.facts import LatentFacts


def load(text: str) -> dict[str, Any]:
    loaded = YAML(typ="safe").load(text)
    assert isinstance(loaded, dict)
    return loaded


def custom(column: dict[str, Any]) -> dict[str, Any]:
    return {p["property"]: p["value"] for p in column["customProperties"]}


def with_gaps(report: GapReport, *gaps: Gap) -> GapReport:
    return report.model_copy(update={"findings": report.findings.model_copy(update={"gaps": gaps})})


def merged(report: GapReport) -> str:
    whole = load(odcs.write(report.contract))
    properties = {p["name"]: p for p in whole["schema"][0]["properties"]}
    for table in load(report.contract_patch())["schema"]:
        for patch in table["properties"]:
            into = properties.setdefault(patch["name"], {"name": patch["name"]})
            into.setdefault("customProperties", []).extend(patch["customProperties"])
            into.setdefault("logicalType", patch.get("logicalType"))
    whole["schema"][0]["properties"] = list(properties.values())
    return dump(whole)


def test_the_patch_holds_what_to_log_and_what_was_found_about_the_logged(report: GapReport) -> None:
    (table,) = load(report.contract_patch())["schema"]
    columns = {p["name"]: p for p in table["properties"]}
    assert list(columns) == ["valve_2", "burner_on", "bypass_valve"]
    proposed = custom(columns["bypass_valve"])
    assert columns["bypass_valve"]["description"] == report.gaps[0].recommendation
    assert proposed["tslamRole"] == "action"
    assert proposed["auditReplacesLatents"] == ["latent_0"]
    assert proposed["tslamKind"] == "ordinal"
    assert proposed["auditLatentLevels"] == pytest.approx([0, 1, 2.5], abs=0.01)
    assert proposed["auditCadence"] == "2 min"
    assert proposed["auditWindowCount"] == 6
    assert proposed["auditWindows"][0]["start"] == "2024-03-29T03:20:00+01:00"
    assert "tslamRole" not in custom(columns["valve_2"])
    assert custom(columns["burner_on"])["auditLag"] == 8


def test_the_patch_is_valid_odcs(any_report: GapReport) -> None:
    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
    Draft201909Validator(schema).validate(load(any_report.contract_patch()))


def test_the_merged_contract_is_read_with_the_new_columns(report: GapReport) -> None:
    contract = odcs.read(merged(report))
    assert contract.column("bypass_valve").role is Role.ACTION
    for column in report.contract.columns:
        assert contract.column(column.name).role is column.role


def test_hostile_names_stay_names(crowded: GapReport) -> None:
    contract = odcs.read(merged(crowded))
    assert HOSTILE in contract.observations


def test_a_missing_disturbance_becomes_an_exogenous_column_with_a_name_of_its_own(report: GapReport) -> None:
    gap = Gap(kind=GapKind.MISSING_EXOGENOUS, severity=Severity.WARNING, channels=("flow",), score=1.0)
    (table,) = load(with_gaps(report, gap, gap).contract_patch())["schema"]
    assert [p["name"] for p in table["properties"]] == [
        "unmeasured_cause_on_flow",
        "unmeasured_cause_on_flow_2",
    ]
    assert {custom(p)["tslamRole"] for p in table["properties"]} == {"exogenous"}


def test_the_kind_is_that_of_the_moves(report: GapReport) -> None:
    def kind(**seen: Any) -> Any:
        facts = (LatentFacts(name="latent_0", **seen),)
        (table,) = load(report.model_copy(update={"latents": facts}).contract_patch())["schema"]
        return custom(table["properties"][-1])["tslamKind"]

    assert (kind(pulses=True), kind(levels=(0.0, 1.0)), kind()) == ("event", "ordinal", "continuous")


def test_what_is_undetermined_or_only_worth_knowing_asks_for_nothing(report: GapReport) -> None:
    gaps = (
        Gap(kind=GapKind.UNDETERMINED, severity=Severity.WARNING, channels=("flow",)),
        Gap(kind=GapKind.MISSING_ACTION, severity=Severity.INFO, channels=("flow",)),
    )
    assert load(with_gaps(report, *gaps).contract_patch())["schema"] == []


def test_nothing_found_is_an_empty_patch(clean: GapReport) -> None:
    assert load(clean.contract_patch())["schema"] == []
