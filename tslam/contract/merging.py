"""A contract together with role arguments: what they add, and where they contradict each other."""

from collections.abc import Mapping

import polars as pl

from tslam.contract.arguments import Columns, kind_seen, named
from tslam.contract.model import Column, Contract
from tslam.contract.roles import Role
from tslam.errors import RoleError

__all__ = ["merge"]


def merge(
    contract: Contract,
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
    """Add to a contract what the arguments say beyond it.

    Columns of the frame that neither names stay unused. Columns that the contract declares and the
    frame lacks stay in it: their absence is for the audit to report.

    Args:
        contract: what each column is.
        schema: columns of the frame and their polars types.
        actions: as in ``from_arguments``, and so the following.
        exog: columns that measure the outside world.
        observations: columns that show the response; none are added by default.
        ignore: columns to leave out.
        time: the time column.
        series: the column that tells one series from another.
        freq: cadence.

    Returns:
        The contract, and what the caller should be told, one plain sentence each.

    Raises:
        RoleError: the arguments contradict the contract or themselves, or the clock is not in the frame.
    """
    known = {column.name: column for column in contract.columns}
    # A declared column that the frame lacks may be named again; its type is what nothing contradicts.
    types = dict.fromkeys(known, pl.Null()) | dict(schema)
    given = named(types, actions=actions, exog=exog, observations=observations, ignore=ignore, series=series)
    if time is not None and time != contract.time:
        raise RoleError(
            f"The contract {contract.name!r} has the time column {contract.time!r} and the argument says "
            f"time={time!r}. Leave the argument away, or change the contract."
        )
    columns = [
        _both(contract, known[name], column) if name in known else kind_seen(column, schema[name])
        for name, column in given.items()
    ]
    cadence = None if freq is None else str(freq)
    if None not in (cadence, contract.freq) and cadence != contract.freq:
        raise RoleError(
            f"The contract {contract.name!r} has freq {contract.freq!r} and the argument says "
            f"freq={cadence!r}. Leave the argument away, or change the contract."
        )
    for name in filter(None, (contract.time, contract.series)):
        if name not in schema:
            raise RoleError.unknown_column(name, known[name].role.value, schema)
    merged = contract.with_columns(columns).model_copy(update={"freq": cadence or contract.freq})
    return merged, _notes(merged, schema)


def _both(contract: Contract, declared: Column, given: Column) -> Column:
    """The declared column with what the argument says beyond it."""
    if declared.role is not given.role:
        raise RoleError(
            f"Column {declared.name!r} has the role {declared.role.value!r} in the contract "
            f"{contract.name!r} and {given.role.value!r} in the arguments. Leave it away there, or change "
            "the contract."
        )
    update = {}
    for field in sorted(given.model_fields_set):
        old, new = getattr(declared, field), getattr(given, field)
        if old not in (new, Column.model_fields[field].default):
            raise RoleError(
                f"Column {declared.name!r} has {field} {old!r} in the contract {contract.name!r} and {new!r} "
                "in the arguments. Leave it away there, or change the contract."
            )
        update[field] = new
    return Column.model_validate(declared.model_dump() | update)


def _notes(contract: Contract, schema: Mapping[str, pl.DataType]) -> tuple[str, ...]:
    names = {column.name for column in contract.columns}
    unused = [name for name in schema if name not in names]
    lacking = [
        c.name for c in contract.columns if c.required and c.role is not Role.IGNORE and c.name not in schema
    ]
    notes = []
    if unused:
        notes.append(
            f"Not used, since the contract {contract.name!r} does not declare them: {', '.join(unused)}."
        )
    if lacking:
        notes.append(
            f"Declared by the contract {contract.name!r} and not in the frame: {', '.join(lacking)}."
        )
    return tuple(notes)
