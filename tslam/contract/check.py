"""A frame held against its contract: every failure, with its row and value."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from numbers import Integral
from pathlib import Path
from typing import Any

import polars as pl
from narwhals.dependencies import is_pandas_dataframe
from pydantic import Field

from tslam.contract.arrow import disguised
from tslam.contract.frame_rules import Family, families, rules
from tslam.contract.frame_schema import (
    Place,
    family_in_pandas,
    family_in_polars,
    family_of,
    pandas_failures,
    polars_failures,
)
from tslam.contract.frames import to_polars, with_index
from tslam.contract.frozen import Frozen
from tslam.contract.model import Column, Contract
from tslam.contract.parquet import scan
from tslam.contract.roles import Role
from tslam.contract.streaming import height, streamed_failures
from tslam.errors import ContractError, FrameError

__all__ = ["CheckResult", "Failure", "FailureCount", "check"]

_ALWAYS = {
    "present": "a column of that name",
    "not_null": "a value in every row",
    "unique": "each stamp once",
}


class Failure(Frozen):
    """One value, or one column, that does not meet the contract."""

    column: str
    check: str = Field(description="What was asked", examples=["present", "type", "maximum", "unique"])
    expected: str = Field(description="What the contract expects", examples=["at most 5"])
    row: int | None = Field(None, description="Row of the frame, counted from 0; None: the whole column")
    value: str | float | int | bool | None = Field(
        None, description="What was found; stamps as ISO 8601 text"
    )


class FailureCount(Frozen):
    """How many values of a column fail one check."""

    column: str
    check: str
    count: int


class CheckResult(Frozen):
    """What came of holding a frame against a contract."""

    contract: str = Field(description="Name of the contract")
    rows: int = Field(description="Rows of the frame")
    failures: tuple[Failure, ...] = Field(description="At most `limit` for each column and check, in order")
    counts: tuple[FailureCount, ...] = Field(description="All failures, counted by column and check")

    @property
    def ok(self) -> bool:
        """Does the frame meet the contract?"""
        return not self.counts

    @property
    def total(self) -> int:
        """Number of failures, also of those that are not listed."""
        return sum(count.count for count in self.counts)

    def raise_if_failed(self) -> None:
        """Complain about a frame that does not meet the contract.

        Raises:
            ContractError: there are failures; the message has the first of each column and check.
        """
        if self.ok:
            return
        first = {(f.column, f.check): f for f in reversed(self.failures)}
        lines = []
        for count in self.counts:
            failure = first[count.column, count.check]
            where = "" if failure.row is None else f" in row {failure.row}"
            more = f" and {count.count - 1:,} more" if count.count > 1 else ""
            found = "nothing" if failure.value is None else repr(failure.value)
            lines.append(f"{failure.column}: found {found}{where}{more}, expected {failure.expected}")
        raise ContractError(
            f"The frame ({self.rows:,} rows) does not meet the contract {self.contract!r}: "
            f"{'; '.join(lines)}. Mend the data, or the contract where it is wrong."
        )


def check(frame: Any, contract: Contract, *, limit: int = 100) -> CheckResult:
    """Hold a frame against a contract.

    Asked are: is the column there, is its type that of its role, are its numbers finite and in range,
    its levels known, has every row a time and a series, and each series each time once; and do the field
    metadata of Arrow and Parquet say of no measured column that it was inferred. Columns with
    the role ``ignore``, and columns that the contract does not name, are not looked at.

    Args:
        frame: polars or pandas frame, Arrow table, LazyFrame, or a path, folder or glob of Parquet files.
            The last two are read a column at a time and never held whole. A pandas index of time stamps
            counts as the time column.
        contract: what to hold it against.
        limit: most failures that are listed for each column and check; all are counted.

    Raises:
        FrameError: this is not a frame, or a column stands in it twice.
    """
    inferred: list[Place] = [(name, "role", None) for name in disguised(frame, contract)]
    if isinstance(frame, str | Path):
        frame = scan(str(frame))
    if isinstance(frame, pl.LazyFrame):
        return _streamed(frame, contract, limit, inferred)
    rows: Any = _opened(frame, contract)
    family_in: Callable[[Any], Family] = family_in_polars
    failures_of: Callable[[Any, Contract, dict[str, Family]], list[Place]] = polars_failures
    if is_pandas_dataframe(rows):
        family_in, failures_of = family_in_pandas, pandas_failures
    seen = {name: family_in(rows[name]) for name in rows.columns}
    fit, places = _sorted_out(contract, seen)
    places = _ordered(inferred + places + failures_of(rows, contract, fit), contract)
    counts = Counter((name, asked_of) for name, asked_of, _ in places)
    return CheckResult(
        contract=contract.name,
        rows=len(rows),
        failures=tuple(_listed(places, rows, contract, seen, limit)),
        counts=tuple(FailureCount(column=c, check=name, count=n) for (c, name), n in counts.items()),
    )


def _sorted_out(contract: Contract, seen: dict[str, Family]) -> tuple[dict[str, Family], list[Place]]:
    """Columns whose values can be looked at, and those that are not there or of a type that cannot be."""
    asked = [column for column in contract.columns if column.role is not Role.IGNORE]
    fit = {c.name: seen[c.name] for c in asked if c.name in seen and seen[c.name] in families(c)}
    places: list[Place] = [(c.name, "present", None) for c in asked if c.required and c.name not in seen]
    return fit, places + [(c.name, "type", None) for c in asked if c.name in seen and c.name not in fit]


def _streamed(lazy: pl.LazyFrame, contract: Contract, limit: int, inferred: list[Place]) -> CheckResult:
    """The same of a frame that is read in parts, with the failures beyond the limit counted only."""
    seen = {name: family_of(dtype) for name, dtype in _schema(lazy).items()}
    fit, places = _sorted_out(contract, seen)
    listed: dict[tuple[str, str], tuple[int, list[Failure]]] = {}
    for name, asked, _ in inferred + places:
        listed[name, asked] = 1, list(_listed([(name, asked, None)], lazy, contract, seen, limit))
    for name, asked, count, first in streamed_failures(lazy, contract, fit, limit):
        values = first.rename({"value": name})
        found = _listed([(name, asked, at) for at in range(len(first))], values, contract, seen, limit)
        rows = first["row"].to_list()
        listed[name, asked] = (
            count,
            [failure.model_copy(update={"row": row}) for failure, row in zip(found, rows, strict=True)],
        )
    order = [place[:2] for place in _ordered([(*key, None) for key in listed], contract)]
    return CheckResult(
        contract=contract.name,
        rows=height(lazy),
        failures=tuple(failure for key in order for failure in listed[key][1]),
        counts=tuple(FailureCount(column=c, check=name, count=listed[c, name][0]) for c, name in order),
    )


def _schema(lazy: pl.LazyFrame) -> pl.Schema:
    try:
        return lazy.collect_schema()
    except pl.exceptions.PolarsError as found:
        raise FrameError(f"The frame cannot be read: {found}. Check that its files are whole.") from found


def _opened(frame: Any, contract: Contract) -> Any:
    """The frame, with the time and the series as columns where they stand in a pandas index."""
    if is_pandas_dataframe(frame):
        return with_index(frame, contract.time, {contract.time, contract.series or contract.time})
    return to_polars(frame)


def _ordered(places: Iterable[Place], contract: Contract) -> list[Place]:
    """By the contract's order of columns, then by check, then by row."""
    position = {column.name: index for index, column in enumerate(contract.columns)}
    return sorted(
        places, key=lambda place: (position[place[0]], place[1], -1 if place[2] is None else place[2])
    )


