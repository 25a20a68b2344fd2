"""The JSON Schema of the report, for readers in other languages: ``python -m tslam.report.schema``."""

import json
import sys
from pathlib import Path
from typing import Any

from tslam.report.model import SCHEMA_VERSION, GapReport
from tslam.report.save import save

__all__ = ["main", "schema", "schema_text"]

_PLACE = Path("contracts/schema/gap_report.schema.json")


def schema() -> dict[str, Any]:
    """The JSON Schema of what ``GapReport.to_json`` writes."""
    made = GapReport.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"layout {SCHEMA_VERSION}",
    } | made


def schema_text() -> str:
    """The schema as text."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> None:
    """Write the schema to the path given, or to its place in the repository."""
    save(schema_text(), arguments[0] if arguments else _PLACE)


if __name__ == "__main__":
    main(sys.argv[1:])
