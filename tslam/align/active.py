"""Which stretches to label next: those that would tell most, as stamps to look up in a shift log.

A stretch runs from one move of a latent to the next. The one is taken whose reading is least certain given
the stretches that are labelled already, as if a ridge decoder were fitted to their means; then the next,
with that one counted as labelled. The leading offset of stretches weighs most, so that its ends come first.
A longer stretch counts for more, by the root of its length: its mean is the surer, and an odd short one the
less likely to be taken for its oddity.

Source: Fedorov, "Theory of Optimal Experiments", 1972 (greedy D-optimal choice).
"""

import numpy as np
from jaxtyping import Bool, Float

from tslam.align.reading import Reading
from tslam.align.stretches import Stretches

__all__ = ["choose"]

_PRIOR = 1.0
_LEADING, _LATENTS, _SIDE = 2.0, 0.5, 0.1
"""Weights of the leading offset, most often what nobody logged; of other latents; of what is none."""


def choose(
    reading: Reading, found: Stretches, labelled: Bool[np.ndarray, " n"], count: int
) -> list[tuple[int, float]]:
    """Positions of the stretches to label next, most telling first, with how uncertain each is now.

    Args:
        reading: What is read of each transition.
        found: Stretches of it.
        labelled: Transitions that have a label.
        count: How many to choose.
    """
    features = reading.features
    scaled = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    weights = np.full(features.shape[1], _SIDE)
    weights[: reading.latents] = _LATENTS
    weights[1 : min(2, reading.latents)] = _LEADING
    scaled *= weights
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
