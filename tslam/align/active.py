"""Which stretches to label next: those that would tell most, as stamps to look up in a shift log.

A stretch runs from one move of a latent to the next. What a label can tell is which of the held levels that
were found is the action, its scale, and how it bends. So the action is taken for a smooth function of those
levels (a Gaussian process: a line and what departs from it), each level counting as far as the record and the
labels so far speak for it. The first two are the stretches that are least certain, one at either end, since a
scale needs both; from then on the one is taken whose label would leave least uncertainty over all rows, which
is what a reading is judged by. A longer stretch counts for more: its mean is the surer, and an odd short one
the less likely to be taken for its oddity.

Source: Cohn, Ghahramani and Jordan, "Active learning with statistical models", Journal of Artificial
Intelligence Research 4, 1996; for Gaussian processes Seo, Wallat, Graepel and Obermayer, IJCNN 2000.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.align.calibrate import FAR, TRUST, calibrate, near
from tslam.align.reading import Reading
from tslam.align.stretches import Stretches
from tslam.panel.limits import standing

__all__ = ["choose"]

_KNOTS = np.linspace(-FAR, FAR, 11)
"""Where what departs from a line is told apart."""
_NOISE = 0.1
"""Variance of what a label does not tell of its stretch; the middle, the line and the rest have one each."""
_SHORT = 50.0
"""Rows of a stretch whose label tells half as surely as that of an endless one."""
_ENDS = 2
"""Labels that a scale takes."""
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
    means = np.array([features[own].mean(axis=0) for own in found]).reshape(len(found), -1)
    rows = _rows(reading, found)
    noise = _noise(rows)
    spread = np.eye(features.shape[1])
    # a label counts once in each stretch, as neighbours that have one each are two
    known = [own[labelled[own]] for own in found if labelled[own].any()]
    for own, left in zip(known, _noise(np.array([own.size for own in known], float)), strict=True):
        spread = _less(spread, features[own].mean(axis=0), left)
    aimed = (means * rows[:, None]).T @ means
    ends = _ENDS - (len(known) if told is None else len(told[0]))
    open_ = {i for i, own in enumerate(found) if not labelled[own].any()}
    out: list[tuple[int, float]] = []
    while open_ and len(out) < count:
        told_of = means @ spread
        unsure = np.sum(told_of * means, axis=1)
        least = np.sum((told_of @ aimed) * told_of, axis=1) / (unsure + noise)
        worth = unsure * rows**0.5 if len(out) < ends else least
        best = max(open_, key=lambda i: (worth[i], -i))
        out.append((best, float(unsure[best])))
        open_.remove(best)
        spread = _less(spread, means[best], noise[best])
    return out


def _less(
    spread: Float[np.ndarray, "feat feat"], mean: Float[np.ndarray, " feat"], noise: float
) -> Float[np.ndarray, "feat feat"]:
    """What is unknown once a stretch is labelled."""
    told = spread @ mean
    return np.asarray(spread - np.outer(told, told) / (float(mean @ told) + noise))


def _noise(rows: Float[np.ndarray, " any"]) -> Float[np.ndarray, " any"]:
    """Variance of what labels of stretches of so many rows leave open."""
    return np.asarray(_NOISE * (1.0 + _SHORT / np.maximum(rows, 1.0)))


def _features(
    reading: Reading, told: tuple[tuple[Int[np.ndarray, " _"], ...], Float[np.ndarray, " label"]] | None
) -> Float[np.ndarray, "n feat"]:
    """What the action is a sum of: a middle, and of each level a line and what departs from it.

    Each level is weighed by how much its label would tell of it.
    """
    levels = reading.levels
    middle = np.ones((len(levels), 1))
    if not levels.shape[1]:  # nothing held was found: what is measured is all that there is
        features = reading.features
        away = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
        return np.column_stack([middle, _SIDE * away])
    behind = np.array([held.behind for held in reading.held])
    weights = np.exp(-TRUST * behind)
    if told is not None and len(set(told[1].tolist())) > 1:
        weights = np.zeros(len(behind))
        for curve in calibrate(levels, behind, *told):
            weights[curve.which] += curve.weight
    # Nyström's features of the kernel: exact at the knots, within a fiftieth between them
    root = np.linalg.cholesky(near(_KNOTS, _KNOTS))
    parts = [middle]
    for level, weight in zip(levels.T, weights / weights.sum(), strict=True):
        bent = np.linalg.solve(root, near(_KNOTS, level))
        parts += [weight**0.5 * np.clip(level, -FAR, FAR)[:, None], weight**0.5 * bent.T]
    return np.column_stack(parts)


def _rows(reading: Reading, found: Stretches) -> Float[np.ndarray, " stretch"]:
    """Rows of each stretch, but those in which something stands at a limit: there a level is read badly."""
    if not reading.held:
        return np.array([own.size for own in found], float)
    # every solution was fitted to the same record, which says where the limits are
    stuck = np.any(standing(reading.chain.Y, reading.held[0].model.limits), axis=1)
    return np.array([np.count_nonzero(~stuck[own]) for own in found], float)
