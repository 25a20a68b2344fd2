"""Frames at the contract's door: what is a frame, and what stands in its index."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import polars as pl

from tslam.errors import FrameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["to_polars", "with_index"]


def to_polars(frame: Any) -> pl.DataFrame:
    """A polars frame from one, from a LazyFrame (collected), or from whatever speaks Arrow.

    Raises:
        FrameError: this is not a frame, it cannot be read, or a column mixes types.
    """
    if isinstance(frame, pl.LazyFrame):
        try:
            return frame.collect()
        except pl.exceptions.PolarsError as found:
            raise FrameError(f"The frame cannot be read: {found}. Check that its files are whole.") from found
    if isinstance(frame, pl.DataFrame):
        return frame
    if not hasattr(frame, "__arrow_c_stream__"):
        raise FrameError(
            f"A {type(frame).__module__}.{type(frame).__qualname__} is not a frame. Give a polars or pandas "
            "frame, a LazyFrame, or an Arrow table."
        )
    try:
        return pl.DataFrame(frame)
    except (TypeError, ValueError) as found:  # pyarrow's errors are among them
        raise FrameError(f"The frame does not become a table: {found}. Give each column one type.") from found


def with_index(frame: "pd.DataFrame", time: str, wanted: Collection[str] | None = None) -> "pd.DataFrame":
    """A pandas frame whose rows count from 0, with named and temporal index levels as columns.

    Args:
        frame: the frame.
        time: what to call a temporal index without a name.
        wanted: index levels to keep; None: all that have a name or are temporal.

    Raises:
        FrameError: a column stands in the frame twice.
    """
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FrameError(f"Columns {twice} stand more than once in the frame. Rename or drop the copies.")
    frame = frame.set_axis(names, axis=1)
    for level in range(frame.index.nlevels):
        values = frame.index.get_level_values(level)
        stamps = values.dtype.kind == "M" or str(values.dtype).startswith("period")
        name = time if values.name is None and stamps else values.name
        if name is not None and str(name) not in names and (wanted is None or name in wanted):
            frame = frame.assign(**{str(name): values.to_series(index=frame.index)})
    return frame.reset_index(drop=True)
