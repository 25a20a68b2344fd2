"""A latent action model: a forward model and an inverse dynamics model, fitted to each other."""

from dataclasses import dataclass, field
from math import lgamma, log, pi
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.dynamics.forward import ForwardModel
from tslam.dynamics.inverse import HeldInverse, LatentPath, Mode, measured_together
from tslam.dynamics.leaps import read_leaps

__all__ = ["DEGREES", "LAM", "FittedFamily", "log_score"]

DEGREES = 6.0
"""Degrees of freedom of the predictive density: heavy enough for moves, near Gaussian in the middle."""

FittedFamily = Literal["linear", "held", "neural", "composed"]


@dataclass(frozen=True, eq=False)
class LAM:
    """o_{t+1} = forward(history, a, x) + B z_t + e, with z read by the inverse dynamics model.

    ``baseline`` is the forward model fitted in the same way without latents, and ``baseline_cov`` the
    covariance of what it leaves: what a latent has to better.
    """

    family: FittedFamily
    forward: ForwardModel
    inverse: HeldInverse | None
    baseline: ForwardModel
    baseline_cov: Float[np.ndarray, "chan chan"]
    told: "LAM | None" = field(default=None, kw_only=True)
    """The model that reads the latents, where another one reads them better than the one that predicts; its
    latents are its own, as many as it tells."""

    @property
    def reader(self) -> "LAM":
        """Who reads the latents that a user sees."""
        return self if self.told is None else self.told

    @property
    def latents(self) -> int:
        """Number of latents of the model itself, which predictions go by."""
        return 0 if self.inverse is None else self.inverse.latents

    def infer(
        self,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
        start: Bool[np.ndarray, " n"],
        mode: Mode = "smoothed",
    ) -> LatentPath | None:
        """Latents of consecutive transitions; None where the model has none."""
        if self.inverse is None:
            return None
        return self.inverse.path(Y - self.forward.mean(X), start, mode)

    def levels(
        self, X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"], start: Bool[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n latent"]:
        """Smoothed latents, with the jumps of what jumps and holds in the rows where they happen."""
        if self.told is not None:
            return self.told.levels(X, Y, start)
        if self.inverse is None:
            return np.zeros((len(X), 0))
        return read_leaps(self.inverse, Y - self.forward.mean(X), start)

    def read(
        self, X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"]
    ) -> Float[np.ndarray, "n latent"]:
        """Latents of transitions each taken alone, as if nothing came before."""
        path = self.infer(X, Y, np.ones(len(X), bool), "filtered")
        return np.zeros((len(X), 0)) if path is None else path.mean

    def apply(
        self, X: Float[np.ndarray, "n feat"], z: Float[np.ndarray, "n latent"]
    ) -> Float[np.ndarray, "n chan"]:
        """The next sample under the latents given."""
        if self.inverse is None:
            return self.baseline.mean(X)
        return np.asarray(self.forward.mean(X) + z @ self.inverse.B.T)

    @property
    def codebook(self) -> int | None:
        """Entries of a codebook; None where latents are continuous."""
        return None

    def codes(
        self, X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"]
    ) -> Int[np.ndarray, "whole book"] | None:
        """Entries of transitions measured whole; None where latents are continuous."""
        del X, Y
        return None

    def predict(
        self, X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"], start: Bool[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n chan"]:
        """Causal one-step prediction of o_{t+1}: latents enter as they were known at t."""
        mean = self.forward.mean(X)
        path = self.infer(X, Y, start, "filtered")
        if path is None or self.inverse is None:
            return mean
        return np.asarray(mean + path.prior @ self.inverse.B.T)

    def causal_gain(
        self, X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"], start: Bool[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """How much better latents known at t predict each transition than the baseline does, in nats.

        Both are scored under the covariance of what the baseline leaves. Under covariances of their own a
        latent would gain on a model with nothing hidden, because it describes the noise with fewer numbers.
        """
        if self.inverse is None:
            return np.zeros(len(X))
        ahead = Y - self.predict(X, Y, start)
        behind = Y - self.baseline.mean(X)
        gain = log_score(ahead, self.baseline_cov) - log_score(behind, self.baseline_cov)
        return np.asarray(gain)


def log_score(
    residual: Float[np.ndarray, "n chan"], cov: Float[np.ndarray, "chan chan"]
) -> Float[np.ndarray, " n"]:
    """Log-density of each residual over its measured channels; 0 where nothing was measured.

    The density is a Student one with a few degrees of freedom and the scale matrix ``cov``: under a Gaussian
    one the rows right after a move, rare and far out, would decide every comparison.

    Source: Lange, Little and Taylor, "Robust statistical modeling using the t distribution", JASA 84(408),
    1989.
    """
    out = np.zeros(len(residual))
    for channels, rows in measured_together(np.isfinite(residual)):
        count = int(channels.sum())
        if count:
            chol = np.linalg.cholesky(cov[np.ix_(channels, channels)])
            white = np.linalg.solve(chol, residual[np.ix_(rows, channels)].T)
            constant = lgamma((DEGREES + count) / 2) - lgamma(DEGREES / 2) - count / 2 * log(DEGREES * pi)
            constant -= float(np.log(np.diag(chol)).sum())
            out[rows] = constant - (DEGREES + count) / 2 * np.log1p((white**2).sum(axis=0) / DEGREES)
    return out
