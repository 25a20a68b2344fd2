"""Fit one candidate: a family with given lags and latents, on training transitions only."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from tslam.config import FitConfig
from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.held import STARTS, Noise, fit_held
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM, log_score
from tslam.dynamics.linear import one_step, residual_covariance
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.chain import Chain, Structure

__all__ = [
    "Candidate",
    "Data",
    "causal_score",
    "compare",
    "fit_held_family",
    "fit_linear_family",
    "keep_latents",
]

_EARNED_P = 0.05
"""A held latent whose causal gain is not this sure gives way to one that may move at every step."""


@dataclass(frozen=True, eq=False)
class Data:
    """Transitions of one structure, and which of them train or are held out."""

    structure: Structure
    chain: Chain
    train: Bool[np.ndarray, " n"]
    held: Bool[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fitted model and its log-score, per transition, on held-out rows."""

    lam: LAM
    structure: Structure
    score: Float[np.ndarray, " n"]
    """Causal log-score of every transition, nats; NaN outside the held-out rows."""

    @property
    def mean(self) -> float:
        """Held-out log-score per transition."""
        return float(np.nanmean(self.score))


def compare(better: Candidate, than: Candidate) -> MeanTest:
    """HAC test of the held-out difference of two candidates, on the rows both predict."""
    return mean_test(better.score - than.score)


def fit_linear_family(data: Data, config: FitConfig, latents: int) -> Candidate:
    """Ridge on history and inputs; latents without memory along what is left over."""
    c = data.chain
    forward = fit_ridge(c.X, c.Y, data.train, config.ridge)
    residual = c.Y - forward.mean(c.X)
    count = min(latents, c.Y.shape[1])
    inverse = one_step(residual, data.train, count) if count else None
    lam = LAM("linear", forward, inverse, forward, residual_covariance(residual, data.train))
    return Candidate(lam, data.structure, causal_score(lam, data))


def fit_held_family(data: Data, config: FitConfig, latents: int) -> Candidate:
    """Regression and held latents, jointly; noise covariance full where the latent earns so.

    With full noise covariance z stands for what persists. Where nothing persists it would stand for
    nothing, and the diagonal one lets it follow common white moves instead.

    Args:
        data: Transitions and split.
        config: Ridge and iterations.
        latents: Number of latents, at least 1; no more than there are channels are fitted.
    """
    c = data.chain
    plain = fit_linear_family(data, config, 0)
    count = max(1, min(latents, c.Y.shape[1]))

    def fitted(noise: Noise, starts: tuple[float, ...]) -> Candidate:
        fit = fit_held(
            c.X, c.Y, data.train, c.start, latents=count, ridge=config.ridge,
            iterations=config.iterations, noise=noise, starts=starts,
        )  # fmt: skip
        lam = LAM("held", fit.forward, fit.inverse, plain.lam.forward, plain.lam.baseline_cov)
        return Candidate(lam, data.structure, causal_score(lam, data))

    full = fitted("full", STARTS[:1])
    if c.Y.shape[1] == 1 or compare(full, plain).p < _EARNED_P:
        return full
    return fitted("diagonal", STARTS)


def causal_score(lam: LAM, data: Data) -> Float[np.ndarray, " n"]:
    """Held-out log-score of causal predictions, under the covariance of the model's own training errors."""
    c = data.chain
    error = c.Y - lam.predict(c.X, c.Y, c.start)
    score = log_score(error, residual_covariance(error, data.train))
    return np.where(data.held, score, np.nan)


def keep_latents(lam: LAM, keep: list[int]) -> LAM:
    """The model with only the chosen latents, in the order given."""
    if lam.inverse is None:
        return lam
    inverse = HeldInverse(lam.inverse.B[:, keep], lam.inverse.R, lam.inverse.phi[keep])
    return replace(lam, inverse=inverse)
