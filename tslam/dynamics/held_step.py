"""One step of expectation-maximisation for a regression and the held latents beside it.

Source: Shumway and Stoffer, "An approach to time series smoothing and forecasting using the EM
algorithm", Journal of Time Series Analysis 3(4), 1982.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import cho_factor, cho_solve

from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.inverse import HeldInverse, LatentPath, stationary
from tslam.dynamics.linear import residual_covariance

__all__ = ["Noise", "Problem", "State"]

Noise = Literal["full", "diagonal"]
"""Covariance of e. ``full`` leaves common white noise to R, so that z stands for what persists;
``diagonal`` lets z take common white moves as well."""

_FLOOR = 1e-9
"""Least variance of e, in scaled units: a channel that never varies has some, too."""


@dataclass(frozen=True, eq=False)
class State:
    """Regression, loadings, noise and persistence."""

    W: Float[np.ndarray, "feat chan"]
    B: Float[np.ndarray, "chan latent"]
    R: Float[np.ndarray, "chan chan"]
    phi: Float[np.ndarray, " latent"]


class _Known:
    """The regression of channels with the same gaps on what is known, solved once: only z changes."""

    def __init__(
        self,
        F: Float[np.ndarray, "n feat"],
        zero: Float[np.ndarray, "n chan"],
        used: Bool[np.ndarray, " n"],
        channels: Int[np.ndarray, " some"],
        penalty: Float[np.ndarray, " feat"],
    ) -> None:
        self.used, self.channels = used, channels
        rows = F[used]
        self.cross = rows.T @ zero[np.ix_(used, channels)]
        self.factor = cho_factor(rows.T @ rows + np.diag(penalty), check_finite=False)
        self.alone = cho_solve(self.factor, self.cross, check_finite=False)


def _same_gaps(
    seen: Bool[np.ndarray, "n chan"],
) -> list[tuple[Bool[np.ndarray, " n"], Int[np.ndarray, " some"]]]:
    """Each pattern of gaps, and the channels that have it."""
    patterns, of = np.unique(seen, axis=1, return_inverse=True)
    return [(patterns[:, k], np.flatnonzero(of.ravel() == k)) for k in range(patterns.shape[1])]


class Problem:
    """Data and the sums over it that no iteration changes."""

    def __init__(
        self,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
        train: Bool[np.ndarray, " n"],
        start: Bool[np.ndarray, " n"],
        ridge: float | Float[np.ndarray, " feat"],
        noise: Noise,
    ) -> None:
        self.F = np.column_stack([X, np.ones(len(X))])
        self.Y = np.where(train[:, None], Y, np.nan)
        self.seen = np.isfinite(self.Y)
        self.zero = np.where(self.seen, self.Y, 0.0)
        self.start, self.noise, self.ridge = start, noise, ridge
        self.count = self.seen.sum(axis=0)
        penalty = np.append(np.broadcast_to(np.asarray(ridge, np.float64), (X.shape[1],)), 1e-9)
        self.whole = bool((self.seen.all(axis=1) | ~self.seen.any(axis=1)).all())
        self.penalty = penalty * max(1, int(self.seen.any(axis=1).sum()))
        self._known = [
            _Known(self.F, self.zero, mask, which, self.penalty) for mask, which in _same_gaps(self.seen)
        ]

    def first(self, latents: int, phi: float) -> State:
        """Ridge regression, and the largest directions of what it leaves."""
        plain = fit_ridge(self.F[:, :-1], self.Y, np.asarray(self.seen.any(axis=1)), self.ridge)
        W = np.vstack([plain.weights, plain.bias])
        left = np.where(self.seen, self.zero - self.F @ W, np.nan)
        cov = residual_covariance(left, np.asarray(self.seen.any(axis=1)))
        values, vectors = np.linalg.eigh(cov)
        # half of the leading variance to z, half to noise: EM moves it from there
        B = vectors[:, ::-1][:, :latents] * np.sqrt(0.5 * np.maximum(values[::-1][:latents], 1e-9))
        R = (
            cov - 0.5 * B @ B.T
            if self.noise == "full"
            else np.diag(np.maximum(np.diag(cov - B @ B.T), _FLOOR))
        )
        return State(W, B, R, np.full(latents, phi))

    def step(self, s: State, *, free: bool = True) -> tuple[State, float]:
        """One EM step, φ kept where it is not free, and the objective of the state it started from."""
        left = self.left(s.W)
        path = HeldInverse(s.B, s.R, s.phi).path(left, self.start)
        objective = self.objective(s, left, path)
        W, B = self.regress(path)
        R = self.noise_left(W, B, path)
        phi, sd = stationary(path, self.start, None if free else s.phi)
        return State(W, B * sd, R, phi), objective

    def left(self, W: Float[np.ndarray, "feat chan"]) -> Float[np.ndarray, "n chan"]:
        """What the regression leaves to z and to noise; NaN where not measured."""
        return np.where(self.seen, self.zero - self.F @ W, np.nan)

    def pack(self, s: State) -> Float[np.ndarray, " theta"]:
        """The state as an unconstrained vector."""
        if self.noise == "full":
            chol = np.linalg.cholesky(s.R)
            spread = np.concatenate([np.log(np.diag(chol)), chol[np.tril_indices(len(chol), -1)]])
        else:
            spread = np.log(np.diag(s.R))
        bounded = np.arctanh(np.clip(s.phi, 1e-4, 0.9995))
        return np.concatenate([s.W.ravel(), s.B.ravel(), spread, bounded])

    def unpack(self, theta: Float[np.ndarray, " theta"]) -> State:
        """The way back."""
        feat, chan = self.F.shape[1], self.Y.shape[1]
        pairs = chan * (chan - 1) // 2 if self.noise == "full" else 0
        latents = (theta.size - feat * chan - chan - pairs) // (chan + 1)
        W, B, log_sd, lower, phi = np.split(theta, np.cumsum([feat * chan, chan * latents, chan, pairs]))
        if self.noise == "full":
            chol = np.diag(np.exp(log_sd))
            chol[np.tril_indices(chan, -1)] = lower
            R = chol @ chol.T
        else:
            R = np.diag(np.exp(log_sd))
        return State(W.reshape(feat, chan), B.reshape(chan, latents), R, np.tanh(phi))

    def regress(
        self, path: LatentPath
    ) -> tuple[Float[np.ndarray, "feat chan"], Float[np.ndarray, "chan latent"]]:
        """Regression on what is known and on E z, with the posterior variance of z."""
        z = path.mean
        szy = z.T @ self.zero
        W, B = np.zeros((self.F.shape[1], self.Y.shape[1])), np.zeros((self.Y.shape[1], z.shape[1]))
        for known in self._known:
            seen = np.where(known.used[:, None], z, 0.0)
            along = self.F.T @ seen
            explained = cho_solve(known.factor, along, check_finite=False)
            # z less what is known of it, and what that says of o_{t+1}: the Schur complement
            own = seen.T @ seen + path.cov[known.used].sum(axis=0) - along.T @ explained
            rest = szy[:, known.channels] - explained.T @ known.cross
            loadings = np.linalg.solve(own + 1e-9 * np.eye(len(own)), rest)
            W[:, known.channels] = known.alone - explained @ loadings
            B[known.channels] = loadings.T
        return W, B

    def noise_left(
        self, W: Float[np.ndarray, "feat chan"], B: Float[np.ndarray, "chan latent"], path: LatentPath
    ) -> Float[np.ndarray, "chan chan"]:
        """Covariance of what is left, the penalty counted as rows of data that say W = 0."""
        left = np.where(self.seen, self.zero - self.F @ W - path.mean @ B.T, 0.0)
        shrunk = (W * self.penalty[:, None]).T @ W
        if self.noise == "full":
            R = left.T @ left + B @ path.cov[self.seen.all(axis=1)].sum(axis=0) @ B.T + shrunk
            R = 0.5 * (R + R.T) / max(1, int(self.count.max()))
            return np.asarray(R + _FLOOR * np.eye(len(R)))
        if self.whole:
            total = path.cov[self.seen.any(axis=1)].sum(axis=0)
            spread = np.einsum("ij,ci,cj->c", total, B, B)
        else:
            spread = (np.einsum("tij,ci,cj->tc", path.cov, B, B) * self.seen).sum(axis=0)
        variance = ((left**2).sum(axis=0) + spread + np.diag(shrunk)) / np.maximum(self.count, 1)
        return np.diag(variance + _FLOOR)

    def objective(self, s: State, left: Float[np.ndarray, "n chan"], path: LatentPath) -> float:
        """Log-likelihood less the penalty, per transition."""
        rows = self.seen.any(axis=1)
        total = float(path.gain[rows].sum())
        zero = np.where(self.seen, left, 0.0)[rows]
        if self.noise == "full":
            chol = np.linalg.cholesky(s.R)
            white = np.linalg.solve(chol, zero.T)
            total -= 0.5 * float((white**2).sum()) + len(zero) * float(np.log(np.diag(chol)).sum())
        else:
            variance = np.diag(s.R)
            total -= 0.5 * float((zero**2 / variance).sum())
            total -= 0.5 * float((self.count * np.log(variance)).sum())
        precision = np.linalg.inv(s.R)
        total -= 0.5 * float(np.sum(precision * ((s.W * self.penalty[:, None]).T @ s.W)))
        total -= 0.5 * _FLOOR * float(np.diag(precision) @ self.count)
        return float(total / max(1, len(zero)) - 0.5 * self.Y.shape[1] * np.log(2 * np.pi))
