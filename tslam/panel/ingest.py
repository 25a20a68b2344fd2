"""The door for frames: whatever the caller has becomes a polars frame, and results go back in kind."""

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from narwhals.dependencies import is_pandas_dataframe

from tslam.contract.arrow import PANDAS_KEY, ROLE_KEY, refuse_disguised
from tslam.contract.model import Contract
from tslam.contract.parquet import scan
from tslam.contract.roles import INPUT_ROLES, Role
from tslam.errors import FrameError, RoleError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FrameKind", "back", "columns", "read"]

FrameKind = Literal["polars", "pandas", "arrow"]

_USED = frozenset({Role.TIME, Role.SERIES, Role.OBSERVATION, Role.ACTION, Role.EXOGENOUS})


def columns(source: Any) -> dict[str, pl.DataType]:
    """Names and types of the columns of a source; files and lazy frames are not read for it.

    Args:
        source: Polars or pandas frame, LazyFrame, Arrow table, or a path or glob of Parquet.

    Raises:
        FrameError: the source is not a frame, or cannot be read.
    """
    if is_pandas_dataframe(source):
        frame = _with_index(source, "time")
        return {name: _pandas_dtype(frame[name]) for name in frame.columns}
    return dict(_schema(_lazy(source)[0]))


def read(source: Any, contract: Contract) -> tuple[pl.DataFrame, FrameKind]:
    """The columns that the contract names, in its order, with the caller's rows in the caller's order.

    A pandas index of time stamps or periods counts as the time column. Other columns are not read.

    Args:
        source: Polars or pandas frame, LazyFrame, Arrow table, or a path or glob of Parquet.
        contract: Says which columns are used. Ignored and latent columns stay where they are.

    Returns:
        The frame, and the kind that results are handed back in.

    Raises:
        RoleError: a column that the contract requires is not there, or says that it holds an inferred latent.
        FrameError: the source is not a frame, or cannot be read.
    """
    refuse_disguised(os.fspath(source) if isinstance(source, os.PathLike) else source, contract)
    if is_pandas_dataframe(source):
        frame = _with_index(source, contract.time)
        return pl.DataFrame(
            [_from_pandas(frame[name]) for name in _wanted(contract, frame.columns)]
        ), "pandas"
    lazy, kind = _lazy(source)
    names = _wanted(contract, _schema(lazy))
    try:
        return lazy.select(names).collect(), kind
    except pl.exceptions.PolarsError as error:
        raise FrameError(
            f"The columns {names} cannot be read: {error}. "
            "Check that the source is whole and that its files agree on the types of these columns."
        ) from error


def back(frame: pl.DataFrame, like: FrameKind, *, roles: Mapping[str, str] | None = None) -> Any:
    """A result in the caller's kind of frame; time zones stay.

    Args:
        frame: The result.
        like: The kind that ``read`` found.
        roles: Roles of columns, such as ``{"latent_0": "latent"}``, written where the kind has a place
            for them: field metadata of Arrow (``tslam.role``), ``attrs`` of pandas (``tslam.roles``).

    Returns:
        A polars frame, a pandas frame or an Arrow table.
    """
    known = dict(roles or {})
    if like == "pandas":
        result = frame.to_pandas()
        result.attrs[PANDAS_KEY] = known
        return result
    if like == "arrow":
        table = frame.to_arrow()
        schema = table.schema
        for i, name in enumerate(table.column_names):
            if name in known:
                schema = schema.set(i, schema.field(i).with_metadata({ROLE_KEY: known[name]}))
        return table.cast(schema)
    return frame


def _wanted(contract: Contract, available: Iterable[str]) -> list[str]:
    present = set(available)
    wanted = [c for c in contract.columns if c.role in _USED]
    for column in wanted:
        # an input that is declared and not there is a gap for the audit to tell, as an empty one is
        optional = column.role in INPUT_ROLES or not column.required
        if column.name not in present and (column.role in {Role.TIME, Role.SERIES} or not optional):
            raise RoleError.unknown_column(column.name, column.role.value, available)
    return [c.name for c in wanted if c.name in present]


def _lazy(source: Any) -> tuple[pl.LazyFrame, FrameKind]:
    if isinstance(source, pl.LazyFrame):
        return source, "polars"
    if isinstance(source, pl.DataFrame):
        return source.lazy(), "polars"
    if isinstance(source, str | os.PathLike):
        return scan(os.fspath(source)), "polars"
    if hasattr(source, "__arrow_c_stream__"):
        return _from_arrow(source).lazy(), "arrow"
    raise FrameError(
        f"A {type(source).__module__}.{type(source).__qualname__} is not a frame. Give a polars or pandas "
        "frame, a LazyFrame, an Arrow table, or a path or glob of Parquet files."
    )


def _from_arrow(source: Any) -> pl.DataFrame:
    try:
        return pl.DataFrame(source)
    except pl.exceptions.PolarsError as error:
        raise FrameError(
            f"The Arrow table cannot be read: {error}. Cast the column that it names."
        ) from error


def _schema(lazy: pl.LazyFrame) -> pl.Schema:
    try:
        return lazy.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise FrameError(
            f"The source cannot be read: {error}. Check that its files are whole Parquet files."
        ) from error


def _with_index(frame: "pd.DataFrame", time: str) -> "pd.DataFrame":
    """The frame with text column names; index levels that are named, or that tell the time, are columns."""
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FrameError(f"Columns {twice} stand more than once in the frame. Rename or drop the copies.")
    frame = frame.set_axis(names, axis=1)
    for level in range(frame.index.nlevels):
        values = frame.index.get_level_values(level)
        temporal = values.dtype.kind == "M" or str(values.dtype).startswith("period")
        name = values.name if values.name is not None else time if temporal else None
        if name is not None and str(name) not in names:
            frame = frame.assign(**{str(name): values.to_series(index=frame.index)})
    return frame


def _from_pandas(column: "pd.Series[Any]") -> pl.Series:
    if str(column.dtype).startswith("period"):
        column = column.dt.to_timestamp()
    if (zone := getattr(column.dtype, "tz", None)) is not None:
        return _zoned(pl.from_pandas(column.dt.tz_convert(None).reset_index(drop=True)), str(zone))
    try:
        return pl.from_pandas(column.reset_index(drop=True))
    except (ValueError, TypeError) as error:
        raise FrameError(
            f"Column {str(column.name)!r} mixes types that do not go together: {error}. Give it one type, "
            "or name it in ignore."
        ) from error


def _zoned(utc: pl.Series, zone: str) -> pl.Series:
    """Stamps in their zone; where polars does not know it (a bare offset), the same instants in UTC."""
    stamps = utc.dt.replace_time_zone("UTC")
    try:
        return stamps.dt.convert_time_zone(zone)
    except pl.exceptions.ComputeError:
        return stamps


def _pandas_dtype(column: "pd.Series[Any]") -> pl.DataType:
    try:
        return _from_pandas(column if column.dtype == object else column.iloc[:0]).dtype
    except FrameError:
        return pl.Object()
