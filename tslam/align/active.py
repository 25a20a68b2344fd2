"""Which stretches to label next: those that would tell most, as stamps to look up in a shift log.

A stretch runs from one move of the lean latent to the next. The one is taken whose reading is least certain
given the stretches that are labelled already, as if a ridge decoder were fitted to their means; then the
next, with that one counted as labelled. A longer stretch counts for more, by the root of its length: its mean
is the surer, and an odd short one the less likely to be taken for its oddity.

Source: Fedorov, "Theory of Optimal Experiments", 1972 (greedy D-optimal choice).
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.align.reading import Reading

__all__ = ["choose", "stretches"]

_WIDTH = 8
"""Rows on each side of a move that its size is taken from, and fewest rows of a stretch."""
_LOUD = 4.0
"""Size of a move, in median absolute sizes, from which a stretch ends there."""
_LONGEST = 300
"""Rows from which a stretch without a move is cut."""
_PRIOR = 1.0
_SIDE = 0.3
"""Weight of what is not a latent."""


def stretches(reading: Reading) -> list[Int[np.ndarray, " _"]]:
    """Transitions between moves of the lean latent, each stretch within one segment."""
    z, c = reading.features[:, 0], reading.chain
    total = np.append(0.0, np.cumsum(z))
    row = np.arange(z.size)
    low, high = np.maximum(row - _WIDTH, 0), np.minimum(row + _WIDTH, z.size)
    size = np.abs(
        (total[high] - total[row]) / np.maximum(high - row, 1)
        - (total[row] - total[low]) / np.maximum(row - low, 1)
    )
    size[0] = 0.0
    peaks = _peaks(size, _LOUD * float(np.median(size)))
    edges = np.unique(np.concatenate([np.flatnonzero(c.start), peaks, [z.size]]))
    out = []
    for first, stop in pairwise(edges):
        for part in np.array_split(np.arange(first, stop), max(1, -(-(stop - first) // _LONGEST))):
            usable = part[c.usable[part]]
            if usable.size >= _WIDTH:
                out.append(usable)
    return out


def choose(
    reading: Reading, found: list[Int[np.ndarray, " _"]], labelled: Bool[np.ndarray, " n"], count: int
) -> list[tuple[int, float]]:
    """Positions of the stretches to label next, most telling first, with how uncertain each is now.

    Args:
        reading: What is read of each transition.
        found: From :func:`stretches`.
        labelled: Transitions that have a label.
        count: How many to choose.
    """
    features = reading.features
    scaled = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    scaled[:, reading.latents :] *= _SIDE
    means = np.array([np.append(scaled[own].mean(axis=0), 1.0) for own in found]).reshape(len(found), -1)
    open_ = {i for i, own in enumerate(found) if not labelled[own].any()}
    inverse = np.linalg.inv(_information(scaled, labelled) + _PRIOR * np.eye(means.shape[1]))
    out: list[tuple[int, float]] = []
    while open_ and len(out) < count:
        unsure = {i: float(means[i] @ inverse @ means[i]) for i in open_}
        best = max(unsure, key=lambda i: (unsure[i] * found[i].size ** 0.5, -i))
        out.append((best, unsure[best]))
        open_.remove(best)
        direction = inverse @ means[best]
        inverse -= np.outer(direction, direction) / (1.0 + float(means[best] @ direction))
    return out


def _information(scaled: Float[np.ndarray, "n feat"], labelled: Bool[np.ndarray, " n"]) -> np.ndarray:
    """What the labelled stretches tell already: one count for each run of labelled rows."""
    total = np.zeros((scaled.shape[1] + 1, scaled.shape[1] + 1))
    edges = np.flatnonzero(np.diff(np.r_[False, labelled, False]))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        mean = np.append(scaled[first:stop].mean(axis=0), 1.0)
        total += np.outer(mean, mean)
    return total


def _peaks(size: Float[np.ndarray, " n"], least: float) -> Int[np.ndarray, " peak"]:
    """Rows of the largest sizes, none within a width of a larger one."""
    out: list[int] = []
    taken = np.zeros(size.size, bool)
    for row in np.argsort(-size, kind="stable"):
        if size[row] < least or size[row] == 0.0:
            break
        if not taken[row]:
            out.append(int(row))
            taken[max(0, row - _WIDTH) : row + _WIDTH + 1] = True
    return np.array(sorted(out), np.int64)
