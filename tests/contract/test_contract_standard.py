"""Against the standard itself: TSLAM_ODCS names a checkout of bitol-io/open-data-contract-standard."""

import json
import os
from pathlib import Path

import jsonschema
import pytest
import yaml

from tslam.contract import Contract
from tslam.contract.yaml_document import load, rewritten

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def standard() -> Path:
    folder = os.environ.get("TSLAM_ODCS")
    if not folder or not Path(folder).is_dir():
        pytest.skip(
            "the standard is not ours to copy: TSLAM_ODCS names no checkout of "
            "github.com/bitol-io/open-data-contract-standard"
        )
    return Path(folder)


def test_the_examples_of_the_standard_come_back_as_they_were(standard: Path) -> None:
    found = sorted((standard / "docs" / "examples").rglob("*.odcs.yaml"))
    assert found
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert yaml.safe_load(rewritten(load(text, path.name).data, text)) == yaml.safe_load(text), path.name


def test_our_contracts_meet_the_published_schema(standard: Path) -> None:
    schema = (standard / "schema" / "odcs-json-schema-v3.1.0.json").read_text(encoding="utf-8")
    validator = jsonschema.Draft201909Validator(json.loads(schema))
    for path in sorted((ROOT / "contracts").glob("*.odcs.yaml")):
        contract = Contract.from_odcs(path)
        assert contract.to_odcs() == path.read_text(encoding="utf-8")
        validator.validate(yaml.safe_load(contract.to_odcs(latents=["latent_0"])))
