"""Cells of the study: one line of JSON each, kept in a folder that git ignores, never computed twice."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".study"

Cell = dict[str, Any]


@cache
def version() -> str:
    """A digest of the library's rooms that the study runs: what a cell is of."""
    rooms = ("audit", "dynamics", "panel", "kernels")
    sources = [p for room in rooms for p in (ROOT / "tslam" / room).glob("*.py")]
    return sha256(b"".join(p.read_bytes() for p in sorted(sources))).hexdigest()[:8]


def cells(question: str) -> dict[str, Cell]:
    """What is there already, by key; a later line replaces an earlier one."""
    path = FOLDER / f"{question}.jsonl"
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {line["key"]: line for line in lines}


def fill(
    question: str,
    keys: Iterable[str],
    compute: Callable[[str], Cell],
    *,
    fresh: bool = False,
    until: float = 0.0,
) -> None:
    """Compute the cells that are missing.

    Args:
        question: Names the file.
        keys: Of the cells asked for; a key is all that a cell is computed from.
        compute: From a key to a cell.
        fresh: Compute anew what another version of the library computed.
        until: Time of day in seconds since the epoch at which to stop; 0: when all are there.
    """
    known = cells(question)
    todo = [k for k in keys if k not in known or (fresh and known[k]["version"] != version())]
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{question}.jsonl").open("a", encoding="utf-8") as out:
        for done, key in enumerate(todo):
            if until and time.time() > until:
                break
            began = time.process_time()
            cell = compute(key)
            line = {
                "key": key,
                "version": version(),
                "seconds": round(time.process_time() - began, 3),
                **cell,
            }
            out.write(json.dumps(line) + "\n")
            out.flush()
            if done % 20 == 0:
                print(f"{question}: {done + 1} of {len(todo)} missing, {key}", file=sys.stderr, flush=True)
