"""Event logs as held action columns: what was in force at each row of the telemetry."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from narwhals.dependencies import is_pandas_dataframe

from tslam.contract.event import ActionEvent, ActionKind, Result
from tslam.contract.frames import to_polars, with_index
from tslam.errors import FrameError, RoleError

__all__ = ["events_to_columns"]

_NO_EFFECT = frozenset({Result.REFUSED, Result.FAILED})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EDGES = {ActionKind.START: 1.0, ActionKind.END: 0.0}


def events_to_columns(
    events: Iterable[ActionEvent | Mapping[str, Any]],
    frame: Any,
    *,
    time: str = "time",
    series: str | None = None,
    skew: timedelta | Mapping[str, timedelta] = timedelta(0),
    timezone: str = "UTC",
) -> Any:
    """Add to telemetry one column for each action that an event log names.

    Set-to, start and end hold from their stamp on: row t has what was last said at or before t. A pulse
    stands in the one row from which on it came (the last at or before it), pulses of one row added up, all
    other rows 0. Refused and failed actions change nothing; one that was rolled back holds until then.
    Before the first event stands what that says was ``before``, or null.

    Args:
        events: the log, in any order; events, or their fields.
        frame: telemetry, a polars or pandas frame or Arrow table.
        time: its time column, of datetimes.
        series: its series column; events then go to the rows of their series, or to all if they name none.
        skew: how far the log's clock is ahead of the telemetry's, for all or by the events' ``source``.
        timezone: zone of the telemetry's stamps where they carry none.

    Returns:
        The frame with the columns, pandas for pandas and polars for all others.

    Raises:
        FrameError: this is no frame, or its time is not of datetimes.
        RoleError: a column is not there, or one called like an action is already; or pulses have no size.
        ContractError: this is no event.
    """
    rows = to_polars(with_index(frame, time) if is_pandas_dataframe(frame) else frame)
    for name, role in ((time, "time"), (series, "series")):
        if name is not None and name not in rows.columns:
            raise RoleError.unknown_column(name, role, rows.columns)
    at = _instants(rows[time], timezone)
    names = None if series is None else rows[series].cast(pl.String)
    by_action: dict[str, list[ActionEvent]] = {}
    for said in events:
        event = said if isinstance(said, ActionEvent) else ActionEvent.model_validate(said)
        by_action.setdefault(event.action, []).append(event)
    for action, log in by_action.items():
        if action in rows.columns:
            raise RoleError(
                f"The frame has a column {action!r} already, and the log has {len(log)} events of it. "
                "Drop or rename one of them."
            )
        rows = rows.with_columns(_column(action, log, at, names, skew))
    return rows.to_pandas() if is_pandas_dataframe(frame) else rows


def _instants(stamps: pl.Series, timezone: str) -> pl.Series:
    """Stamps as microseconds since 1970 in UTC."""
    if not isinstance(stamps.dtype, pl.Datetime):
        raise FrameError(
            f"The time column {stamps.name!r} is {stamps.dtype}; events carry datetimes. Give the telemetry "
            "datetimes as well."
        )
    if stamps.dtype.time_zone is None:
        stamps = stamps.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return stamps.dt.convert_time_zone("UTC").dt.epoch("us")


def _column(
    action: str,
    log: list[ActionEvent],
    at: pl.Series,
    names: pl.Series | None,
    skew: timedelta | Mapping[str, timedelta],
) -> pl.Series:
    pulses = {event.kind is ActionKind.PULSE for event in log}
    if len(pulses) > 1:
        raise RoleError(
            f"The log has pulses of {action!r} and values that it holds. Give the pulses a name of their own."
        )
    groups = [None] if names is None else names.unique(maintain_order=True).to_list()
    text = any(isinstance(value, str) for event in log for value in (event.before, event.after))
    if text and True in pulses:
        raise RoleError(f"The log has pulses of {action!r} whose size is text. Give after as a number.")
    column: list[Any] = [None] * len(at)
    for group in groups:
        own = [event for event in log if event.series is None or group is None or event.series == group]
        index = range(len(at)) if group is None else (names == group).arg_true().to_list()
        order = sorted((i for i in index if at[i] is not None), key=at.__getitem__)
        stamps = [at[i] for i in order]
        values = _pulsed(own, stamps, skew) if True in pulses else _held(own, stamps, skew, text=text)
        for i, value in zip(order, values, strict=True):
            column[i] = value
    return pl.Series(action, column, dtype=pl.String if text else pl.Float64)


def _held(
    log: list[ActionEvent], stamps: list[int], skew: timedelta | Mapping[str, timedelta], *, text: bool
) -> list[Any]:
    moves: list[tuple[int, Any]] = []
    for event in log:
        result = event.outcome.result if event.outcome else Result.DONE
        if result in _NO_EFFECT:
            continue
        value = event.after if event.after is not None else _EDGES.get(event.kind)
        moves.append((_instant(event.time, event, skew), value))
        if result is Result.ROLLED_BACK and event.outcome is not None:
            moves.append((_instant(event.outcome.time, event, skew), event.before))
    moves.sort(key=lambda move: move[0])
    first = min(log, key=lambda event: event.time, default=None)
    current = None if first is None else first.before
    values, following = [], iter([*moves, (None, None)])
    when, value = next(following)
    for stamp in stamps:
        while when is not None and when <= stamp:
            current = value
            when, value = next(following)
        values.append(None if current is None else str(current) if text else float(current))
    return values


def _pulsed(
    log: list[ActionEvent], stamps: list[int], skew: timedelta | Mapping[str, timedelta]
) -> list[float]:
    values = [0.0] * len(stamps)
    for event in log:
        row = bisect_right(stamps, _instant(event.time, event, skew)) - 1
        if row >= 0 and not (event.outcome and event.outcome.result in _NO_EFFECT):
            values[row] += 1.0 if event.after is None else float(event.after)
    return values


def _instant(stamp: datetime, event: ActionEvent, skew: timedelta | Mapping[str, timedelta]) -> int:
    ahead = skew.get(event.source, timedelta(0)) if isinstance(skew, Mapping) else skew
    since = stamp - ahead - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
