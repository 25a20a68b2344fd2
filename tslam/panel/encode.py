"""Columns as numeric channels: numbers, switches, categories, events and angles."""

import numpy as np
import polars as pl
from jaxtyping import Float

from tslam.contract.model import Column, Contract
from tslam.contract.roles import Kind, Role
from tslam.errors import FrameError
from tslam.panel.panel import Code, Encoding

__all__ = ["MOST_LEVELS", "encode", "learn"]

MOST_LEVELS = 20
"""Levels of a category above which one channel each is not sensible."""

_MODELLED = (Role.OBSERVATION, Role.ACTION, Role.EXOGENOUS)
_TEXT = (pl.String, pl.Categorical, pl.Enum)


def learn(frame: pl.DataFrame, contract: Contract) -> tuple[Encoding, list[str]]:
    """Learn how the columns of a frame become channels.

    An observation that is null in every row has no channel; an input that is keeps one, never measured.

    Args:
        frame: The contract's columns, as far as they are there; missing is null, not NaN.
        contract: Roles and kinds.

    Returns:
        The encoding, and notes on what was left out.

    Raises:
        FrameError: infinities, text or time stamps in a numeric role, too many levels, no observation left.
    """
    used = [c for c in contract.columns if c.role in _MODELLED and c.name in frame.columns]
    absent = [c.name for c in contract.columns if c.role in _MODELLED and c.name not in frame.columns]
    notes = [
        f"Column {name!r} of the contract is not in the frame; the fit goes without it." for name in absent
    ]
    _refuse_infinite(frame, [c.name for c in used])
    codes = [_code(c, frame[c.name]) for c in used]
    gone = [code.column for code in codes if code.empty and code.role is Role.OBSERVATION]
    notes += [f"Observation {name!r} is null in every row; it has no channel." for name in gone]
    notes += [
        f"{code.role.value.capitalize()} {code.column!r} is null in every row; it stays, never measured."
        for code in codes
        if code.empty and code.role is not Role.OBSERVATION
    ]
    codes = [code for code in codes if code.column not in gone]
    if not any(code.role is Role.OBSERVATION for code in codes):
        raise FrameError(
            f"All observations are null in every row: {gone}. Give a frame in which at least one was "
            "measured."
        )
    return Encoding(tuple(codes)), notes


def encode(
    frame: pl.DataFrame, encoding: Encoding, role: Role
) -> tuple[Float[np.ndarray, "input chan"], list[str]]:
    """The channels of one role, missing as NaN, and notes on values that the encoding does not know.

    Args:
        frame: The frame, missing as null; columns of the encoding that it lacks are never measured.
        encoding: As learnt, here or when the model was fitted.
        role: Observation, action or exogenous.

    Raises:
        FrameError: infinities, or values that do not suit the column's kind.
    """
    codes = encoding.of(role)
    _refuse_infinite(frame, [code.column for code in codes if code.column in frame.columns])
    values = np.full((frame.height, len(encoding.features(role))), np.nan)
    notes: list[str] = []
    at = 0
    for code in codes:
        width = len(code.features())
        if code.column not in frame.columns:
            notes.append(f"Column {code.column!r} is not in the frame; its channels are never measured.")
        elif code.empty:
            notes += _after_empty(frame[code.column])
        else:
            _refuse_type(code.column, role, frame[code.column])
            notes += _unseen(code, frame[code.column])
            for i, part in enumerate(_channels(code, frame[code.column])):
                values[:, at + i] = part
        at += width
    return values, notes


def _code(column: Column, values: pl.Series) -> Code:
    kind = column.kind or _seen_kind(column, values)
    text = isinstance(values.dtype, _TEXT)
    _refuse_type(column.name, column.role, values)
    if values.null_count() == values.len() and kind is not Kind.EVENT:
        return Code(column.name, column.role, kind, empty=True)
    if column.role is Role.OBSERVATION and (text or kind is Kind.CATEGORICAL):
        raise FrameError(
            f"Observation {column.name!r} holds {values.dtype} (such as {values.drop_nulls().first()!r}); "
            "observations are numeric. Make it an action or exogenous variable (text is a category "
            "there), or name it in ignore."
        )
    if kind is Kind.CATEGORICAL or (kind is Kind.EVENT and text):
        levels, reference = _levels(column.name, kind, values)
        return Code(column.name, column.role, kind, levels, reference)
    if text and kind is Kind.ORDINAL:
        return Code(column.name, column.role, kind, _order(column, values))
    return Code(column.name, column.role, kind, period=column.period if kind is Kind.CIRCULAR else None)


def _seen_kind(column: Column, values: pl.Series) -> Kind:
    if values.dtype == pl.Boolean:
        return Kind.BOOLEAN
    if isinstance(values.dtype, _TEXT):
        return Kind.CATEGORICAL
    return Kind.CIRCULAR if column.period is not None else Kind.CONTINUOUS


