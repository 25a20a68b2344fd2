"""p-values of single questions on records where the answer is no, each under its own null.

A column of another record of the same kind has no effect on this one: the null of `following`. Nothing
unlogged moves in a clean record: the null of the shared axis, and of what follows a move. One ground and no
fit, so that a thousand records are affordable.
"""

from typing import Any

import numpy as np
import polars as pl
from clean import group
from records import KINDS, keys, rows_of

from tslam.audit.following import following
from tslam.audit.ground import Ground, lay_ground
from tslam.audit.lag_scan import EARLIEST, LATEST
from tslam.audit.moves import find_moves
from tslam.contract import from_arguments
from tslam.panel import build
from tslam.panel.chain import Structure
from tslam.plants import Record

__all__ = ["cell", "group", "levels", "wanted"]

_APART = 500_000
"""Seeds between a record and the one that its idle column comes from."""
_LEVEL = 0.05
_IDLE = "idle"


def wanted(count: int, first: int) -> list[str]:
    """Keys of the records, seeds that no other question has."""
    return keys(count, first + 2000)


def cell(key: str) -> dict[str, Any]:
    """p-values of one record, None where a question could not be asked."""
    kind, text = key.split("/")
    seed = int(text)
    record = KINDS[kind](rows_of(seed), seed)
    other = KINDS[kind](rows_of(seed), seed + _APART)
    ground = _ground(record, other.frame[other.roles()["actions"][0]].alias(_IDLE))
    follows = following(ground, _IDLE, EARLIEST, LATEST, worth=0.0)
    moves = find_moves(ground)
    return {
        "p": {
            "no effect at any lag": None if follows is None else follows.p,
            "no shared axis": None if moves is None else moves.axial_p,
            "nothing follows a move": None if moves is None else moves.follow.p,
        }
    }


def levels(cells: list[dict[str, Any]]) -> dict[str, tuple[int, float]]:
    """Per question and kind: p-values, and the share of them below .05."""
    found: dict[str, list[float]] = {}
    for one in cells:
        for question, p in one["p"].items():
            if p is not None:
                found.setdefault(f"{question}, all", []).append(p)
                found.setdefault(f"{question}, {group(one['key'])}", []).append(p)
    return {name: (len(p), float(np.mean(np.array(p) < _LEVEL))) for name, p in sorted(found.items())}


def _ground(record: Record, idle: pl.Series) -> Ground:
    """The ground of a record that logs one more action, which does nothing."""
    roles = record.roles()
    rows = min(record.frame.height, len(idle))
    frame = record.frame.head(rows).with_columns(idle.head(rows))
    contract, _ = from_arguments(dict(frame.schema), **roles | {"actions": [*roles["actions"], _IDLE]})
    return lay_ground(build(frame, contract), Structure(4, 2))
