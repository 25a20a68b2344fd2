"""Labels: what an action was, from when to when; from columns, event logs and tickets.

One label is one hold: its start, its end and its value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as clock
from numbers import Real
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from tslam.errors import AlignmentError
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds

__all__ = ["Holds", "Label", "from_column", "from_events", "lay"]

_FEWEST = 2
"""Labels that an alignment takes at the least: a scale needs two."""


@dataclass(frozen=True)
class Label:
    """One hold of an action: both stamps belong to it.

    ``slack`` says by how much the stamps may be wrong, as those of a maintenance ticket are: that much is
    left out at both ends.
    """

    start: Any
    end: Any
    value: float | str
    series: str | None = None
    slack: Any = None


@dataclass(frozen=True, eq=False)
class Holds:
    """Labels on the rows of a panel, in time order."""

    rows: tuple[Int[np.ndarray, " _"], ...]
    values: tuple[float | str, ...]

    @property
    def count(self) -> int:
        """Number of labels."""
        return len(self.rows)

    def take(self, which: Iterable[int]) -> "Holds":
        """Some of the labels, in time order."""
        chosen = sorted(which)
        return Holds(tuple(self.rows[i] for i in chosen), tuple(self.values[i] for i in chosen))

    def numbers(self) -> Float[np.ndarray, " label"]:
        """Values as numbers.

        Raises:
            AlignmentError: a value is text.
        """
        try:
            return np.array([float(v) for v in self.values])
        except ValueError as error:
            raise AlignmentError(
                f"A label is not a number: {error}. Give numbers, or kind='categorical'."
            ) from error


def from_column(frame: pl.DataFrame, action: str, time: str, series: str | None) -> list[Label]:
    """Labels from a column that holds values in some rows and null in the others.

    Rows behind one another with one value make one label.

    Raises:
        AlignmentError: the column holds nothing.
    """
    keys = [time] if series is None else [series, time]
    own = frame.sort(keys).with_columns(
        _run=pl.struct(pl.col(action), *([pl.col(series)] if series else [])).rle_id()
    )
    runs = (
        own.filter(pl.col(action).is_not_null())
        .group_by("_run", maintain_order=True)
        .agg(
            pl.col(time).first().alias("_start"),
            pl.col(time).last().alias("_end"),
            pl.col(action).first(),
            *([pl.col(series).first()] if series else []),
        )
    )
    if not runs.height:
        raise AlignmentError(
            f"Column {action!r} is null in every row. Put the action's value into the rows where it is known."
        )
    return [
        Label(row["_start"], row["_end"], row[action], str(row[series]) if series else None)
        for row in runs.iter_rows(named=True)
    ]


def from_events(
    events: Sequence[tuple[Any, float | str]], end: Any, series: str | None = None
) -> list[Label]:
    """Labels from a log of settings: each holds until the next.

    Args:
        events: Stamp and value of each setting.
        end: Until when the last one held.
        series: The series that the log is about.
    """
    told = sorted(events, key=lambda event: event[0])
    stops = [at for at, _ in told[1:]] + [end]
    return [Label(at, stop, value, series) for (at, value), stop in zip(told, stops, strict=True)]


def lay(labels: Sequence[Label], panel: Panel, least: int = _FEWEST) -> Holds:
    """Put labels on the rows of a panel.

    What an action does shows in the row after: a label of a last row alone says nothing, and is left out. A
    row at which one label ends and the next begins, as in a log of settings, is the next one's.

    Args:
        labels: The labels.
        panel: The panel.
        least: Fewest labels; where it is above one, two of them have to differ.

    Raises:
        AlignmentError: labels lie outside the data, contradict each other, or say one value only.
    """
    stamps = panel.stamps(np.arange(panel.rows))
    labels = [
        replace(label, start=_as_written(label.start, stamps), end=_as_written(label.end, stamps))
        for label in labels
    ]
    taken: dict[int, float | str] = {}
    found: list[tuple[Int[np.ndarray, " n"], float | str]] = []
    outside: list[Label] = []
    begun = {(label.series, label.start) for label in labels if label.slack is None}
    for label in labels:
        rows = _rows(label, panel, stamps)
        if label.slack is None and label.start != label.end and (label.series, label.end) in begun:
            rows = rows[(stamps[rows] != label.end).to_numpy()]
        if not rows.size:
            outside.append(label)
            continue
        for row in rows.tolist():
            if taken.setdefault(row, label.value) != label.value:
                raise AlignmentError(
                    f"Labels contradict each other: at {stamps[row]} one says {taken[row]!r} and another "
                    f"{label.value!r}. Keep the one that is right, or give slack where stamps are imprecise."
                )
        found.append((rows, label.value))
    if outside:
        raise AlignmentError(
            f"{len(outside)} labels have no row in the data, the first from {outside[0].start} to "
            f"{outside[0].end}{' once its slack is left out' if outside[0].slack else ''}; the data run from "
            f"{stamps[0]} to {stamps[-1]}. Give labels inside them, or the data of that time."
        )
    stop = bounds(panel)[1]
    found = [(rows, value) for rows, value in found if (rows + 1 < stop[rows]).any()]
    found.sort(key=lambda pair: int(pair[0][0]))
    holds = Holds(tuple(rows for rows, _ in found), tuple(value for _, value in found))
    distinct = len(set(holds.values))
    if holds.count < least or (distinct < 2 and least > 1):
        raise AlignmentError(
            f"{holds.count} labels with {distinct} value: how an action shows can be told from at least two "
            "that differ. Label a stretch in which it was set otherwise."
        )
    return holds


def _rows(label: Label, panel: Panel, stamps: pl.Series) -> Int[np.ndarray, " n"]:
    start, end = label.start, label.end
    if label.slack is not None:
        slack = label.slack
        if isinstance(start, Real) and isinstance(slack, timedelta):
            slack = slack.total_seconds()
        if not isinstance(slack, Real if isinstance(start, Real) else timedelta):
            raise AlignmentError(
                f"The label from {start} has the slack {slack!r}. Give a timedelta, or a number for numbers."
            )
        start, end = start + slack, end - slack
    inside = ((stamps >= start) & (stamps <= end)).to_numpy()
    if label.series is not None and panel.contract.series is not None:
        if label.series not in panel.series_names:
            return np.zeros(0, np.int64)
        inside = inside & (panel.series_of == panel.series_names.index(label.series))
    return np.flatnonzero(inside)


def _as_written(stamp: Any, stamps: pl.Series) -> Any:
    """A label's stamp as the data write theirs: an instant in their zone, or a number."""
    zone = stamps.dtype.time_zone if isinstance(stamps.dtype, pl.Datetime) else None
    if isinstance(stamps.dtype, pl.Datetime):
        if isinstance(stamp, date) and not isinstance(stamp, datetime):
            stamp = datetime.combine(stamp, clock(), None if zone is None else ZoneInfo(zone))
        if isinstance(stamp, datetime) and (stamp.tzinfo is None) == (zone is None):
            return stamp if zone is None else stamp.astimezone(ZoneInfo(zone))
    elif isinstance(stamp, Real):
        return stamp
    raise AlignmentError(
        f"A label has the stamp {stamp!r}, and the data have stamps such as {stamps[0]!r}. Give the label's "
        "stamps as the data have them: numbers, or instants with a zone where theirs have one."
    )
