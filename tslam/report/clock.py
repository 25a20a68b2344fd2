"""Stamps as text and as positions on an axis, in the contract's time zone."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tslam.audit.gap import Stamp
from tslam.report.words import MINUS, NOTHING, number

__all__ = ["Clock", "Tick"]

# Steps of a readable axis, in seconds; above a day they count days, above a month they count months.
_STEPS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 21600.0, 43200.0),
)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_DAY = 86400.0
_MONTH = 30.44 * _DAY


@dataclass(frozen=True)
class Tick:
    """A mark on the axis: where (0 to 1), its label, and whether a narrow axis keeps it."""

    at: float
    label: str
    minor: bool = False


@dataclass(frozen=True)
class Clock:
    """Reads stamps. A stamp with a zone is shown in ``zone``; one without is shown as it is."""

    zone: tzinfo | None = None

    @classmethod
    def of(cls, timezone: str | None) -> "Clock":
        """The clock of a contract's time zone; a name that this machine does not know is read as UTC."""
        if timezone is None:
            return cls()
        try:
            return cls(ZoneInfo(timezone))
        except (ZoneInfoNotFoundError, ValueError):
            return cls(UTC)

    def axis(self, stamp: Stamp) -> float:
        """Position of a stamp: seconds since 1970, or the number itself."""
        return self._shown(stamp).timestamp() if isinstance(stamp, datetime) else float(stamp)

    def text(self, stamp: Stamp | None) -> str:
        """A stamp in full: ``2024-03-02 04:10``, with seconds only where there are any."""
        if stamp is None:
            return NOTHING
        if not isinstance(stamp, datetime):
            return number(stamp) if abs(stamp) < 1e4 else f"{stamp:,.10g}"
        shown = self._shown(stamp)
        return f"{shown:%Y-%m-%d} {_clock_time(shown)}"

    def window(self, start: Stamp, end: Stamp) -> str:
        """A window; what both ends share stands once."""
        if start == end:
            return self.text(start)
        if isinstance(start, datetime) and isinstance(end, datetime):
            last = self._shown(end)
            first = self._shown(start)
            if first.date() == last.date():
                return f"{self.text(start)} → {_clock_time(last)}"
            if first.year == last.year:
                return f"{self.text(start)} → {last:%m-%d} {_clock_time(last)}"
        return f"{self.text(start)} → {self.text(end)}"

    def ticks(self, low: Stamp, high: Stamp, most: int = 8) -> list[Tick]:
        """Round marks between two stamps, at most ``most``; every other one is minor."""
        first, last = self.axis(low), self.axis(high)
        if not last > first:
            return [Tick(0.0, self.text(low))]
        marks = self._times(low, high, most) if isinstance(low, datetime) else _numbers(first, last, most)
        return [Tick((at - first) / (last - first), label, i % 2 == 1) for i, (at, label) in enumerate(marks)]

    def _shown(self, stamp: datetime) -> datetime:
        if stamp.tzinfo is None:
            return stamp.replace(tzinfo=self.zone or UTC)
        return stamp.astimezone(self.zone or UTC)

    def _times(self, low: Stamp, high: Stamp, most: int) -> Iterator[tuple[float, str]]:
        assert isinstance(low, datetime)
        assert isinstance(high, datetime)
        start, stop = self._shown(low), self._shown(high)
        previous: datetime | None = None
        for mark in _wall_marks(start.replace(tzinfo=None), (stop - start).total_seconds(), most):
            placed = mark.replace(tzinfo=start.tzinfo)
            if start <= placed <= stop:
                yield placed.timestamp(), _label(mark, previous)
                previous = mark


def _clock_time(shown: datetime) -> str:
    if shown.microsecond:
        return f"{shown:%H:%M:%S.%f}".rstrip("0")
    return f"{shown:%H:%M:%S}" if shown.second else f"{shown:%H:%M}"


def _label(mark: datetime, previous: datetime | None) -> str:
    """Only what changed since the mark before: the year, the day, or the time of day."""
    if previous is None or mark.year != previous.year:
        return (
            f"{mark:%Y-%m-%d}"
            if (mark.hour, mark.minute) == (0, 0)
            else f"{mark:%Y-%m-%d} {_clock_time(mark)}"
        )
    if mark.date() != previous.date():
        return (
            f"{mark.day} {mark:%b}"
            if (mark.hour, mark.minute) == (0, 0)
            else f"{mark.day} {mark:%b} {mark:%H:%M}"
        )
    return _clock_time(mark)


def _wall_marks(start: datetime, span: float, most: int) -> Iterator[datetime]:
    """Round wall-clock times from just before ``start``, over ``span`` seconds."""
    for step in _STEPS:
        if span / step <= most:
            midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
            before = math.floor((start - midnight).total_seconds() / step)
            for i in range(most + 3):
                yield midnight + timedelta(seconds=step * (before + i))
            return
    for days in _DAYS:
        if span / (days * _DAY) <= most:
            first = datetime.fromordinal(start.toordinal() - start.toordinal() % days)
            for i in range(most + 3):
                yield first + timedelta(days=days * i)
            return
    months = next(
        (m for m in _MONTHS if span / (m * _MONTH) <= most), 12 * math.ceil(span / (12 * most * _MONTH))
    )
    first_month = (start.year * 12 + start.month - 1) // months * months
    for i in range(most + 3):
        year, month = divmod(first_month + i * months, 12)
        if 1 <= year <= 9999:
            yield datetime(year, month + 1, 1)  # noqa: DTZ001 - wall-clock time; the zone is set by the caller


def _numbers(low: float, high: float, most: int) -> Iterator[tuple[float, str]]:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10, 20) if power * m >= raw)
    mark = math.ceil(low / step - 1e-9)
    while mark * step <= high + 1e-9 * step:
        yield mark * step, f"{mark * step:,.10g}".replace("-", MINUS)
        mark += 1
