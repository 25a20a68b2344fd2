"""A latent action model: a forward model and an inverse dynamics model, fitted to each other."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from tslam.dynamics.forward import ForwardModel
from tslam.dynamics.inverse import HeldInverse, LatentPath, Mode

__all__ = ["LAM", "FittedFamily", "log_score"]

FittedFamily = Literal["linear", "held", "neural"]


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

    @property
    def latents(self) -> int:
        """Number of latents."""
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
        """Log-score of each transition with the latents known at t, minus that of the baseline, in nats."""
        if self.inverse is None:
            return np.zeros(len(X))
        left = Y - self.forward.mean(X)
        path = self.inverse.path(left, start, "filtered")
        without = log_score(Y - self.baseline.mean(X), self.baseline_cov)
        return np.asarray(log_score(left, self.inverse.R) + path.gain - without)


def log_score(
    residual: Float[np.ndarray, "n chan"], cov: Float[np.ndarray, "chan chan"]
) -> Float[np.ndarray, " n"]:
    """Gaussian log-density of each residual over its measured channels; 0 where nothing was measured."""
    seen = np.isfinite(residual)
    out = np.zeros(len(residual))
    whole = seen.all(axis=1)
    if whole.any():
        chol = np.linalg.cholesky(cov)
        white = np.linalg.solve(chol, residual[whole].T)
        constant = float(np.log(np.diag(chol)).sum()) + 0.5 * len(cov) * np.log(2 * np.pi)
        out[whole] = -0.5 * (white**2).sum(axis=0) - constant
    for t in np.flatnonzero(~whole & seen.any(axis=1)):
        part = seen[t]
        sub = cov[np.ix_(part, part)]
        r = residual[t, part]
        _, logdet = np.linalg.slogdet(sub)
        out[t] = -0.5 * (r @ np.linalg.solve(sub, r) + logdet + len(r) * np.log(2 * np.pi))
    return out
