"""A lazy frame held against its contract, a column at a time: the same failures, in the memory of one."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from tslam.contract.frame_rules import Family, Rule, rules
from tslam.contract.frame_schema import keys_of, ready
from tslam.contract.model import Contract
from tslam.contract.roles import Role
from tslam.errors import FrameError

__all__ = ["Broken", "height", "streamed_failures"]

Broken = tuple[str, str, int, pl.DataFrame]
"""Column, check, number of failures, and the first of them: ``row``, counted from 0, and ``value``."""

_ROW = "row"
_VALUE = "value"


def height(lazy: pl.LazyFrame) -> int:
    """Number of rows.

    Raises:
        FrameError: the frame cannot be read.
    """
    return int(_collected(lazy.select(pl.len())).item())


def streamed_failures(
    lazy: pl.LazyFrame, contract: Contract, found: dict[str, Family], limit: int
) -> Iterator[Broken]:
    """Failures of the columns in ``found`` (their families), by column and check.

    Every column is read by itself and in parts, so Parquet files of any length are checked in the memory
    that one column takes: 8 bytes a row for the question whether stamps repeat, less for all others.

    Raises:
        FrameError: the frame cannot be read.
    """
    for name, family in found.items():
        column = contract.column(name)
        asked = rules(column, family)
        if column.role in {Role.TIME, Role.SERIES}:
            asked.append(Rule("not_null", "", lambda values: values.is_not_null()))
        values = ready(pl.col(name), family)
        broken = {rule.name: ~rule.holds(values) for rule in asked}
        if broken:
            counts = _collected(lazy.select(fails.sum().alias(key) for key, fails in broken.items()))
            for key, fails in broken.items():
                if count := int(counts[key][0] or 0):
                    yield name, key, count, _first(lazy, name, fails, limit)
        if column.role is Role.TIME:
            yield from _repeated(lazy, contract, found, limit)


def _first(lazy: pl.LazyFrame, name: str, fails: pl.Expr, limit: int) -> pl.DataFrame:
    numbered = lazy.select(pl.col(name).alias(_VALUE), fails.alias("fails")).with_row_index(_ROW)
    return _collected(numbered.filter("fails").select(_ROW, _VALUE).head(limit))


def _repeated(
    lazy: pl.LazyFrame, contract: Contract, found: dict[str, Family], limit: int
) -> Iterator[Broken]:
    """Stamps that stand twice: those whose hashes do, and which then are compared as they are."""
    keys = keys_of(contract, found)
    whole = ~pl.any_horizontal(pl.col(keys).is_null())
    keyed = lazy.select(ready(pl.col(key), found[key]).alias(key) for key in keys).with_row_index(_ROW)
    hashed = keyed.filter(whole).with_columns(pl.struct(keys).hash().alias("hash"))
    hashes = _collected(hashed.select("hash"))["hash"].to_numpy(writable=True)
    hashes.sort()
    twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    del hashes
    if not len(twice):
        return
    suspects = _collected(hashed.filter(pl.col("hash").is_in(pl.Series(twice).implode())).drop("hash"))
    rows = suspects.filter(pl.struct(keys).is_duplicated())[_ROW].sort()
    if not len(rows):
        return
    numbered = lazy.select(pl.col(contract.time).alias(_VALUE)).with_row_index(_ROW)
    first = _collected(numbered.filter(pl.col(_ROW).is_in(rows.head(limit).implode())))
    yield contract.time, "unique", len(rows), first


def _collected(lazy: pl.LazyFrame) -> pl.DataFrame:
    try:
        collected: pl.DataFrame = lazy.collect(engine="streaming")
    except pl.exceptions.PolarsError as found:
        raise FrameError(
            f"The frame cannot be read: {found}. Check that its files are whole and agree on their types."
        ) from found
    return collected
