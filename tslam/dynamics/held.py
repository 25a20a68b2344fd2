"""Held latents by expectation-maximisation: level and moves of an action that nobody logged.

The regression of o_{t+1} on what is known and the path of z are fitted jointly. A forward model fitted
first would absorb the held level into history, and leave only the moves.

Source: Shumway and Stoffer, "An approach to time series smoothing and forecasting using the EM
algorithm", Journal of Time Series Analysis 3(4), 1982. Accelerated, because plain EM crawls where
noise is small (:mod:`tslam.dynamics.squarem`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from tslam.dynamics.forward import LinearForward, fit_ridge
from tslam.dynamics.inverse import HeldInverse, LatentPath, stationary
from tslam.dynamics.linear import residual_covariance
from tslam.dynamics.squarem import accelerate
from tslam.errors import TrainingError

__all__ = ["STARTS", "HeldFit", "Noise", "fit_held", "fit_held_from"]

Noise = Literal["full", "diagonal"]
"""Covariance of e. ``full`` leaves common white noise to R, so that z stands for what persists;
``diagonal`` lets z take common white moves as well."""

STARTS = (0.98, 0.5, 0.05)
"""First guesses of φ: EM keeps near its start, so each is tried and the likeliest kept."""
_FLOOR = 1e-9
"""Least variance of e, in scaled units: a channel that never varies has some, too."""
_SETTLED = 10.0
"""φ is freed once a round gains less than this many times the tolerance."""


@dataclass(frozen=True, eq=False)
class HeldFit:
    """A forward regression and the latents that go with it."""

    forward: LinearForward
    inverse: HeldInverse
    loglik: float
    """Nats per transition of the training rows, less the ridge penalty."""
    history: tuple[float, ...]
    """The same after each round of iterations; it never falls."""


@dataclass(frozen=True, eq=False)
class _State:
    W: Float[np.ndarray, "feat chan"]
    B: Float[np.ndarray, "chan latent"]
    R: Float[np.ndarray, "chan chan"]
    phi: Float[np.ndarray, " latent"]


class _Problem:
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
        used = self.F[self.seen.any(axis=1)]
        self.gram = used.T @ used
        self.penalty = np.diag(penalty * max(1, len(used)))
        self.cross = self.F.T @ self.zero
        self.grams = (
            [self.gram] * Y.shape[1]
            if self.whole
            else [self.F[s].T @ self.F[s] for s in self.seen.T]  # channels with gaps of their own
        )

    def first(self, latents: int, phi: float) -> _State:
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
        return _State(W, B, R, np.full(latents, phi))

    def step(self, s: _State, *, free: bool = True) -> tuple[_State, float]:
        """One EM step, φ kept where it is not free, and the objective of the state it started from."""
        left = np.where(self.seen, self.zero - self.F @ s.W, np.nan)
        path = HeldInverse(s.B, s.R, s.phi).path(left, self.start)
        objective = self._objective(s, left, path)
        W, B = self._regress(path)
        R = self._noise(W, B, path)
        phi, sd = stationary(path, self.start, None if free else s.phi)
        return _State(W, B * sd, R, phi), objective

    def pack(self, s: _State) -> Float[np.ndarray, " theta"]:
        """The state as an unconstrained vector."""
        if self.noise == "full":
            chol = np.linalg.cholesky(s.R)
            spread = np.concatenate([np.log(np.diag(chol)), chol[np.tril_indices(len(chol), -1)]])
        else:
            spread = np.log(np.diag(s.R))
        bounded = np.arctanh(np.clip(s.phi, 1e-4, 0.9995))
        return np.concatenate([s.W.ravel(), s.B.ravel(), spread, bounded])

    def unpack(self, theta: Float[np.ndarray, " theta"]) -> _State:
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
        return _State(W.reshape(feat, chan), B.reshape(chan, latents), R, np.tanh(phi))

    def _regress(
        self, path: LatentPath
    ) -> tuple[Float[np.ndarray, "feat chan"], Float[np.ndarray, "chan latent"]]:
        """Regression on what is known and on E z, with the posterior variance of z."""
        z, feat = path.mean, self.F.shape[1]
        szy = z.T @ self.zero
        solution = np.zeros((feat + z.shape[1], self.Y.shape[1]))
        groups = (
            [np.arange(self.Y.shape[1])] if self.whole else [np.array([c]) for c in range(self.Y.shape[1])]
        )
        for group in groups:
            used = self.seen[:, group[0]]
            sfz = self.F[used].T @ z[used]
            szz = z[used].T @ z[used] + path.cov[used].sum(axis=0)
            gram = np.block(
                [[self.grams[group[0]] + self.penalty, sfz], [sfz.T, szz + 1e-9 * np.eye(len(szz))]]
            )
            right = np.vstack([self.cross[:, group], szy[:, group]])
            solution[:, group] = np.linalg.solve(gram, right)
        return solution[:feat], solution[feat:].T

    def _noise(
        self, W: Float[np.ndarray, "feat chan"], B: Float[np.ndarray, "chan latent"], path: LatentPath
    ) -> Float[np.ndarray, "chan chan"]:
        """Covariance of what is left, the penalty counted as rows of data that say W = 0."""
        left = np.where(self.seen, self.zero - self.F @ W - path.mean @ B.T, 0.0)
        shrunk = W.T @ self.penalty @ W
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

    def _objective(self, s: _State, left: Float[np.ndarray, "n chan"], path: LatentPath) -> float:
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
        total -= 0.5 * float(np.sum(precision * (s.W.T @ self.penalty @ s.W)))
        total -= 0.5 * _FLOOR * float(np.diag(precision) @ self.count)
        return float(total / max(1, len(zero)) - 0.5 * self.Y.shape[1] * np.log(2 * np.pi))


def fit_held(
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    train: Bool[np.ndarray, " n"],
    start: Bool[np.ndarray, " n"],
    *,
    latents: int = 1,
    ridge: float | Float[np.ndarray, " feat"] = 1e-3,
    iterations: int = 200,
    tolerance: float = 1e-6,
    noise: Noise = "full",
    starts: Sequence[float] = STARTS,
) -> HeldFit:
    """Fit regression, latents and their persistence jointly; keep the likeliest of several starts.

    φ stays at its first guess until regression and loadings have settled around it, and is found
    then. Freed at once it follows a regression that has absorbed the held level, and sticks low.

    Args:
        X: Regressors of consecutive transitions, about unit variance.
        Y: o_{t+1}, scaled; NaN where not measured.
        train: Transitions to learn from; the others leave the latent path free.
        start: True where a segment begins.
        latents: Number of latents.
        ridge: Penalty per row on the regression, one number or one per regressor.
        iterations: Most EM steps from each start.
        tolerance: Stop when an accelerated step gains less, in nats per transition.
        noise: Covariance of e; ``full`` needs every channel measured together, in more than twice as many
            rows as there are channels, and falls back to ``diagonal`` where that is not so.
        starts: First guesses of φ.

    Raises:
        TrainingError: no start led to finite numbers.
    """
    seen = np.isfinite(Y[train])
    together = bool((seen.all(axis=1) | ~seen.any(axis=1)).all()) and seen[:, 0].sum() > 2 * Y.shape[1]
    problem = _Problem(X, Y, train, start, ridge, noise if together else "diagonal")
    best: tuple[_State, list[float]] | None = None
    for phi in starts:
        try:
            state, history = _climb(problem, problem.first(latents, phi), iterations, tolerance)
        except np.linalg.LinAlgError:
            continue  # this start met a singular covariance; the others may not, and none is an error below
        if np.isfinite(history[-1]) and (best is None or history[-1] > best[1][-1]):
            best = (state, history)
    if best is None:
        raise TrainingError(
            f"EM for {latents} held latents did not arrive at finite numbers from any start. "
            "Look for channels of wildly different scale or nearly equal channels, or raise `ridge`."
        )
    s, history = best
    inverse = HeldInverse(s.B, s.R, s.phi)
    return HeldFit(LinearForward(s.W[:-1], s.W[-1]), inverse, history[-1], tuple(history))


def fit_held_from(
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    train: Bool[np.ndarray, " n"],
    start: Bool[np.ndarray, " n"],
    *,
    forward: LinearForward,
    inverse: HeldInverse,
    ridge: float,
    iterations: int = 60,
    tolerance: float = 1e-5,
) -> HeldFit:
    """Fit regression and latents jointly from where they are, φ free: each latent stays the one it was.

    Args:
        X: Regressors of consecutive transitions, about unit variance.
        Y: o_{t+1}, scaled; NaN where not measured.
        train: Transitions to learn from; the others leave the latent path free.
        start: True where a segment begins.
        forward: First guess of the regression.
        inverse: First guess of the latents; its noise stays diagonal where it is.
        ridge: Penalty per row on the regression.
        iterations: Most EM steps.
        tolerance: Stop when an accelerated step gains less, in nats per transition.

    Raises:
        TrainingError: a step met a singular covariance.
    """
    diagonal = not np.any(inverse.R - np.diag(np.diag(inverse.R)))
    problem = _Problem(X, Y, train, start, ridge, "diagonal" if diagonal else "full")
    first = _State(np.vstack([forward.weights, forward.bias]), inverse.B, inverse.R, inverse.phi)
    try:
        s, history = accelerate(
            problem.step, first, problem.pack, problem.unpack, iterations=iterations, tolerance=tolerance
        )
    except np.linalg.LinAlgError as error:
        raise TrainingError(
            f"EM for {inverse.latents} held latents met a singular covariance ({error}). Look for nearly "
            "equal channels, or raise `ridge`."
        ) from error
    return HeldFit(
        LinearForward(s.W[:-1], s.W[-1]), HeldInverse(s.B, s.R, s.phi), history[-1], tuple(history)
    )


def _climb(problem: _Problem, state: _State, iterations: int, tolerance: float) -> tuple[_State, list[float]]:
    """First with φ as it is, then with φ free."""
    history: list[float] = []
    for free, most, enough in ((False, iterations // 2, _SETTLED * tolerance), (True, iterations, tolerance)):
        state, climbed = accelerate(
            partial(problem.step, free=free),
            state,
            problem.pack,
            problem.unpack,
            iterations=most,
            tolerance=enough,
        )
        history += climbed
    return state, history
