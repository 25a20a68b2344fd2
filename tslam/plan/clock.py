"""Time stamps of the steps after a row, as the caller writes them."""

import numpy as np
import polars as pl
from jaxtyping import Int

from tslam.panel.panel import Panel

__all__ = ["stamps_after"]


def stamps_after(panel: Panel, row: int, steps: Int[np.ndarray, " steps"]) -> pl.Series:
    """Stamps of the given numbers of steps after a grid row."""
    start = panel.time[row]
    if not np.issubdtype(panel.time.dtype, np.datetime64):
        return pl.Series(panel.contract.time, start + steps * panel.step)
    ticks = start + np.rint(steps * panel.step * 1e6).astype(np.int64).astype("timedelta64[us]")
    stamps = pl.Series(panel.contract.time, ticks)
    if panel.timezone is None:
        return stamps
    return stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(panel.timezone)
