"""What each stretch adds of its own: slopes within stretches, and directions in which their offsets differ.

    o_{t+1} = f(o_t, a_t, x_t) + c_s + e_t      within stretch s, c_s free

A latent that is held is all in the offsets c_s. A regression over the whole record loses it: state and inputs
of the past go with the level, and their slopes take over what is due to it. Within a stretch the level is the
same throughout, so slopes that are learnt there owe it nothing; the offsets are then what is left, and their
leading directions, in units of the noise, are levels that nobody logged.

Source: Mundlak, "On the pooling of time series and cross section data", Econometrica 46(1), 1978 (the within
estimator); Bai, "Panel data models with interactive fixed effects", Econometrica 77(4), 2009 (their factors);
Schwarz, "Estimating the dimension of a model", Annals of Statistics 6(2), 1978 (the score).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.align.stretches import Stretches
from tslam.panel.chain import Chain

__all__ = ["Offsets", "learn_offsets"]

_DIRECTIONS = 2
"""Directions in which offsets are read; what a plant leaves unlogged is seldom more than two things."""
_RIDGE, _PRODUCT_RIDGE = 1e-3, 1e-2
"""Penalty per row on slopes of signals, and of their products."""
_SHORTEST = 8
"""Fewest rows of a stretch that is learnt from."""


@dataclass(frozen=True, eq=False)
class Offsets:
    """Slopes within stretches, and where their offsets are read."""

    weights: Float[np.ndarray, "wide chan"]
    middle: Float[np.ndarray, " chan"]
    """Mean offset."""
    directions: Float[np.ndarray, "chan latent"]
    """Offsets in these directions have a variance of one over the record that was learnt from."""

    def path(
        self, F: Float[np.ndarray, "n wide"], c: Chain, parts: Stretches
    ) -> Float[np.ndarray, "n latent"]:
        """The offsets of each transition's stretch, read; 0 where nothing can be said."""
        out = np.zeros((len(F), self.directions.shape[1]))
        for own in parts:
            seen = own[np.isfinite(c.Y[own]).all(axis=1)]
            if seen.size:
                offset = (c.Y[seen] - F[seen] @ self.weights).mean(axis=0)
                out[own[0] : own[-1] + 1] = (offset - self.middle) @ self.directions
        return out


def learn_offsets(
    F: Float[np.ndarray, "n wide"], c: Chain, rows: Bool[np.ndarray, " n"], parts: Stretches
) -> tuple[Offsets, float]:
    """Learn slopes and directions.

    Args:
        F: Regressors of each transition; those of the chain first, then products of them.
        c: The transitions.
        rows: Transitions that may be learnt from.
        parts: Stretches between moves.

    Returns:
        The offsets, and the Bayesian information per row: of two ways to part a record take that with more.
    """
    use = rows & np.isfinite(c.Y).all(axis=1)
    own = [part[use[part]] for part in parts]
    own = [part for part in own if part.size >= _SHORTEST]
    chan = c.Y.shape[1]
    if len(own) <= _DIRECTIONS:
        return Offsets(np.zeros((F.shape[1], chan)), np.zeros(chan), np.zeros((chan, 0))), -np.inf
    within, targets = _demeaned(F, own), _demeaned(c.Y, own)
    lean = c.X.shape[1]
    penalty = np.append(np.full(lean, _RIDGE), np.full(F.shape[1] - lean, _PRODUCT_RIDGE)) * len(within)
    weights = np.linalg.solve(within.T @ within + np.diag(penalty), within.T @ targets)
    left = targets - within @ weights
    noise = left.T @ left / len(left) + 1e-9 * np.eye(chan)
    score = -0.5 * (np.linalg.slogdet(noise)[1] + len(own) * chan * np.log(len(left)) / len(left))
    whiten = np.linalg.cholesky(np.linalg.inv(noise))
    offsets = np.array([(c.Y[part] - F[part] @ weights).mean(axis=0) for part in own])
    share = np.array([part.size for part in own], float)
    share /= share.sum()
    middle = share @ offsets
    _, size, turned = np.linalg.svd(
        (offsets - middle) @ whiten * np.sqrt(share)[:, None], full_matrices=False
    )
    kept = min(_DIRECTIONS, int((size > 1e-9).sum()))
    directions = whiten @ turned[:kept].T / size[:kept]
    # a direction has no sign of its own: the largest entry is positive
    largest = np.abs(directions).argmax(axis=0)
    directions *= np.sign(directions[largest, np.arange(kept)])
    return Offsets(weights, middle, directions), float(score)


def _demeaned(values: Float[np.ndarray, "n any"], parts: list[Int[np.ndarray, " _"]]) -> np.ndarray:
    return np.concatenate([values[part] - values[part].mean(axis=0) for part in parts])
