"""A linear state shown by noisy sensors, and beside it held inputs that nobody measured, by EM.

x_t = A x_{t-1} + D z_{t-1} + B u_t + w, y_t = x_t + v, with a sensor for each observation, z held (AR(1) of
unit variance) and u known. Sensor noise is part of the model, so that z need not stand for it: a regression
on readings leaves an error that lasts, and a held input would be found in it.

Source: Shumway and Stoffer, "An approach to time series smoothing and forecasting using the EM algorithm",
Journal of Time Series Analysis 3(4), 1982.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.kernels.state_space import filter_state, smooth_state
from tslam.panel.panel import Panel
from tslam.panel.windows import carry

__all__ = ["Path", "Readings", "Sensed", "fit_sensed", "known_inputs", "with_held"]

_FIRST_ROUNDS = 6
"""Rounds before it may: a held input starts small."""
_NOISE_SHARE = 0.15
"""Of the variance of a one-step error, at the start: sensor noise."""
_HELD_SHARE = 0.075
"""Of the state's noise along its largest directions, at the start: a held input's."""
_HELD_RIDGE = 1e-6
_START, _LEAST_PHI, _MOST_PHI = 0.98, 0.5, 0.9995
_LEAST = 1e-7


@dataclass(frozen=True, eq=False)
class Readings:
    """What sensors said, row after row, and what is known to act."""

    y: Float[np.ndarray, "n d"]
    """0 where there is no reading."""
    seen: Bool[np.ndarray, "n d"]
    start: Bool[np.ndarray, " n"]
    """True where a segment begins."""
    inputs: Float[np.ndarray, "n k"]
    """What acts between row t - 1 and row t."""
    carried: Float[np.ndarray, "n d"]
    """Readings, the last one where there is none."""

    @classmethod
    def of(
        cls, panel: Panel, first: Int[np.ndarray, " rows"], inputs: Float[np.ndarray, "rows k"]
    ) -> "Readings":
        """Those of a panel, whose segments begin at the rows ``first`` tells for each row."""
        seen = np.isfinite(panel.obs)
        start = np.arange(panel.rows) == first
        return cls(np.where(seen, panel.obs, 0.0), seen, start, inputs, carry(panel.obs, first))

    def head(self, rows: int) -> "Readings":
        """The first rows."""
        return Readings(*(v[:rows] for v in (self.y, self.seen, self.start, self.inputs, self.carried)))


@dataclass(frozen=True, eq=False)
class Path:
    """Means ``[n, d + latent]`` of state and held inputs given all readings, and covariances."""

    mean: Float[np.ndarray, "n s"]
    cov: Float[np.ndarray, "n s s"]
    lagged: Float[np.ndarray, "n s s"]
    """With the row before."""
    total: float
    """Log-likelihood, up to a constant."""


@dataclass(frozen=True, eq=False)
class Sensed:
    """What the fit found."""

    W: Float[np.ndarray, "d f"]
    """What state, held inputs and known inputs (in this order) add to the next state."""
    Q: Float[np.ndarray, "d d"]
    R: Float[np.ndarray, " d"]
    phi: Float[np.ndarray, " latent"]

    @property
    def direction(self) -> Float[np.ndarray, "d latent"]:
        """What one unit of each held input adds to the next state."""
        d = len(self.R)
        return self.W[:, d : d + self.phi.size]

    def ahead(self, readings: Readings) -> Float[np.ndarray, "n d"]:
        """What is expected of each row, from the rows before it."""
        return self._filter(readings, keep=False)[1][:, : len(self.R)]

    def causal(self, readings: Readings) -> Float[np.ndarray, "n d"]:
        """The state of each row, from the readings up to it."""
        return self._filter(readings, keep=False)[0][:, : len(self.R)]

    def smoothed(self, readings: Readings) -> Path | None:
        """The path given all readings; None where it leaves the numbers."""
        after, before, after_cov, before_cov, total = self._filter(readings, keep=True)
        if not np.isfinite(total) or not np.isfinite(after_cov).all():
            return None
        mean, cov, lagged = smooth_state(
            readings.start, self._transition(), after, before, after_cov, before_cov
        )
        return Path(mean, cov, lagged, total) if np.isfinite(mean).all() else None

    def _transition(self) -> Float[np.ndarray, "s s"]:
        d, size = len(self.R), len(self.R) + self.phi.size
        A = np.zeros((size, size))
        A[:d] = self.W[:, :size]
        A[d:, d:] = np.diag(self.phi)
        return A

    def _filter(
        self, readings: Readings, *, keep: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
        n, d = readings.y.shape
        held = self.phi.size
        drive = np.column_stack([readings.inputs @ self.W[:, d + held :].T, np.zeros((n, held))])
        Q = np.zeros((d + held, d + held))
        Q[:d, :d], Q[d:, d:] = self.Q, np.diag(1.0 - self.phi**2)
        found: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float] = filter_state(
            np.column_stack([readings.y, np.zeros((n, held))]),
            np.column_stack([readings.seen, np.zeros((n, held), bool)]),
            readings.start,
            drive,
            self._transition(),
            Q,
            np.append(self.R, np.ones(held)),
            keep=keep,
        )
        return found


def known_inputs(
    panel: Panel, first: Int[np.ndarray, " rows"], within: frozenset[str]
) -> Float[np.ndarray, "rows inputs"]:
    """Inputs in force between row t - 1 and row t, those one step older, and a constant."""
    values = np.column_stack([carry(panel.actions, first), carry(panel.exog, first)])
    columns = [f.column for f in (*panel.action_features, *panel.exog_features)]
    row = np.arange(panel.rows)
    early = values[:, [name in within for name in columns]]
    last, older = (values[np.maximum(row - k, first)] for k in (1, 2))
    return np.column_stack([early, last, older, np.ones(panel.rows)])


def fit_sensed(
    readings: Readings,
    ridge: float | Float[np.ndarray, " k"],
    *,
    state_ridge: float,
    iterations: int,
    settled: float,
    train: Bool[np.ndarray, " n"] | None = None,
    first: Sensed | None = None,
) -> Sensed | None:
    """EM; None where it leaves the numbers, or there are fewer rows than regressors.

    Args:
        readings: The data.
        ridge: Penalty per row on what known inputs do, one number or one per input.
        state_ridge: The same on the transition's distance from persistence.
        iterations: Most rounds.
        settled: Gain in log-likelihood per row below which the fit has settled.
        train: Rows to learn from, all without it; readings of the others still tell the state.
        first: Where to start, with held inputs or without; without it, a regression and no held input.
    """
    d, k = readings.y.shape[1], readings.inputs.shape[1]
    to = np.flatnonzero(~readings.start if train is None else ~readings.start & train)
    if to.size < d + k:
        return None
    held = 0 if first is None else first.phi.size
    each = np.broadcast_to(np.asarray(ridge, np.float64), (k,))
    penalty = to.size * np.concatenate([np.full(d, state_ridge), np.full(held, _HELD_RIDGE), each])
    fit = first or _regression(readings, to, penalty)
    last = -np.inf
    for count in range(iterations):
        path = fit.smoothed(readings)
        if path is None:
            return None
        if path.total - last < settled * len(readings.y) and (not held or count >= _FIRST_ROUNDS):
            break
        last = path.total
        fit = _improved(readings, to, penalty, path, fit)
    return fit


def with_held(fit: Sensed, count: int) -> Sensed:
    """The same, with so many held inputs along the largest directions of what drives the state unseen."""
    values, vectors = np.linalg.eigh(fit.Q)
    D = vectors[:, ::-1][:, :count] * np.sqrt(_HELD_SHARE * np.maximum(values[::-1][:count], 1e-9))
    d = len(fit.R)
    W = np.column_stack([fit.W[:, :d], D, fit.W[:, d:]])
    return Sensed(W, fit.Q - 0.5 * D @ D.T, fit.R, np.full(count, _START))


def _regression(readings: Readings, to: Int[np.ndarray, " m"], penalty: Float[np.ndarray, " f"]) -> Sensed:
    """A first guess: readings regressed on the last ones."""
    x, d = readings.carried, readings.y.shape[1]
    Z = np.column_stack([x[to - 1], readings.inputs[to]])
    W = _shrunk(x[to].T @ Z, Z.T @ Z, penalty)
    left = x[to] - Z @ W.T
    Q = (1.0 - _NOISE_SHARE) * left.T @ left / len(to) + 10 * _LEAST * np.eye(d)
    return Sensed(W, Q, _NOISE_SHARE * left.var(axis=0) + 10 * _LEAST, np.zeros(0))


def _improved(
    readings: Readings, to: Int[np.ndarray, " m"], penalty: Float[np.ndarray, " f"], path: Path, fit: Sensed
) -> Sensed:
    """The M step."""
    d, held = len(fit.R), fit.phi.size
    x, u = path.mean[to - 1], readings.inputs[to]
    inner = x.T @ u
    Szz = np.block([[x.T @ x + path.cov[to - 1].sum(axis=0), inner], [inner.T, u.T @ u]])
    Syz = np.column_stack([path.mean[to].T @ x + path.lagged[to].sum(axis=0), path.mean[to].T @ u])
    W = _shrunk(Syz[:d], Szz, penalty)
    now = path.mean[to][:, :d]
    Syy = now.T @ now + path.cov[to][:, :d, :d].sum(axis=0)
    Q = (Syy - W @ Syz[:d].T - Syz[:d] @ W.T + W @ Szz @ W.T) / len(to)
    Q = 0.5 * (Q + Q.T) + _LEAST * np.eye(d)
    learn = np.zeros(len(readings.y), bool)
    learn[to] = learn[to - 1] = True
    own = readings.seen & learn[:, None]
    spread = np.einsum("tii->ti", path.cov)[:, :d]
    error = np.where(own, (readings.y - path.mean[:, :d]) ** 2 + spread, 0.0)
    R = np.maximum(error.sum(axis=0) / np.maximum(own.sum(axis=0), 1), _LEAST)
    if not held:
        return Sensed(W, Q, R, fit.phi)
    z = np.arange(d, d + held)
    before, across = Szz[z, z], Syz[z, z]
    after = (path.mean[to][:, z] ** 2).sum(axis=0) + np.einsum("tii->ti", path.cov[to])[:, z].sum(axis=0)
    phi = np.clip(across / np.maximum(before, 1e-9), _LEAST_PHI, _MOST_PHI)
    step = (after - 2.0 * phi * across + phi**2 * before) / len(to)
    W = W.copy()
    W[:, z] *= np.sqrt(np.maximum(step / (1.0 - phi**2), 1e-9))
    return Sensed(W, Q, R, phi)


def _shrunk(
    Syz: Float[np.ndarray, "d f"], Szz: Float[np.ndarray, "f f"], penalty: Float[np.ndarray, " f"]
) -> Float[np.ndarray, "d f"]:
    """Ridge regression towards a state that stays as it is."""
    stays = np.eye(len(Syz), len(Szz))
    return np.asarray(np.linalg.solve(Szz + np.diag(penalty), (Syz + stays * penalty).T).T)
