"""Fit one candidate: a family with given lags and latents, on training transitions only."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from tslam.config import FitConfig
from tslam.dynamics.forward import LinearForward, fit_ridge
from tslam.dynamics.held import HeldFit, fit_held
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM, log_score
from tslam.dynamics.linear import one_step, residual_covariance
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.chain import Chain, Structure

__all__ = ["Candidate", "Data", "compare", "fit_held_family", "fit_linear_family"]

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
    cov = residual_covariance(residual, data.train)
    count = min(latents, c.Y.shape[1])
    inverse = one_step(residual, data.train, count) if count else None
    lam = LAM("linear", forward, inverse, forward, cov)
    return Candidate(lam, data.structure, _only(log_score(residual, cov), data.held))


def fit_held_family(
    data: Data, config: FitConfig, latents: int, base: LinearForward | None = None
) -> Candidate:
    """Regression and held latents, jointly; noise covariance full where the latent earns so.

    With full noise covariance z stands for what persists. Where nothing persists it would stand for
    nothing, and the diagonal one lets it follow common white moves instead.

    Args:
        data: Transitions and split.
        config: Ridge and iterations.
        latents: Number of latents, at least 1.
        base: Forward model without latents, where it is known already.
    """
    c = data.chain
    plain = base or fit_ridge(c.X, c.Y, data.train, config.ridge)
    cov = residual_covariance(c.Y - plain.mean(c.X), data.train)
    count = max(1, min(latents, c.Y.shape[1]))

    def candidate(fit: HeldFit) -> Candidate:
        lam = LAM("held", fit.forward, fit.inverse, plain, cov)
        gain = lam.causal_gain(c.X, c.Y, c.start)
        score = gain + log_score(c.Y - plain.mean(c.X), cov)
        return Candidate(lam, data.structure, _only(score, data.held))

    def fitted(noise: str, starts: tuple[float, ...]) -> Candidate:
        return candidate(
            fit_held(
                c.X,
                c.Y,
                data.train,
                c.start,
                latents=count,
                ridge=config.ridge,
                iterations=config.iterations,
                noise="full" if noise == "full" else "diagonal",
                starts=starts,
            )
        )

    full = fitted("full", (0.98,))
    without = Candidate(full.lam, data.structure, _only(log_score(c.Y - plain.mean(c.X), cov), data.held))
    if c.Y.shape[1] == 1 or compare(full, without).p < _EARNED_P:
        return full
    return fitted("diagonal", (0.98, 0.5, 0.05))


def without_latents(candidate: Candidate, data: Data) -> Candidate:
    """The candidate's baseline: the same history and inputs, no latents."""
    c = data.chain
    score = log_score(c.Y - candidate.lam.baseline.mean(c.X), candidate.lam.baseline_cov)
    return replace(candidate, score=_only(score, data.held))


def keep_latents(lam: LAM, keep: list[int]) -> LAM:
    """The model with only the chosen latents, in the order given."""
    if lam.inverse is None:
        return lam
    inverse = HeldInverse(lam.inverse.B[:, keep], lam.inverse.R, lam.inverse.phi[keep])
    return replace(lam, inverse=inverse)


def _only(score: Float[np.ndarray, " n"], rows: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.where(rows, score, np.nan)
