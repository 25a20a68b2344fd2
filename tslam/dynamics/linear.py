"""The one-step linear latent action model in closed form: ridge, then the largest directions left over.

Source: Zhang et al., "What Do Latent Action Models Actually Learn?", NeurIPS 2025 (arXiv 2506.15691),
propositions 4.1 and 4.2: minimising reconstruction is PCA on what the forward model leaves. The split
of that variance into latent and noise is the maximum-likelihood one of Tipping and Bishop,
"Probabilistic principal component analysis", JRSS B 61(3), 1999.
"""

import numpy as np
from jaxtyping import Bool, Float

from tslam.dynamics.inverse import HeldInverse

__all__ = ["one_step", "residual_covariance"]

_HAIR = 1e-9
"""Least variance of a channel, in scaled units, and least eigenvalue of the correlations of channels."""
_SHAKY = 1e-3
"""The least eigenvalue where the moments are not those of enough rows, measured together."""


def residual_covariance(
    residual: Float[np.ndarray, "n chan"], rows: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, "chan chan"]:
    """Second moments of residuals over the chosen rows, each pair over the rows where both were measured.

    The result is positive definite: eigenvalues of the correlations are lifted a hair where channels are
    copies of one another, and more where rows are too few, or missing in different places, to tell them
    from 0. A channel without any error is given a hair of it.
    """
    left = residual[rows]
    seen = np.isfinite(left)
    zero = np.where(seen, left, 0.0)
    pairs = seen.astype(float).T @ seen.astype(float)
    cov = zero.T @ zero / np.maximum(pairs, 1.0)
    sd = np.sqrt(np.maximum(np.diag(cov), _HAIR))
    values, vectors = np.linalg.eigh(cov / np.outer(sd, sd))
    sound = pairs.min() > 2 * len(cov) and np.ptp(pairs) == 0
    least = _HAIR if sound else _SHAKY
    if values[0] >= least:
        return np.asarray(cov)
    lifted = (vectors * np.maximum(values, least)) @ vectors.T
    sd /= np.sqrt(np.diag(lifted))  # variances stay as they are
    return np.asarray(lifted * np.outer(sd, sd))


def one_step(
    residual: Float[np.ndarray, "n chan"], rows: Bool[np.ndarray, " n"], latents: int
) -> HeldInverse:
    """Latents with no memory (φ = 0) along the largest directions of the residual.

    Args:
        residual: o_{t+1} − f, scaled; NaN where not measured.
        rows: Transitions to learn from.
        latents: Number of latents, at most the number of channels.
    """
    cov = residual_covariance(residual, rows)
    values, vectors = np.linalg.eigh(cov)
    values, vectors = values[::-1], vectors[:, ::-1]
    chan = len(values)
    rest = values[latents:]
    floor = float(rest.mean()) if latents < chan else 0.5 * float(values[-1])
    floor = max(floor, 1e-9)
    B = vectors[:, :latents] * np.sqrt(np.maximum(values[:latents] - floor, 1e-9))
    # what is not the latent's stays noise as it is, so that latent and noise add up to what was left
    noise = np.where(np.arange(chan) < latents, floor, np.maximum(values, 1e-9))
    return HeldInverse(B, (vectors * noise) @ vectors.T, np.zeros(latents))
