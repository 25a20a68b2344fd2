"""The JSON Schemas of a contract and of an action event, for whoever reads or writes them with other tools.

``python -m tslam.contract.schema [folder]`` writes them.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel

from tslam.contract.event import ActionEvent
from tslam.contract.model import Contract

__all__ = ["FILES", "TEXTS", "event_text", "main", "schema_text"]

FOLDER = Path("contracts/schema")
FILES = {"contract": "contract.schema.json", "event": "action_event.schema.json"}


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) of ``Contract``, as text."""
    return _text(Contract)


def event_text() -> str:
    """The JSON Schema (draft 2020-12) of ``ActionEvent``, as text."""
    return _text(ActionEvent)


TEXTS: dict[str, Callable[[], str]] = {"contract": schema_text, "event": event_text}


def main(arguments: Sequence[str] = ()) -> None:
    """Write the schemas into a folder (by default ``contracts/schema``)."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for of, file in FILES.items():
        (folder / file).write_text(TEXTS[of](), encoding="utf-8")


def _text(model: type[BaseModel]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
