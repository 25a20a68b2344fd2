"""Intervals from what past forecasts missed by: blocked, by horizon and channel, and followed over time.

Misses of neighbouring origins are nearly one miss, so the first quantile is corrected for the number of
blocks of the horizon's length, not of origins. From there the width follows: up after each value outside,
down after each one inside, by what keeps the share right in the long run whatever the misses do, and never
by a miss that was not yet known.

Source: Chernozhukov, Wüthrich and Zhu, "Exact and robust conformal inference methods for predictive machine
learning with dependent data", COLT 2018 (blocks); Angelopoulos, Candès and Tibshirani, "Conformal PID control
for time series prediction", NeurIPS 2023 (quantile tracking).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

__all__ = ["LEAST_BLOCKS", "Bands", "bands"]

LEAST_BLOCKS = 8
"""Blocks of past forecasts that an interval takes at the least."""
_RATE = 0.1
"""Step of the width after each miss, as a share of the first width."""
_FIRST = 0.5
"""Share of a series' past forecasts that the first width is taken from; the rest are followed."""

_Misses = Float[np.ndarray, "n steps chan"]


@dataclass(frozen=True, eq=False)
class Bands:
    """Half widths for the next forecast, and how often they held on the way here."""

    width: Float[np.ndarray, "series steps chan"]
    """NaN where past forecasts are too few."""
    held: Float[np.ndarray, " steps"]
    """Share of past values inside the interval that was given for them; NaN where none was."""


def bands(
    misses: _Misses, rows: Int[np.ndarray, " n"], series: Int[np.ndarray, " n"], count: int, coverage: float
) -> Bands:
    """Intervals for the next forecast of each series.

    Args:
        misses: Absolute errors of forecasts from past origins; NaN where not measured.
        rows: Grid row of each origin, ascending.
        series: Series of each origin.
        count: Number of series.
        coverage: Share of values that the intervals shall hold.
    """
    own = [np.flatnonzero(series == code) for code in range(count)]
    early = np.concatenate([at[: int(np.ceil(_FIRST * at.size))] for at in own]).astype(np.int64)
    every = max(1, round(float(np.median(np.diff(rows))))) if rows.size > 1 else 1
    first = _first_widths(misses[early], coverage, every)
    width = np.repeat(first[None], count, axis=0)
    inside, seen = np.zeros(misses.shape[1]), np.zeros(misses.shape[1])
    for code, at in enumerate(own):
        late = at[int(np.ceil(_FIRST * at.size)) :]
        if late.size:
            path = _followed(misses[late], first, coverage, every)
            width[code] = path[-1]
            known = np.isfinite(misses[late]) & np.isfinite(path[:-1])
            inside += (known & (misses[late] <= path[:-1])).sum(axis=(0, 2))
            seen += known.sum(axis=(0, 2))
    return Bands(width, np.where(seen > 0, inside / np.maximum(seen, 1), np.nan))


def _first_widths(misses: _Misses, coverage: float, every: int) -> Float[np.ndarray, "steps chan"]:
    """Quantiles of the misses, corrected for how few blocks they come from."""
    out = np.full(misses.shape[1:], np.nan)
    for h, c in np.ndindex(*out.shape):
        own = misses[:, h, c]
        own = own[np.isfinite(own)]
        blocks = own.size * min(1.0, every / (h + 1))
        if blocks >= LEAST_BLOCKS:
            out[h, c] = np.quantile(own, min(1.0, coverage * (1.0 + 1.0 / blocks)))
    return out


def _followed(
    misses: _Misses, first: Float[np.ndarray, "steps chan"], coverage: float, every: int
) -> Float[np.ndarray, "after steps chan"]:
    """The width that each origin was given, and behind the last one that of the next forecast."""
    n, steps, _ = misses.shape
    delay = -(-np.arange(1, steps + 1) // every)  # origins until the miss of a step is known
    width = np.repeat(first[None], n + 1, axis=0)
    change = np.zeros_like(misses)
    step = _RATE * first
    for i in range(n):
        outside = np.where(np.isfinite(misses[i]), (misses[i] > width[i]) - (1.0 - coverage), 0.0)
        change[i] = step * outside
        known = i + 1 - delay
        arrived = np.where((known >= 0)[:, None], change[np.maximum(known, 0), np.arange(steps)], 0.0)
        width[i + 1] = np.maximum(width[i] + arrived, 0.0)
    return width
