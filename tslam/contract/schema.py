"""The JSON Schema of a contract, for whoever reads or writes contracts with other tools.

``python -m tslam.contract.schema [folder]`` writes it.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tslam.contract.model import Contract

__all__ = ["main", "schema_text"]

FOLDER = Path("contracts/schema")
FILE = "contract.schema.json"


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) of ``Contract``, as text."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Contract.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] = ()) -> None:
    """Write the schema into a folder (by default ``contracts/schema``)."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
