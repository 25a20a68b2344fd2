"""Which stretches to label next: those that would tell most, as stamps to look up in a shift log.

A stretch runs from one move of a latent to the next. What a label can tell is which of the held levels that
were found is the action, its scale, and its bend. So a stretch is described by those levels, and by their
squares, each level counting as far as the record and the labels so far speak for it. The stretch is taken
whose reading is least certain given those that are labelled, as if a line were fitted to them; then the next,
with that one counted as labelled. A longer stretch counts for more, by the root of its length: its mean is
the surer, and an odd short one the less likely to be taken for its oddity.

Source: Fedorov, "Theory of Optimal Experiments", 1972 (greedy D-optimal choice).
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.align.calibrate import TRUST, calibrate
from tslam.align.reading import Reading
from tslam.align.stretches import Stretches
from tslam.panel.limits import standing

__all__ = ["choose"]

_PRIOR = 0.3
"""Information on every direction before any label, in labels."""
_FAR = 1.5
"""Standard deviations beyond which a level counts as no farther: rare surges are not what moves an action."""
_BENT = 0.3
"""Weight of the square of a level beside itself."""
_SIDE = 0.1
"""Weight of what is no level."""


def choose(
    reading: Reading,
    found: Stretches,
    labelled: Bool[np.ndarray, " n"],
    count: int,
    told: tuple[tuple[Int[np.ndarray, " _"], ...], Float[np.ndarray, " label"]] | None = None,
) -> list[tuple[int, float]]:
    """Positions of the stretches to label next, most telling first, with how uncertain each is now.

    Args:
        reading: What is read of each transition.
        found: Stretches of it.
        labelled: Transitions that have a label.
        count: How many to choose.
        told: Transitions and values of the labels so far, where they are numbers.
    """
    features = _features(reading, told)
    means = np.array([_mean(features, own) for own in found]).reshape(len(found), -1)
    open_ = {i for i, own in enumerate(found) if not labelled[own].any()}
    prior = _PRIOR * np.eye(means.shape[1])
    inverse = np.linalg.inv(_information(features, labelled) + prior)
    sizes = _told(reading, found)
    out: list[tuple[int, float]] = []
    while open_ and len(out) < count:
        unsure = {i: float(means[i] @ inverse @ means[i]) for i in open_}
        best = max(unsure, key=lambda i: (unsure[i] * sizes[i] ** 0.5, -i))
        out.append((best, unsure[best]))
        open_.remove(best)
        direction = inverse @ means[best]
        inverse -= np.outer(direction, direction) / (1.0 + float(means[best] @ direction))
    return out


def _features(
    reading: Reading, told: tuple[tuple[Int[np.ndarray, " _"], ...], Float[np.ndarray, " label"]] | None
) -> Float[np.ndarray, "n feat"]:
    """What a stretch is described by, each weighed by how much its label would tell of it."""
    levels = reading.levels
    if not levels.shape[1]:  # nothing held was found: what is measured is all that there is
        features = reading.features
        return np.asarray(_SIDE * (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9))
    behind = np.array([held.behind for held in reading.held])
    weight = np.exp(-TRUST * behind)
    if told is not None and len(set(told[1].tolist())) > 1:
        weight = np.zeros(len(behind))
        for curve in calibrate(levels, behind, *told):
            weight[curve.which] += curve.weight
    near = np.clip(levels, -_FAR, _FAR)
    share = np.sqrt(weight / weight.sum())
    return np.column_stack([share * near, _BENT * share * (near**2 - 1.0)])


def _told(reading: Reading, found: Stretches) -> Float[np.ndarray, " stretch"]:
    """Rows of each stretch, but those in which something stands at a limit: there a level is read badly."""
    if not reading.held:
        return np.array([own.size for own in found], float)
    # every solution was fitted to the same record, which says where the limits are
    stuck = np.any(standing(reading.chain.Y, reading.held[0].model.limits), axis=1)
    return np.array([np.count_nonzero(~stuck[own]) for own in found], float)


def _mean(features: Float[np.ndarray, "n feat"], own: Int[np.ndarray, " _"]) -> Float[np.ndarray, " any"]:
    return np.append(features[own].mean(axis=0), 1.0)


def _information(features: Float[np.ndarray, "n feat"], labelled: Bool[np.ndarray, " n"]) -> np.ndarray:
    """What the labelled stretches tell already: one count for each run of labelled rows."""
    total = np.zeros((features.shape[1] + 1, features.shape[1] + 1))
    edges = np.flatnonzero(np.diff(np.r_[False, labelled, False]))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        mean = _mean(features, np.arange(first, stop))
        total += np.outer(mean, mean)
    return total
