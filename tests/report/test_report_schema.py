"""The JSON Schema that readers in other languages go by."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tslam.report import GapReport
from tslam.report.schema import main, schema

KEPT = Path(__file__).parents[2] / "contracts" / "schema" / "gap_report.schema.json"


def test_the_kept_schema_is_up_to_date() -> None:
    assert json.loads(KEPT.read_text()) == schema(), "run python -m tslam.report.schema"


def test_every_report_meets_the_schema(any_report: GapReport) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(json.loads(any_report.to_json()))


def test_the_schema_is_written_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main([str(tmp_path / "here.json")])
    assert json.loads((tmp_path / "here.json").read_text()) == schema()
    monkeypatch.chdir(tmp_path)
    main([])
    assert (tmp_path / "contracts" / "schema" / "gap_report.schema.json").exists()
