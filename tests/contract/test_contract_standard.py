"""Against the standard itself, and the linter that comes with it: `make standards` fetches both."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tslam.contract import Column, Contract
from tslam.contract.odcs import convert
from tslam.errors import ContractError

pytestmark = pytest.mark.standards

ROOT = Path(__file__).parents[2]
TELEMETRY = """\
- name: telemetry_of_tslam
  properties:
    - name: at
      logicalType: timestamp
      customProperties: [{property: tslamRole, value: time}]
    - name: level
      logicalType: number
      customProperties: [{property: tslamRole, value: observation}]
    - name: valve
      logicalType: number
      customProperties: [{property: tslamRole, value: action}]
"""


@pytest.fixture(scope="module")
def standard() -> Path:
    folder = os.environ.get("TSLAM_ODCS")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TSLAM_ODCS names no checkout of the standard: make standards fetches one")
    return Path(folder)


def examples(standard: Path) -> list[Path]:
    found = sorted((standard / "docs" / "examples").rglob("*.odcs.yaml"))
    assert found
    return found


def with_telemetry(text: str) -> str:
    """An example with one more table, which tslam reads."""
    listed = re.search(r"^schema: *(\[\])?[^\n]*\n(?: *#[^\n]*\n|\n)*( *)(-)?", text, re.MULTILINE)
    if listed is None:
        return f"{text.rstrip()}\nschema:\n{TELEMETRY}"
    indent = listed[2] if listed[3] else "  "
    table = "".join(f"{indent}{line}\n" for line in TELEMETRY.splitlines())
    rest = text[listed.start(2) :] if listed[3] else text[listed.end() :]
    return f"{text[: listed.start()]}schema:\n{table}{rest}"


def test_the_examples_of_the_standard_come_back_as_they_were(standard: Path) -> None:
    for path in examples(standard):
        as_it_was = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert yaml.safe_load(convert(path)) == as_it_was, path.name
        there = convert(path, version="v3.2.0")
        assert yaml.safe_load(there) == as_it_was | {"apiVersion": "v3.2.0"}, path.name


def test_an_example_with_a_table_of_telemetry_is_read_changed_and_kept(standard: Path) -> None:
    for path in examples(standard):
        text = with_telemetry(path.read_text(encoding="utf-8"))
        contract = Contract.from_odcs(text)
        assert (contract.time, contract.actions) == ("at", ("valve",)), path.name
        assert contract.to_odcs() == text, path.name
        grown = contract.with_columns([Column(name="pump", role="action", unit="%")])
        before, after = yaml.safe_load(text), yaml.safe_load(grown.to_odcs())
        pump = after["schema"][0]["properties"].pop()
        assert pump["name"] == "pump"
        assert after == before, path.name
        assert Contract.from_odcs(grown.to_odcs()) == grown


def test_a_table_comes_back_as_it_was_or_is_refused_with_its_place(standard: Path) -> None:
    read: list[bool] = []
    for path in examples(standard):
        names: list[Any] = [t["name"] for t in yaml.safe_load(path.read_text("utf-8")).get("schema") or []]
        for name in names[:6] or [None]:
            try:
                contract = Contract.from_odcs(path, table=name)
            except ContractError as refused:
                placed = re.match(rf"{re.escape(str(path))}, line \d+, column \d+", str(refused))
                read.append(placed is not None)
            else:
                read.append(contract.to_odcs() == path.read_text("utf-8"))
    assert all(read)


def test_our_contracts_meet_the_published_schema(standard: Path) -> None:
    schema = (standard / "schema" / "odcs-json-schema-v3.1.0.json").read_text(encoding="utf-8")
    validator = jsonschema.Draft201909Validator(json.loads(schema))
    for path in sorted((ROOT / "contracts").glob("*.odcs.yaml")):
        contract = Contract.from_odcs(path)
        assert contract.to_odcs() == path.read_text(encoding="utf-8")
        validator.validate(yaml.safe_load(contract.to_odcs(latents=["latent_0"])))


def test_our_contracts_lint_with_the_cli_of_the_standard(tmp_path: Path) -> None:
    linter = os.environ.get("TSLAM_DATACONTRACT") or shutil.which("datacontract")
    if linter is None:
        pytest.skip("TSLAM_DATACONTRACT names no datacontract-cli: .ci/run and make standards install it")
    for path in sorted((ROOT / "contracts").glob("*.odcs.yaml")):
        newer = tmp_path / path.name
        Contract.from_odcs(path).to_odcs(newer, version="v3.2.0", latents=["latent_0"])
        for file in (path, newer):
            done = subprocess.run([linter, "lint", str(file)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
