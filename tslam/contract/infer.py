"""A draft of a contract from a frame: a role and a reason for every column, for a person to correct."""

from typing import Any

import polars as pl
from narwhals.dependencies import is_pandas_dataframe

from tslam.contract.arguments import clock, kind_seen
from tslam.contract.frames import to_polars, with_index
from tslam.contract.hints import hint_of
from tslam.contract.latents import is_latent_name
from tslam.contract.model import Column, Contract
from tslam.contract.roles import Kind, Role

__all__ = ["infer"]

FEW_LEVELS = 20
"""Most different values of a column that is set from a few choices."""

HELD = 0.7
"""Least share of rows that repeat the row before, for a column that is set and then holds."""

SAMPLED = 0.9
"""Share of moves to a neighbouring level, or after the usual wait, from which a held column is measured."""

_TEXT = (pl.String, pl.Categorical, pl.Enum)


def infer(frame: Any, *, time: str | None = None) -> tuple[Contract, dict[str, str]]:
    """Draft a contract.

    What was set and what responded cannot be told from a column alone; the draft goes by how a column
    moves (few levels that hold, row numbers, nothing at all), and by its name where that is all there is.

    Args:
        frame: polars or pandas frame, LazyFrame (collected), or Arrow table.
        time: the time column, where several could be it.

    Returns:
        The draft, and for each column one sentence on why it has its role.

    Raises:
        RoleError: there is no time column, several could be it, or no observation is left.
        FrameError: this is not a frame.
    """
    rows = to_polars(with_index(frame, time or "time") if is_pandas_dataframe(frame) else frame)
    told = time is not None
    time = clock(rows.schema, time, {})
    series = _series(rows, time)
    drafted = {time: (Role.TIME, f"{_named(told)} ({rows.schema[time]}).")}
    if series is not None:
        drafted[series] = (Role.SERIES, "time stamps repeat in the frame and never within one of its values.")
    rows = rows.sort([series, time] if series is not None else [time])
    same = (pl.col(series) == pl.col(series).shift(1) if series is not None else pl.lit(value=True)).alias(
        "same"
    )
    inside = rows.select(same).to_series().fill_null(value=False)
    for name in rows.columns:
        if name not in drafted:
            drafted[name] = _role(rows[name], inside)
    columns = [_column(rows[name], *drafted[name]) for name in rows.columns]
    zone = getattr(rows.schema[time], "time_zone", None)
    reasons = {name: f"{role.value}: {why}" for name, (role, why) in drafted.items()}
    return Contract(columns=tuple(columns), timezone=zone), {name: reasons[name] for name in rows.columns}


def _named(told: bool) -> str:
    return "the column that was named" if told else "the only column that reads as a time"


def _column(values: pl.Series, role: Role, why: str) -> Column:
    column = kind_seen(Column(name=values.name, role=role, description=f"Draft: {why}"), values.dtype)
    if (
        role is Role.ACTION
        and values.dtype.is_numeric()
        and values.cast(pl.Float64).drop_nulls().is_in([0.0, 1.0]).all()
    ):
        return column.model_copy(update={"kind": Kind.BOOLEAN})
    return column


def _series(rows: pl.DataFrame, time: str) -> str | None:
    """The column with the fewest values within each of which no time stamp repeats, where stamps repeat."""
    if rows[time].is_unique().all():
        return None
    found = []
    for position, (name, dtype) in enumerate(rows.schema.items()):
        tells = name != time and (dtype in _TEXT or dtype.is_integer()) and rows[name].null_count() == 0
        if tells and not rows.select(pl.struct(name, time).is_duplicated().any()).item():
            found.append((rows[name].n_unique(), position, name))
    return min(found)[2] if found else None


def _role(values: pl.Series, inside: pl.Series) -> tuple[Role, str]:
    """Role and reason of one column; ``inside`` marks rows that follow one of the same series."""
    hint, levels = hint_of(values.name), values.drop_nulls().n_unique()
    why = _no_use(values, inside, levels, hint)
    if why is not None:
        return Role.IGNORE, why
    held, text = _held(values, inside), values.dtype in _TEXT
    holds = held >= HELD and not (text and levels > FEW_LEVELS)
    moves = f"{levels} levels, {held:.0%} of rows repeat the row before"
    if text and not holds:
        return Role.IGNORE, f"text that does not hold like a setting: {moves}."
    if hint == "the outside world":
        return Role.EXOGENOUS, "its name reads like the outside world; nothing else says so."
    if not holds:
        doubt = "; its name reads like a command: an action if so" if hint == "a command" else ""
        return Role.OBSERVATION, f"it moves all the time: {moves}{doubt}."
    sampled = None if text or levels <= 3 or hint == "a command" else _sampled(values, inside)
    if sampled is not None:
        return Role.OBSERVATION, f"{moves}, but {sampled}."
    return Role.ACTION, f"it is set and holds: {moves}."


def _no_use(values: pl.Series, inside: pl.Series, levels: int, hint: str | None) -> str | None:
    """Why a column is of no use to a model, None if it may be."""
    dtype = values.dtype
    cases = (
        (
            not (dtype.is_numeric() or dtype == pl.Boolean or dtype in _TEXT),
            f"{dtype} is no type that a model takes.",
        ),
        (is_latent_name(values.name), "its name is that of an inferred latent, which nobody measured."),
        (levels == 0, "every row is null."),
        (
            hint in ("a label", "an identifier") and not dtype.is_float(),
            f"its name reads like {hint}; nothing else says so.",
        ),
        (_counts_rows(values, inside), "it goes up by one from row to row, like a row number."),
        (levels == 1 and hint != "a command", "it is the same in every row."),
    )
    return next((why for holds, why in cases if holds), None)


def _held(values: pl.Series, inside: pl.Series) -> float:
    """Share of the rows with a neighbour before them that repeat it."""
    both = inside & values.is_not_null() & values.shift(1).is_not_null()
    repeats = (values == values.shift(1)) & both
    return float(repeats.sum() or 0) / max(1, int(both.sum() or 0))


def _sampled(values: pl.Series, inside: pl.Series) -> str | None:
    """What marks a column that holds as measured, coarsely or seldom; None where nothing does."""
    steps = values.rank("dense").cast(pl.Int64).diff().abs().fill_null(0) * inside.cast(pl.Int64)
    sizes = steps.filter(steps > 0)
    waits = (steps > 0).arg_true().cast(pl.Int64).diff().drop_nulls()
    near = float((sizes == 1).sum()) / max(1, sizes.len())
    if near >= SAMPLED:
        return f"{near:.0%} of its moves go to the next level: coarsely measured"
    usual = waits.value_counts(sort=True, name="n").head(1)
    if usual.is_empty() or usual["n"][0] < SAMPLED * waits.len():
        return None
    every = usual[waits.name][0]
    return f"it moves every {every} rows: measured seldom, or set by a timer, and then an action"


def _counts_rows(values: pl.Series, inside: pl.Series) -> bool:
    if not values.dtype.is_integer() or values.null_count():
        return False
    steps = values.cast(pl.Int64, strict=False).diff().filter(inside)
    return steps.len() > 0 and bool((steps == 1).all())
