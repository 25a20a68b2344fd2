"""A contract from plain arguments: names in, one role for every column of the frame out."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from tslam.contract.hints import TIME_NAMES, hint_of
from tslam.contract.model import Column, Contract
from tslam.contract.roles import INPUT_ROLES, Kind, Role, Timing
from tslam.errors import RoleError

__all__ = ["Columns", "Setting", "clock", "from_arguments", "kind_seen", "named"]

Setting = Column | Kind | Timing | str | Mapping[str, Any] | None
"""What is known about one column: its kind, its timing, several fields, or a whole ``Column``."""

Columns = str | Column | Iterable[str | Column] | Mapping[str, Setting]
"""Columns of one role: a name, several, or a mapping from names to what is known about them."""

_TEXT = (pl.String, pl.Categorical, pl.Enum)


def from_arguments(
    schema: Mapping[str, pl.DataType],
    *,
    actions: Columns = (),
    exog: Columns = (),
    observations: Columns | None = None,
    ignore: Columns = (),
    time: str | None = None,
    series: str | None = None,
    freq: str | float | None = None,
) -> tuple[Contract, tuple[str, ...]]:
    """Give every column of a frame one role.

    Args:
        schema: columns of the frame and their polars types, in order.
        actions: columns that log what was done.
        exog: columns that measure the outside world.
        observations: columns that show the response; by default every other numeric or boolean column.
        ignore: columns to leave out.
        time: the time column; by default the only date or datetime column, or else the only numeric
            column called like one (``time``, ``timestamp``, ``date``, ``datetime``, ``ts``, ``t``, ``ds``).
        series: the column that tells one series from another.
        freq: cadence, such as ``"10s"``, or a number of units of a numeric time.

    Returns:
        The contract, and what the caller should be told, one plain sentence each.

    Raises:
        RoleError: a column is not there, has two roles or a type that its role cannot have; there is
            no time column or there are several; or no observation is left.
    """
    given = named(schema, actions=actions, exog=exog, observations=observations, ignore=ignore, series=series)
    stamps = clock(schema, time, {name: column.role for name, column in given.items()})
    given[stamps] = Column(name=stamps, role=Role.TIME)
    notes: list[str] = []
    if observations is None:
        for name, dtype in schema.items():
            if name not in given and (dtype.is_numeric() or dtype == pl.Boolean):
                given[name] = Column(name=name, role=Role.OBSERVATION)
                notes += _suspicion(name)
    left = [name for name in schema if name not in given]
    notes += _left_out(schema, left)
    given |= {name: Column(name=name, role=Role.IGNORE) for name in left}
    columns = [kind_seen(given[name], dtype) for name, dtype in schema.items()]
    zone = getattr(schema[stamps], "time_zone", None)
    cadence = None if freq is None else str(freq)
    return Contract(columns=tuple(columns), freq=cadence, timezone=zone), tuple(notes)


def named(
    schema: Mapping[str, pl.DataType],
    *,
    actions: Columns = (),
    exog: Columns = (),
    observations: Columns | None = None,
    ignore: Columns = (),
    series: str | None = None,
) -> dict[str, Column]:
    """The columns that the arguments name, each with its one role.

    Raises:
        RoleError: a column is not in the frame, is named twice, or has a type that its role cannot have.
    """
    wanted = [
        *_columns(actions, Role.ACTION),
        *_columns(exog, Role.EXOGENOUS),
        *_columns(() if observations is None else observations, Role.OBSERVATION),
        *_columns(ignore, Role.IGNORE),
        *_columns(() if series is None else series, Role.SERIES),
    ]
    found: dict[str, Column] = {}
    for column in wanted:
        if column.name not in schema:
            raise RoleError.unknown_column(column.name, column.role.value, schema)
        if column.name in found:
            _refuse_second(column.name, found[column.name].role, column.role)
        _refuse_type(column, schema[column.name])
        found[column.name] = column
    return found


def kind_seen(column: Column, dtype: pl.DataType) -> Column:
    """The column with the kind that its type shows, where nobody has given one."""
    if column.role is Role.TIME and dtype.is_numeric():
        return column.model_copy(update={"kind": Kind.CONTINUOUS})
    if column.kind is not None or column.role not in {*INPUT_ROLES, Role.OBSERVATION}:
        return column
    if dtype == pl.Boolean:
        return column.model_copy(update={"kind": Kind.BOOLEAN})
    return column.model_copy(update={"kind": Kind.CATEGORICAL}) if dtype in _TEXT else column


def _columns(given: Columns, role: Role) -> list[Column]:
    if isinstance(given, str | Column):
        given = (given,)
    if isinstance(given, Mapping):
        return [_column(name, setting, role) for name, setting in given.items()]
    if not isinstance(given, Iterable):
        raise RoleError(
            f"The role {role.value!r} was given {given!r} ({type(given).__name__}). Give a column name, "
            "several, or a mapping from names to what is known about them."
        )
    return [
        _column(item.name, item, role) if isinstance(item, Column) else _column(item, None, role)
        for item in given
    ]


def _column(name: str, setting: Setting, role: Role) -> Column:
    if not isinstance(name, str):
        raise RoleError(
            f"The role {role.value!r} was given the column {name!r} ({type(name).__name__}). Column names "
            "are strings: rename the columns of the frame."
        )
    said: dict[str, Any] = {"name": name, "role": role}
    if isinstance(setting, Mapping):
        setting = Column(**(said | dict(setting)))
    if isinstance(setting, Column):
        if setting.name != name or setting.role is not role:
            raise RoleError(
                f"The role {role.value!r} was given the column {name!r}, described as {setting.name!r} with "
                f"the role {setting.role.value!r}. Give name and role once, or the same in both places."
            )
        return setting
    if setting is None:
        return Column(**said)
    for field, words in (("kind", tuple(Kind)), ("timing", tuple(Timing))):
        if setting in words:
            return Column(**said, **{field: setting})
    raise RoleError(
        f"Column {name!r} was given the setting {setting!r}. It takes a kind ({', '.join(Kind)}), a timing "
        f"({', '.join(Timing)}), a mapping of Column fields, or a Column."
    )


def _refuse_second(name: str, first: Role, second: Role) -> None:
    if first is second:
        raise RoleError(f"Column {name!r} is named twice as {first.value!r}. Name it once.")
    raise RoleError(
        f"Column {name!r} was given two roles, {first.value!r} and {second.value!r}. A column has one: "
        "take it out of the other."
    )


def _refuse_type(column: Column, dtype: pl.DataType) -> None:
    measured = dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)
    if column.role is Role.OBSERVATION and not measured:
        raise RoleError(
            f"Column {column.name!r} was given the role 'observation' and is {dtype}; observations are "
            "numbers. Cast it to a number, or ignore it."
        )
    if column.role in INPUT_ROLES and not measured and dtype not in _TEXT:
        raise RoleError(
            f"Column {column.name!r} was given the role {column.role.value!r} and is {dtype}; an input is a "
            "number, a boolean or a category. Cast it, or ignore it."
        )
    if column.role is Role.SERIES and (dtype.is_nested() or dtype.is_float()):
        raise RoleError(
            f"Column {column.name!r} was given the role 'series' and is {dtype}; a series is told by text, "
            "an integer or a category. Cast it."
        )


def clock(schema: Mapping[str, pl.DataType], time: str | None, taken: Mapping[str, Role]) -> str:
    """The time column: the one named, or the only one that can be it.

    Args:
        schema: columns of the frame and their types.
        time: the name, if any.
        taken: roles of the columns that are something else.

    Raises:
        RoleError: it is not there, is something else, has no type of a time, or cannot be told.
    """
    if time is not None:
        if time not in schema:
            raise RoleError.unknown_column(time, Role.TIME.value, schema)
        if time in taken:
            _refuse_second(time, Role.TIME, taken[time])
        if not _stamps(schema[time]) and not schema[time].is_numeric():
            raise RoleError(
                f"Column {time!r} was given the role 'time' and is {schema[time]}; time is a date, a "
                f"datetime or a number. Parse text with pl.col({time!r}).str.to_datetime()."
            )
        return time
    free = [name for name in schema if name not in taken]
    stamps = [name for name in free if _stamps(schema[name])]
    numbers = [name for name in free if schema[name].is_numeric() and name.lower() in TIME_NAMES]
    found = stamps or numbers
    if len(found) == 1:
        return found[0]
    if found:
        sort = "date or datetime columns" if stamps else "numeric columns called like a time"
        raise RoleError(
            f"The frame has several {sort}: {found}. Name the one that counts: time={found[0]!r}."
        )
    text = [name for name in free if schema[name] in _TEXT and name.lower() in TIME_NAMES]
    hint = f" {text[0]!r} is text: parse it with pl.col({text[0]!r}).str.to_datetime()." if text else ""
    raise RoleError(
        "The frame has no time column: none is a date or datetime, and no numeric one is called "
        f"{', '.join(sorted(TIME_NAMES))}. Name it, e.g. time='seconds'; the columns left are {free}.{hint}"
    )


def _stamps(dtype: pl.DataType) -> bool:
    return dtype in (pl.Datetime, pl.Date)


def _suspicion(name: str) -> list[str]:
    meaning = hint_of(name)
    if meaning not in ("a label", "an identifier"):
        return []
    return [
        f"Column {name!r} is used as an observation and reads like {meaning}: if it is, pass ignore={name!r}."
    ]


def _left_out(schema: Mapping[str, pl.DataType], left: list[str]) -> list[str]:
    notes = []
    text = [name for name in left if schema[name] in _TEXT]
    other = [name for name in left if name not in text]
    if text:
        notes.append(
            f"Not used, since they are text: {', '.join(text)}. Name a column in actions or exog to use it "
            "as a category, or as series where it tells series apart."
        )
    if other:
        notes.append("Not used: " + ", ".join(f"{name} ({schema[name]})" for name in other) + ".")
    return notes
