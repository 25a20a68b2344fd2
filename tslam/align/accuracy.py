"""How well an action is read, on labels that were not learnt from: with an interval over labels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tslam.seeding import generator

__all__ = ["Accuracy", "accuracy_of"]

_DRAWS = 500
_TAIL = 0.05


@dataclass(frozen=True)
class Accuracy:
    """R² of the level over labelled rows, or the share of rows with the right level."""

    measure: str
    value: float
    low: float
    high: float
    """Ends of the 90% interval, from drawing labels with replacement."""
    labels: int


def accuracy_of(
    read: Float[np.ndarray, " n"],
    truth: Float[np.ndarray, " n"],
    holds: tuple[Int[np.ndarray, " _"], ...],
    *,
    levels: bool,
    seed: int,
    spread: float | None = None,
) -> Accuracy:
    """Accuracy over holds.

    Args:
        read: The action as read, of each transition.
        truth: The action as labelled; only rows of holds are looked at.
        holds: Transitions of each label.
        levels: Are values positions of levels, not numbers?
        seed: Of the draws.
        spread: Variance of the action that errors are held against; None: that of these holds.
    """
    errors = np.array(
        [
            ((read[h] - truth[h]) ** 2).sum() if not levels else float((read[h] != truth[h]).sum())
            for h in holds
        ]
    )
    sizes = np.array([h.size for h in holds], float)
    values = np.array([truth[h].mean() for h in holds])
    draws = generator(seed, "accuracy").integers(0, len(holds), (_DRAWS, len(holds)))
    scores = np.array([_score(errors[d], sizes[d], values[d], spread, levels=levels) for d in draws])
    scores = scores[np.isfinite(scores)]
    low, high = np.quantile(scores, [_TAIL, 1 - _TAIL]) if scores.size else (-np.inf, np.inf)
    value = _score(errors, sizes, values, spread, levels=levels)
    return Accuracy("accuracy" if levels else "r2", float(value), float(low), float(high), len(holds))


def _score(
    errors: Float[np.ndarray, " label"],
    sizes: Float[np.ndarray, " label"],
    values: Float[np.ndarray, " label"],
    spread: float | None,
    *,
    levels: bool,
) -> float:
    if levels:
        return float(1.0 - errors.sum() / sizes.sum())
    mean = (values * sizes).sum() / sizes.sum()
    own = ((values - mean) ** 2 * sizes).sum() / sizes.sum() if spread is None else spread
    return float(1.0 - errors.sum() / sizes.sum() / own) if own > 1e-12 else float("nan")
