"""What stands out in the values on the grid: channels that do not vary, or that one series lacks."""

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["remarks", "silent"]

_LISTED = 5
"""Names that a note lists before it counts."""


def remarks(
    values: Float[np.ndarray, "rows chan"],
    names: tuple[str, ...],
    series_of: Int[np.ndarray, " rows"],
    series: tuple[str, ...],
) -> list[str]:
    """One sentence for each channel that takes one value only, and for each that some series never measured.

    Args:
        values: Channels of one role in their own units, missing as NaN.
        names: Names of the channels.
        series_of: Series of each row.
        series: Names of the series.
    """
    notes = []
    present = np.bincount(series_of, minlength=len(series)) > 0
    known = np.isfinite(values)
    for name, column, there in zip(names, values.T, known.T, strict=True):
        if not there.any():
            continue
        if np.ptp(column[there]) == 0:
            notes.append(f"{name!r} takes one value only ({column[there][0]:.6g}).")
        lacking = present & (np.bincount(series_of[there], minlength=len(series)) == 0)
        if lacking.any():
            notes.append(f"{name!r} was never measured in series {_listing(series, lacking)}.")
    return notes


def silent(series_of: Int[np.ndarray, " rows"], series: tuple[str, ...]) -> list[str]:
    """A sentence on the series without any grid row."""
    lost = np.bincount(series_of, minlength=len(series)) == 0
    return [f"No observation was ever measured in series {_listing(series, lost)}."] if lost.any() else []


def _listing(series: tuple[str, ...], which: Bool[np.ndarray, " series"]) -> str:
    names = [series[i] for i in np.flatnonzero(which)]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(repr, names[:_LISTED])) + more
