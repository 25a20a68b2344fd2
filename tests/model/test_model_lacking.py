"""A column that the contract declares and the data lack is a gap, told by name."""

import polars as pl
import pytest

import tslam
from tslam import plants
from tslam.errors import RoleError
from tslam.report import GapReport
from tslam.report.policy import Policy

RECORD = plants.simulate("tank", 1500, 0)
LACKING = RECORD.frame.drop("heater")
MODEL = tslam.fit(RECORD.frame, **RECORD.roles(), config="linear", progress=False)


def told(report: GapReport, column: str) -> list[str]:
    return [gap.kind.value for gap in report.gaps if gap.column == column and gap.severity.value != "info"]


def test_an_action_that_new_data_lack_is_a_gap() -> None:
    assert told(MODEL.audit(LACKING), "heater") == ["log_outage"]
    assert told(MODEL.audit(LACKING.to_pandas()), "heater") == ["log_outage"]


def test_it_reads_like_a_column_without_a_value() -> None:
    empty = RECORD.frame.with_columns(heater=pl.lit(None, pl.Float64))
    assert MODEL.audit(LACKING).gaps == MODEL.audit(empty).gaps
    assert MODEL.infer(LACKING).equals(MODEL.infer(empty))


def test_a_fit_by_contract_goes_without_it_and_the_audit_says_so() -> None:
    model = tslam.fit(LACKING, contract=MODEL.contract, config="linear", progress=False)
    assert any("heater" in note for note in model.notes)
    assert told(model.audit(LACKING), "heater") == ["log_outage"]


def test_an_outside_variable_that_the_data_lack_is_a_gap() -> None:
    column = RECORD.exogenous[0]
    assert told(MODEL.audit(RECORD.frame.drop(column)), column) == ["missing_exogenous"]


def test_without_an_observation_there_is_nothing_to_ask() -> None:
    with pytest.raises(RoleError, match="level_1"):
        MODEL.audit(RECORD.frame.drop("level_1"))


def test_a_name_that_nobody_declared_is_an_error() -> None:
    with pytest.raises(RoleError, match="heeter"):
        tslam.fit(RECORD.frame, actions=["heeter"], config="linear", progress=False)


def test_a_policy_takes_the_place_of_the_thresholds() -> None:
    late = RECORD.frame.with_columns(pl.col("pump_1").shift(7, fill_value=pl.col("pump_1").first()))
    model = tslam.fit(late, **RECORD.roles(), config="linear", progress=False)
    strict = model.audit(late)
    lenient = model.audit(
        late, policy=Policy.model_validate({"severity": {"critical_share": 1, "critical_q": 1e-99}})
    )
    assert "critical" in {gap.severity.value for gap in strict.gaps}
    assert "critical" not in {gap.severity.value for gap in lenient.gaps}
    assert {gap.kind for gap in strict.gaps} == {gap.kind for gap in lenient.gaps}
    assert lenient.contract.severity.critical_share == 1
    assert model.contract.severity.critical_share == 0.05
