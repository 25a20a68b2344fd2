"""Held latents read as what they are where that is likelier: levels that jump, and what wanders beside them.

A Kalman smoother spreads a jump over the rows around it, and the less sure the rows the more of them. Where
levels that are held between jumps tell what was measured better than a path that drifts, jumps included in
the price, they are taken for the latent, and only what they leave is smoothed: a move then stands in one row.
"""

import numpy as np
from jaxtyping import Bool, Float

from tslam.dynamics.inverse import HeldInverse
from tslam.kernels.kalman import kalman_filter, kalman_smoother
from tslam.kernels.levels import held_levels

__all__ = ["read_leaps"]

_PENALTY = 8.0
"""Nats that a jump costs: 1 in 3,000 rows. From 8 to 12 our plants were read alike."""
_PASSES = 3
"""Times that each latent is read beside the others."""
_FAINT = 1e-6
"""Precision per row below which a latent says nothing."""
_MEMORY = 20
"""Rows over which misfit may last: what is wrong in the same way for long counts as one row, not as many."""

_Rows = Float[np.ndarray, " n"]


def read_leaps(
    inverse: HeldInverse, residual: Float[np.ndarray, "n chan"], start: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, "n latent"]:
    """Smoothed latents, with the jumps of those that jump and hold in the rows where they happen.

    Args:
        inverse: The latents.
        residual: o_{t+1} − f, scaled; NaN where not measured.
        start: True where a segment begins.
    """
    h, J, which = inverse.measurement(residual)
    z = drifting = _smooth(inverse, h, J, which, start)
    levels = np.zeros_like(z)
    own = np.einsum("pii->pi", J)[which]
    strongest = np.argsort(-own.mean(axis=0), kind="stable")
    held = [i for i in strongest if inverse.phi[i] and own[:, i].mean() > _FAINT]
    for _ in range(_PASSES):
        z = z.copy()
        for i in held:
            precision = own[:, i]
            others = np.einsum("tj,tj->t", J[which, i], z) - precision * z[:, i]
            w = (h[:, i] - others) / np.where(precision > 0, precision, np.inf)
            sure = precision / _lasting((w - z[:, i]) * np.sqrt(precision), precision > 0)
            found, gain = held_levels(w, sure, start, _PENALTY)
            leaps = gain > _drift_gain(w, sure, start, float(inverse.phi[i]))
            levels[:, i] = found if leaps else 0.0
            z[:, i] = found if leaps else drifting[:, i]
    if not levels.any():
        return drifting
    left = h - np.einsum("tij,tj->ti", J[which], levels)
    return np.asarray(levels + _smooth(inverse, left, J, which, start))


def _smooth(
    inverse: HeldInverse,
    h: Float[np.ndarray, "n latent"],
    J: Float[np.ndarray, "pattern latent latent"],
    which: np.ndarray,
    start: Bool[np.ndarray, " n"],
) -> Float[np.ndarray, "n latent"]:
    q = 1.0 - inverse.phi[None] ** 2
    prior, prior_cov, mean, cov, _ = kalman_filter(h, J, which, start, inverse.phi, q)
    return np.asarray(kalman_smoother(start, inverse.phi, prior, prior_cov, mean, cov)[0])


def _drift_gain(w: _Rows, precision: _Rows, start: Bool[np.ndarray, " n"], phi: float) -> float:
    """Log-likelihood of a path that drifts over that of z = 0."""
    each, which = np.unique(precision, return_inverse=True)
    q = np.array([[1.0 - phi**2]])
    h = (precision * w)[:, None]
    return float(kalman_filter(h, each[:, None, None], which.ravel(), start, np.array([phi]), q)[4].sum())


def _lasting(error: _Rows, seen: Bool[np.ndarray, " n"]) -> float:
    """Long-run variance of an error over its variance, at least 1 (Bartlett weights)."""
    e = error[seen]
    e = e - e.mean() if e.size else e
    power = float(e @ e)
    if e.size <= _MEMORY or power <= 0:
        return 1.0
    lags = np.arange(1, _MEMORY + 1)
    shared = np.array([e[k:] @ e[:-k] for k in lags]) / power
    return max(1.0, float(1.0 + 2.0 * ((1.0 - lags / (_MEMORY + 1)) * shared).sum()))
