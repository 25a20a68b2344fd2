"""What stands out in the values on the grid: channels that do not vary, or that one series lacks."""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["remarks"]

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
    known = np.isfinite(values)
    for name, column, there in zip(names, values.T, known.T, strict=True):
        if there.any() and np.ptp(column[there]) == 0:
            notes.append(f"{name!r} takes one value only ({column[there][0]:.6g}).")
        counts = np.bincount(series_of[there], minlength=len(series))
        lacking = [series[i] for i in np.flatnonzero(counts == 0)]
        if lacking and there.any():
            more = f" and {len(lacking) - _LISTED} more" if len(lacking) > _LISTED else ""
            notes.append(
                f"{name!r} was never measured in series {', '.join(map(repr, lacking[:_LISTED]))}{more}."
            )
    return notes