def _levels(name: str, kind: Kind, values: pl.Series) -> tuple[tuple[str, ...], str | None]:
    """Levels with a channel, and the one without: the most frequent; of events, their absence."""
    counts = (
        _labels(values).drop_nulls().value_counts(name="n").sort("n", values.name, descending=[True, False])
    )
    levels = counts[values.name].to_list()
    if len(levels) > MOST_LEVELS:
        raise FrameError(
            f"Column {name!r} is {kind.value} and has {len(levels)} levels (at most {MOST_LEVELS}): "
            f"{levels[:5]} and so on. Declare it ordinal (text with its levels in order) or name it in "
            "ignore."
        )
    if kind is Kind.EVENT:
        return tuple(sorted(levels)), None
    return (tuple(sorted(levels[1:])), levels[0]) if len(levels) > 1 else ((levels[0],), None)


def _order(column: Column, values: pl.Series) -> tuple[str, ...]:
    if column.levels is not None:
        return tuple(map(str, column.levels))
    if isinstance(values.dtype, pl.Enum):
        return tuple(values.dtype.categories)
    raise FrameError(
        f"Column {column.name!r} is ordinal and holds text. Give its levels in order in the contract, or "
        "numbers."
    )


def _labels(values: pl.Series) -> pl.Series:
    """Levels as text; 1, 1.0 and '1' are one level."""
    whole = values.dtype.is_float() and (values == values.round()).all() and (values.abs() < 2**53).all()
    return values.cast(pl.Int64).cast(pl.String) if whole else values.cast(pl.String)


def _channels(code: Code, values: pl.Series) -> list[Float[np.ndarray, " input"]]:
    if code.one_hot:
        labels = _labels(values)
        flags = [(labels == level).cast(pl.Float64) for level in code.levels]
        return [(flag.fill_null(0.0) if code.kind is Kind.EVENT else flag).to_numpy() for flag in flags]
    if code.levels:
        place = {level: float(i) for i, level in enumerate(code.levels)}
        return [_labels(values).replace_strict(place, default=None, return_dtype=pl.Float64).to_numpy()]
    numbers = _numbers(code, values)
    if code.kind is Kind.CIRCULAR and code.period is not None:
        angle = np.mod(numbers, code.period) * (2 * np.pi / code.period)
        return [np.sin(angle), np.cos(angle)]
    return [np.nan_to_num(numbers, nan=0.0) if code.kind is Kind.EVENT else numbers]


def _numbers(code: Code, values: pl.Series) -> Float[np.ndarray, " input"]:
    if isinstance(values.dtype, _TEXT):
        raise FrameError(
            f"Column {code.column!r} is {code.role.value} and {code.kind.value}, and holds text (such as "
            f"{values.drop_nulls().first()!r}). Cast it to numbers, declare it categorical, or name it in "
            "ignore."
        )
    numbers = values.cast(pl.Float64).to_numpy()
    if code.kind is Kind.BOOLEAN:
        other = numbers[~(np.isnan(numbers) | (numbers == 0) | (numbers == 1))]
        if other.size:
            raise FrameError(
                f"Column {code.column!r} is boolean and holds {np.unique(other)[:5].tolist()}. "
                "Make it 0 and 1, or declare it ordinal or continuous."
            )
    return numbers


def _unseen(code: Code, values: pl.Series) -> list[str]:
    if code.kind is Kind.EVENT and values.null_count():
        return [f"Event {code.column!r} is null in {values.null_count()} rows: no event there (0)."]
    if not code.levels:
        return []
    known = [*code.levels, *([code.reference] if code.reference is not None else [])]
    unseen = _labels(values).drop_nulls()
    unseen = unseen.filter(~unseen.is_in(known))
    if not unseen.len():
        return []
    levels = sorted(unseen.unique().to_list())
    said = f"{levels[:5]}{' and more' if len(levels) > 5 else ''} in {unseen.len()} rows of {code.column!r}"
    if code.kind is Kind.ORDINAL:
        raise FrameError(
            f"Unknown levels {said}, which is ordinal with the order {known}. Add them to its levels."
        )
    return [f"Unknown levels {said}: all its channels are 0 there (known levels: {known})."]


def _after_empty(values: pl.Series) -> list[str]:
    if values.null_count() == values.len():
        return []
    return [f"Column {values.name!r} was empty when the encoding was learnt; what it holds here is left out."]


def _refuse_type(name: str, role: Role, values: pl.Series) -> None:
    kind = values.dtype
    if kind.is_numeric() or isinstance(kind, _TEXT) or kind in {pl.Boolean, pl.Null}:
        return
    if values.null_count() < values.len():
        raise FrameError(
            f"Column {name!r} is {role.value} and holds {kind}. Only numbers, booleans and text can be used: "
            "cast it, or name it in ignore."
        )


def _refuse_infinite(frame: pl.DataFrame, names: list[str]) -> None:
    found = []
    for name in (name for name in names if frame.schema[name].is_float()):
        where = frame[name].is_infinite().fill_null(value=False)
        if where.any():
            found.append(f"{name!r} {int(where.sum())} (first in row {where.arg_max()})")
    if found:
        raise FrameError(
            f"Infinite values, counted from row 0: {'; '.join(found)}. Make them null where the value is "
            "not known, or mend the division that made them."
        )