def _listed(
    places: list[Place], rows: Any, contract: Contract, seen: dict[str, Family], limit: int
) -> Iterable[Failure]:
    listed: Counter[tuple[str, str]] = Counter()
    for name, asked, row in places:
        listed[name, asked] += 1
        if listed[name, asked] > limit:
            continue
        family = seen.get(name)
        value = (
            Role.LATENT.value
            if asked == "role"
            else family
            if row is None
            else None
            if asked == "not_null"
            else _value(rows, name, row)
        )
        expected = _expected(contract.column(name), asked, family)
        yield Failure(column=name, check=asked, expected=expected, row=row, value=value)


def _expected(column: Column, asked: str, family: Family | None) -> str:
    if asked == "role":
        return f"a column of the role {column.role.value!r}, not an inferred latent"
    if asked == "type":
        return f"{' or '.join(sorted(families(column)))} for the role {column.role.value!r}"
    said = {rule.name: rule.expected for rule in rules(column, family)} if family else {}
    return (_ALWAYS | said).get(asked, asked)


def _value(frame: Any, name: str, row: int) -> str | float | int | bool | None:
    """A value as plain Python, the same whichever kind of frame it came from."""
    value = frame[name][row] if isinstance(frame, pl.DataFrame) else frame[name].iloc[row]
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00.000000"
    if isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if hasattr(value, "__float__"):
        return float(value) if math.isfinite(value) else str(float(value))
    return str(value)
