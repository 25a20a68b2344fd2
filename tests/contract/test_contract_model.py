"""The contract itself: one role each, named errors, copies that add."""

import pytest
from contract_strategies import contracts
from hypothesis import given
from pydantic import BaseModel, ValidationError

from tslam.contract import Column, Contract, Kind, Role, SeverityRule, Timing, is_latent_name, latent_names
from tslam.errors import ContractError, RoleError

TIME = Column(name="t", role=Role.TIME)
LEVEL = Column(name="level", role=Role.OBSERVATION)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ((TIME,), "No observation is left"),
        ((LEVEL,), "No column has the role 'time'"),
        ((TIME, LEVEL, Column(name="t2", role=Role.TIME)), r"\['t', 't2'\] all have the role 'time'"),
        ((TIME, LEVEL, LEVEL), r"\['level'\] stand more than once"),
        ((TIME, LEVEL, Column(name="z", role=Role.LATENT)), "a table of their own"),
        (
            (TIME, LEVEL, Column(name="latent_3", role=Role.ACTION)),
            r"\['latent_3'\] are called like inferred",
        ),
    ],
)
def test_roles_that_do_not_fit_together_are_a_role_error(columns: tuple[Column, ...], said: str) -> None:
    with pytest.raises(RoleError, match=said):
        Contract(columns=columns)
    with pytest.raises(RoleError, match=said):
        Contract.model_validate({"columns": [column.model_dump() for column in columns]})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"minimum": 2, "maximum": 1}, "minimum 2.0 is above maximum 1.0"),
        ({"kind": "circular"}, "give its period"),
        ({"role": "observation", "timing": "within"}, "has a timing"),
        ({"levels": []}, "at least one"),
        ({"levels": [1, 1.0]}, "each level once"),
    ],
)
def test_a_column_that_contradicts_itself_is_a_role_error(fields: dict[str, object], said: str) -> None:
    with pytest.raises(RoleError, match=said):
        Column(**({"name": "a", "role": "action"} | fields))


def test_fields_of_the_wrong_kind_are_a_contract_error_with_what_was_found() -> None:
    with pytest.raises(ContractError, match=r"role: Input should be 'time'.*found 'boss'"):
        Column(name="a", role="boss")
    with pytest.raises(ContractError, match="dead_tme: there is no such field; did you mean 'dead_time'"):
        Column(name="a", role="action", dead_tme=3)
    with pytest.raises(ContractError, match="minimum"):
        Column(name="a", role="action", minimum=float("nan"))
    with pytest.raises(ContractError, match="columns"):
        Contract.model_validate_json("{}")


def test_inside_another_model_pydantic_reports_the_errors() -> None:
    class Holder(BaseModel):
        contract: Contract

    with pytest.raises(ValidationError, match="No observation is left"):
        Holder.model_validate({"contract": {"columns": [{"name": "t", "role": "time"}]}})


@given(contracts())
def test_json_keeps_a_contract(contract: Contract) -> None:
    assert Contract.model_validate_json(contract.model_dump_json()) == contract


@given(contracts())
def test_a_contract_never_changes_and_copies_replace_namesakes(contract: Contract) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        contract.name = "other"
    new = Column(name=contract.columns[0].name + "'", role=Role.IGNORE)
    longer = contract.with_columns([new])
    assert longer.columns == (*contract.columns, new)
    assert longer.with_columns([new.model_copy(update={"unit": "m"})]).column(new.name).unit == "m"


def test_a_column_may_have_thresholds_of_its_own() -> None:
    own = SeverityRule(critical_share=0.5)
    contract = Contract(columns=(TIME, LEVEL, Column(name="valve", role=Role.ACTION, severity=own)))
    assert contract.rule("valve") is own
    assert contract.rule("level") == contract.rule(None) == contract.rule("not there") == SeverityRule()


def test_an_unknown_column_is_named_with_its_neighbours() -> None:
    with pytest.raises(RoleError, match=r"'levle'.*Did you mean 'level'"):
        Contract(columns=(TIME, LEVEL)).column("levle")


def test_latent_names_are_reserved_and_only_those() -> None:
    assert latent_names(3) == ("latent_0", "latent_1", "latent_2")
    assert all(map(is_latent_name, latent_names(12)))
    assert not any(
        map(is_latent_name, ["latent", "latent_", "latent_01", "latent_x", "my_latent_0", "latent_²"])
    )
    ignored = Column(name="latent_0", role=Role.IGNORE)
    assert Contract(columns=(TIME, LEVEL, ignored)).names(Role.IGNORE) == ("latent_0",)


def test_words_of_the_enums_are_what_other_tools_read() -> None:
    assert [*Role] == ["time", "series", "observation", "action", "exogenous", "latent", "ignore"]
    assert [*Timing] == ["before", "within", "auto"]
    assert [*Kind] == ["continuous", "ordinal", "categorical", "boolean", "event", "circular"]
