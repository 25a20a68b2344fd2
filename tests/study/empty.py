"""A declared action whose column is empty: is it found, and is the right column named for what stands in?"""

from typing import Any

import polars as pl
from asked import alarms, report, said
from records import changed, keys, record_of

__all__ = ["cell", "counts", "group", "wanted"]

_HIDDEN = {"missing_action", "log_outage"}


def wanted(count: int, first: int) -> list[str]:
    """Keys of the records, seeds that no other question has."""
    return keys(count, first + 4000)


def group(key: str) -> str:
    """What is counted together."""
    return key.split("/", maxsplit=1)[0]


def cell(key: str) -> dict[str, Any]:
    """One record without any value of one of its actions, which its contract still declares."""
    record = record_of(key)
    column = record.actions[record.seed % len(record.actions)]
    empty = changed(record, [pl.Series(column, [None] * record.frame.height, dtype=pl.Float64)])
    return {"gaps": said(report(empty)), "column": column}


def counts(found: list[dict[str, Any]]) -> dict[str, int]:
    """Records, those whose hidden action is told by a latent, and those where that names the right column."""
    told = [
        [g for g in alarms(c["gaps"]) if g["kind"] in _HIDDEN and g["stands_for"] is not None] for c in found
    ]
    right = [
        any(g["stands_for"] == c["column"] for g in gaps) for gaps, c in zip(told, found, strict=True) if gaps
    ]
    silent = sum(any(g["column"] == c["column"] for g in c["gaps"]) for c in found)
    return {"records": len(found), "column said to be empty": silent, "told": len(right), "right": sum(right)}
