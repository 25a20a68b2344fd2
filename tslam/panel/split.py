"""Splits by time, with a purge gap: held-out blocks, a held-out end, and folds for cross-fitting."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from tslam.errors import FrameError
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds

__all__ = ["LEAST_HELD", "LEAST_TRAIN", "Split", "folds", "split"]

LEAST_TRAIN = 10
"""Fewest training transitions of a split."""
LEAST_HELD = 5
"""Fewest held-out transitions of a split."""

_BLOCKS = 10
"""Held-out blocks of a series, where it is long enough."""
_BLOCK_PURGES = 3
"""Shortest length of a held-out block, in purge gaps, where the record allows."""
_FOLD_PURGES = 10
"""The same for the blocks of folds, each of which loses a purge gap on both sides."""

_Mask = Bool[np.ndarray, " n"]
_Rows = Int[np.ndarray, " n"]
_Group = Int[np.ndarray, " _"]


@dataclass(frozen=True, eq=False)
class Split:
    """Training and held-out transitions; purged ones are in neither."""

    train: Bool[np.ndarray, " n"]
    held: Bool[np.ndarray, " n"]


def split(
    panel: Panel, rows: _Rows, *, mode: Literal["blocks", "last"], fraction: float, purge: int
) -> Split:
    """Hold out a fraction of the transitions, by time.

    A training row within ``purge`` rows of a held-out one in the same segment is in neither part. With
    ``purge`` at least the number of lags, no training window overlaps a held-out one.

    Args:
        panel: The panel.
        rows: Rows of the transitions, ascending.
        mode: ``blocks`` interleaves blocks of time over each series (series too short for a block of
            their own share them); ``last`` takes the end of each series.
        fraction: Share held out.
        purge: Rows dropped on each side of what is held out.

    Raises:
        FrameError: too few transitions for both parts.
    """
    held = np.zeros(rows.size, bool)
    groups = _by_series(panel, rows)
    if mode == "last":
        for own in groups:
            held[own[own.size - round(fraction * own.size) :]] = True
    else:
        least = max(_BLOCK_PURGES * purge, LEAST_HELD)
        short = [own for own in groups if fraction * own.size < least]
        for own in [*(own for own in groups if fraction * own.size >= least), *_joined(short)]:
            held[own[_interleaved(own.size, fraction, purge)]] = True
    return _purged(panel, rows, held, purge)


def folds(panel: Panel, rows: _Rows, *, count: int, block: int | None = None, purge: int) -> list[Split]:
    """Folds of interleaved blocks of time; every transition is held out exactly once.

    Args:
        panel: The panel.
        rows: Rows of the transitions, ascending.
        count: Number of folds, at least 2.
        block: Transitions in a block; None: ten blocks of a typical series for each fold, or longer ones
            where the purge gaps would eat too much of them.
        purge: Rows dropped from training on each side of what is held out.

    Raises:
        FrameError: too few transitions for every fold to train and to hold out.
    """
    if block is None:
        typical = rows.size // max(1, np.unique(panel.series_of[rows]).size)
        block = max(_FOLD_PURGES * purge, typical // (_BLOCKS * count))
        block = max(1, min(block, rows.size // count))
    fold = (np.arange(rows.size) // block) % count
    return [_purged(panel, rows, fold == k, purge) for k in range(count)]


def _by_series(panel: Panel, rows: _Rows) -> list[_Group]:
    """Positions in ``rows`` of each series' transitions."""
    cuts = np.flatnonzero(np.diff(panel.series_of[rows])) + 1
    return np.split(np.arange(rows.size), cuts)


def _joined(groups: list[_Group]) -> list[_Group]:
    return [np.concatenate(groups)] if groups else []


def _interleaved(size: int, fraction: float, purge: int) -> _Mask:
    """Held-out blocks at equal distances, each in the middle of its stretch of the record."""
    want = max(1, round(fraction * size))
    count = max(1, round(want / max(_BLOCK_PURGES * purge, want / _BLOCKS)))
    if purge:
        count = max(1, min(count, (size - want) // (4 * purge)))
    starts = np.rint((np.arange(count) + 0.5) * size / count - want / count / 2).astype(np.int64)
    lengths = np.diff(np.rint(np.arange(count + 1) * want / count).astype(np.int64))
    held = np.zeros(size, bool)
    for start, length in zip(starts, lengths, strict=True):
        held[start : start + length] = True
    return held


def _purged(panel: Panel, rows: _Rows, held: _Mask, purge: int) -> Split:
    """The split whose training rows keep their distance from the held-out ones in their segment."""
    start, stop = bounds(panel)
    marked = np.zeros(panel.rows, bool)
    marked[rows[held]] = True
    before = np.concatenate([[0], np.cumsum(marked)])
    near = before[np.minimum(rows + purge + 1, stop[rows])] - before[np.maximum(rows - purge, start[rows])]
    result = Split(train=near == 0, held=held)
    if result.train.sum() < LEAST_TRAIN or held.sum() < LEAST_HELD:
        raise FrameError(
            f"Too few rows to hold some out: of {rows.size} transitions, {int(result.train.sum())} would "
            f"train (at least {LEAST_TRAIN}) and {int(held.sum())} be held out (at least {LEAST_HELD}), "
            f"with {purge} purged on each side. Give a longer record, fewer lags, or another held-out "
            "fraction."
        )
    return result
