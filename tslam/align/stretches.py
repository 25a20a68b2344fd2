"""Stretches between moves: where one of some held latents jumps, one stretch ends and the next begins."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from tslam.panel.chain import Chain

__all__ = ["Stretches", "stretches"]

_WIDTH = 8
"""Rows on each side of a move that its size is taken from, and fewest rows of a stretch."""
_LONGEST = 300
"""Rows from which a stretch without a move is cut."""

Stretches = tuple[Int[np.ndarray, " _"], ...]
"""Usable transitions of each stretch, in order."""


def stretches(latents: Float[np.ndarray, "n latent"], c: Chain, loud: float) -> Stretches:
    """Transitions between moves of any of some latents, each stretch within one segment.

    Args:
        latents: The latents of each transition.
        c: The transitions.
        loud: Size of a move, in median absolute sizes of its latent, from which a stretch ends there.
    """
    size = np.max([_sizes(z) for z in latents.T], axis=0)
    edges = np.unique(np.concatenate([np.flatnonzero(c.start), _peaks(size, loud), [size.size]]))
    out = []
    for first, stop in pairwise(edges):
        for part in np.array_split(np.arange(first, stop), max(1, -(-(stop - first) // _LONGEST))):
            usable = part[c.usable[part]]
            if usable.size >= _WIDTH:
                out.append(usable)
    return tuple(out)


def _sizes(z: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """How far a latent moves at each row, in median absolute moves."""
    total = np.append(0.0, np.cumsum(z))
    row = np.arange(z.size)
    low, high = np.maximum(row - _WIDTH, 0), np.minimum(row + _WIDTH, z.size)
    size = np.abs(
        (total[high] - total[row]) / np.maximum(high - row, 1)
        - (total[row] - total[low]) / np.maximum(row - low, 1)
    )
    size[0] = 0.0
    return np.asarray(size / max(float(np.median(size)), 1e-12))


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
