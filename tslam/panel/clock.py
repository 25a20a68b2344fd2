"""The time column as numbers: microseconds in UTC, or the caller's own units."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float

from tslam.errors import CadenceError, FrameError

__all__ = ["MICROSECONDS", "Clock", "read_clock"]

MICROSECONDS = {"us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6}
"""Length of the units of a duration."""

_UNITS = (
    MICROSECONDS
    | {"sec": 10**6, "min": MICROSECONDS["m"], "D": MICROSECONDS["d"]}
    | dict.fromkeys(("w", "W"), 7 * MICROSECONDS["d"])
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)")


@dataclass(frozen=True, eq=False)
class Clock:
    """Time stamps as float64 ticks, one per row, and how to say them again.

    A tick is a microsecond since 1970 in UTC (or zoneless), or one unit of a numeric time. Float64
    holds every microsecond until the year 2255.
    """

    ticks: Float[np.ndarray, " n"]
    dated: bool
    timezone: str | None = None

    def step(self, freq: str) -> float:
        """Ticks of a cadence such as '10s', '5m' or '1h', or of a number of units of a numeric time.

        Raises:
            CadenceError: the cadence cannot be read, or does not suit the kind of time.
        """
        if not self.dated:
            try:
                step = float(freq)
            except ValueError:
                step = float("nan")
            if not (np.isfinite(step) and step > 0):
                raise CadenceError(
                    f"freq={freq!r} and the time column is numeric. Give the number of its units from one "
                    "row to the next, such as freq='1', or make the time column a datetime."
                )
            return step
        match = _DURATION.fullmatch(freq.strip())
        if match is None or match[2] not in _UNITS or float(match[1]) == 0:
            raise CadenceError(
                f"freq={freq!r} is not a duration. Give a number and one of the units us, ms, s, m (or "
                "min), h, d, w, such as '10s' or '15m'; calendar months and years have no fixed length."
            )
        return float(match[1]) * _UNITS[match[2]]

    def span(self, ticks: float) -> str:
        """A length of time in words: '10s', '1.5h', or a number of units."""
        if not self.dated:
            return f"{ticks:.6g}"
        units = [unit for unit, length in MICROSECONDS.items() if ticks >= length] or ["us"]
        exact = [unit for unit in units if round(ticks / MICROSECONDS[unit], 3) * MICROSECONDS[unit] == ticks]
        unit = (exact or units)[-1]
        return f"{ticks / MICROSECONDS[unit]:.6g}{unit}"

    def stamps(self, ticks: Iterable[float]) -> str:
        """Time stamps in words, in the caller's zone."""
        values = np.asarray(list(ticks), float)
        if not self.dated:
            return ", ".join(f"{value:.15g}" for value in values)
        dates = pl.Series(np.rint(values).astype(np.int64)).cast(pl.Datetime("us", self.timezone))
        return ", ".join(map(str, dates.to_list()))

    def seconds(self, ticks: float) -> float:
        """A length of time in seconds, or in units of a numeric time."""
        return ticks / MICROSECONDS["s"] if self.dated else ticks

    def ticks_of(self, seconds: float) -> float:
        """The reverse of ``seconds``."""
        return seconds * MICROSECONDS["s"] if self.dated else seconds

    def array(self, ticks: Float[np.ndarray, " m"]) -> np.ndarray:
        """Ticks as datetime64[us], or as they are where time is numeric."""
        return np.rint(ticks).astype(np.int64).view("datetime64[us]") if self.dated else ticks


def read_clock(column: pl.Series) -> Clock:
    """The clock of a time column.

    Args:
        column: Dates, datetimes (with a zone or without), durations or numbers.

    Raises:
        FrameError: the column is neither, or stamps are missing or not finite.
    """
    kind = column.dtype
    if kind == pl.String or isinstance(kind, pl.Categorical | pl.Enum):
        raise FrameError(
            f"Time column {column.name!r} holds text, such as {column.drop_nulls().first()!r}. Parse it "
            f"first: polars, pl.col({column.name!r}).str.to_datetime(time_zone='UTC'); pandas, "
            "pd.to_datetime(..., utc=True)."
        )
    if not (kind.is_numeric() or isinstance(kind, pl.Datetime | pl.Duration) or kind == pl.Date):
        raise FrameError(
            f"Time column {column.name!r} is {kind}. Give dates, datetimes, or numbers that count time "
            "upwards."
        )
    zone = kind.time_zone if isinstance(kind, pl.Datetime) else None
    dated = isinstance(kind, pl.Datetime) or kind == pl.Date
    if dated:
        column = column.cast(pl.Datetime("us", zone)).to_physical()
    elif isinstance(kind, pl.Duration):
        column = column.dt.total_microseconds() / MICROSECONDS["s"]
    ticks = column.cast(pl.Float64).to_numpy()
    missing = np.flatnonzero(~np.isfinite(ticks))
    if missing.size:
        raise CadenceError(
            f"Time column {column.name!r} has no stamp in {missing.size} of {ticks.size} rows; the first "
            f"are rows {missing[:5].tolist()} (counted from 0). Drop these rows or mend their stamps."
        )
    return Clock(ticks, dated=dated, timezone=zone)
