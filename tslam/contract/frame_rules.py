"""What a contract asks of the values of one column, said once for polars and for pandas."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from tslam.contract.model import Column
from tslam.contract.roles import Kind, Role

__all__ = ["Family", "Rule", "families", "rules"]

Family = Literal["number", "boolean", "text", "time", "empty", "other"]
"""Types that a rule tells apart; ``empty`` is a column whose type is that of null."""

_MEASURED: frozenset[Family] = frozenset({"number", "boolean", "empty"})
_NAMED: frozenset[Family] = frozenset({"number", "boolean", "text"})


@dataclass(frozen=True)
class Rule:
    """One demand on values that are there. ``holds`` takes a polars expression or a pandas series."""

    name: str
    expected: str
    holds: Callable[[Any], Any]


def families(column: Column) -> frozenset[Family]:
    """Families that the column may have."""
    if column.role is Role.TIME:
        return frozenset({"number"} if column.kind is Kind.CONTINUOUS else {"time", "number"})
    if column.role is Role.SERIES:
        return _NAMED
    if column.role is Role.OBSERVATION or column.kind in {Kind.CONTINUOUS, Kind.CIRCULAR, Kind.BOOLEAN}:
        return _MEASURED
    return _MEASURED | _NAMED


def rules(column: Column, family: Family) -> list[Rule]:
    """What is asked of the values, given what they are; numbers and booleans are compared as numbers."""
    if column.role is Role.SERIES or family in {"time", "empty", "other"}:
        return []
    wanted = []
    if family == "number":
        wanted.append(Rule("finite", "a finite number", lambda values: values.abs() < math.inf))
    low, high = column.minimum, column.maximum
    if family != "text" and low is not None:
        wanted.append(Rule("minimum", f"at least {low:g}", lambda values: values >= low))
    if family != "text" and high is not None:
        wanted.append(Rule("maximum", f"at most {high:g}", lambda values: values <= high))
    if family == "number" and column.kind is Kind.BOOLEAN:
        wanted.append(_one_of("boolean", [0.0, 1.0], "0 or 1"))
    if column.levels is not None:
        allowed = _texts(column.levels) if family == "text" else _numbers(column.levels)
        wanted.append(_one_of("levels", allowed, f"one of {', '.join(_texts(column.levels))}"))
    return wanted


def _one_of(name: str, allowed: list[Any], expected: str) -> Rule:
    return Rule(
        name,
        expected,
        lambda values: values.is_in(allowed) if isinstance(values, pl.Expr) else values.isin(allowed),
    )


def _texts(levels: tuple[str | float, ...]) -> list[str]:
    """Levels as text; 1 and '1' are one level, as they are where categories are encoded."""
    return [level if isinstance(level, str) else f"{level:.17g}" for level in levels]


def _numbers(levels: tuple[str | float, ...]) -> list[float]:
    found = []
    for level in levels:
        try:
            found.append(float(level))
        except ValueError:  # a level that is a word is not the value of any number
            continue
    return found
