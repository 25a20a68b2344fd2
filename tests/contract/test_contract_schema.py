"""What the room exports: a JSON Schema that is up to date, contracts that hold, and a light import."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml
from contract_strategies import contracts
from hypothesis import given

from tslam.contract import INPUT_ROLES, Contract, Role, Timing
from tslam.contract.schema import FILES, TEXTS, main, schema_text
from tslam.plants import PLANTS, simulate

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "contracts" / "schema" / "contract.schema.json"


def test_the_exported_schema_is_up_to_date() -> None:
    for of, file in FILES.items():
        written = (SCHEMA.parent / file).read_text(encoding="utf-8")
        assert written == TEXTS[of](), "run: python -m tslam.contract.schema"


def test_the_schema_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    main([str(tmp_path / "schemas")])
    assert (tmp_path / "schemas" / SCHEMA.name).read_text(encoding="utf-8") == schema_text()


@given(contracts())
def test_contracts_meet_the_schema(contract: Contract) -> None:
    jsonschema.Draft202012Validator(json.loads(schema_text())).validate(
        json.loads(contract.model_dump_json())
    )


def test_the_schema_refuses_what_the_model_refuses() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    validator.check_schema(validator.schema)
    assert not validator.is_valid({"columns": [{"name": "t", "role": "boss"}]})
    assert not validator.is_valid({"columns": [], "extra": 1})


@pytest.mark.parametrize("plant", PLANTS)
def test_each_simulated_plant_has_a_contract_and_meets_it(plant: str) -> None:
    contract = Contract.from_odcs(ROOT / "contracts" / f"{plant}.odcs.yaml")
    record = simulate(plant, rows=1500, seed=1)
    assert contract.name == record.name == plant
    assert [column.name for column in contract.columns] == record.frame.columns
    assert (contract.actions, contract.exogenous) == (record.actions, record.exogenous)
    assert {contract.column(name).timing for name in (*contract.actions, *contract.exogenous)} == {
        Timing.BEFORE
    }
    contract.check(record.frame).raise_if_failed()


@pytest.mark.parametrize("plant", PLANTS)
def test_each_contract_says_all_that_is_known_of_its_columns(plant: str) -> None:
    text = (ROOT / "contracts" / f"{plant}.odcs.yaml").read_text(encoding="utf-8")
    contract = Contract.from_odcs(text)
    assert contract.freq
    written = {part["name"]: str(part) for part in yaml.safe_load(text)["schema"][0]["properties"]}
    for column in contract.columns:
        if column.role is Role.TIME:
            continue
        said = ["description", "kind", "unit", "minimum", "maximum", "source_of_truth"]
        said += ["actuator", "dead_time"] if column.role is Role.ACTION else []
        assert [field for field in said if getattr(column, field) is None] == [], column.name
        if column.role in INPUT_ROLES:
            assert column.timing is Timing.BEFORE
            assert "tslamKnownInFuture" in written[column.name]


def test_every_contract_file_is_odcs() -> None:
    standard = files("open_data_contract_standard").joinpath("schema.json").read_text()
    validator = jsonschema.Draft201909Validator(json.loads(standard))
    found = sorted((ROOT / "contracts").glob("*.odcs.yaml"))
    assert {path.name.removesuffix(".odcs.yaml") for path in found} == set(PLANTS)
    for path in found:
        validator.validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        newer = Contract.from_odcs(path).to_odcs(version="v3.2.0", latents=["latent_0"])
        validator.validate(yaml.safe_load(newer))
        assert Contract.from_odcs(newer) == Contract.from_odcs(path)


def test_importing_the_room_takes_no_heavy_library_along() -> None:
    heavy = ["pandera", "pandas", "torch", "ruamel.yaml", "pyarrow", "numba", "scipy"]
    code = f"import sys, tslam.contract; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
