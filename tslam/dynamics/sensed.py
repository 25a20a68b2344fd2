"""What the state was, as far as the readings up to a row tell: cleared of sensor noise, holes bridged.

A regression on noisy readings is biased towards "nothing lasts" (errors in variables), and one on a last
value that is some rows old errs whenever the state moved meanwhile. A linear state with a sensor for each
observation, fitted by EM, tells how much of each reading is noise, and what a missing one would have said.
It looks back only: the estimate of a row takes in no reading after it.

Source: Shumway and Stoffer, "An approach to time series smoothing and forecasting using the EM algorithm",
Journal of Time Series Analysis 3(4), 1982.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.kernels.state_space import filter_state, smooth_state
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds, carry

__all__ = ["sensed_state"]

_ITERATIONS = 15
_SETTLED = 2e-4
"""Gain in log-likelihood per row below which the fit has settled."""
_RIDGE = 1e-4
"""Penalty per row on the transition's distance from persistence, and on what inputs do."""
_NOISE_SHARE = 0.15
"""Of the variance of a one-step error, at the start: sensor noise."""
_LEAST = 1e-7
_WORK = 3e7
"""Rows times cubed channels that EM learns from; of longer records the first stretch is enough."""


def sensed_state(panel: Panel, within: frozenset[str] = frozenset()) -> Float[np.ndarray, "rows chan"] | None:
    """Causal estimate of each observation at each grid row, scaled; None where the fit does not converge.

    Args:
        panel: The data.
        within: Inputs that act within the interval.
    """
    first, _ = bounds(panel)
    row = np.arange(panel.rows)
    start = row == first
    seen = np.isfinite(panel.obs)
    y = np.where(seen, panel.obs, 0.0)
    inputs = _inputs(panel, first, within)
    learn = max(200, min(panel.rows, int(_WORK / panel.obs.shape[1] ** 3)))
    fitted = _fit(y[:learn], seen[:learn], start[:learn], inputs[:learn], carry(panel.obs, first)[:learn])
    if fitted is None:
        return None
    A, B, Q, R = fitted
    state, *_ = filter_state(y, seen, start, inputs @ B.T, A, Q, R, keep=False)
    return state if np.isfinite(state).all() else None


def _inputs(
    panel: Panel, first: Int[np.ndarray, " rows"], within: frozenset[str]
) -> Float[np.ndarray, "rows inputs"]:
    """Inputs in force between row t - 1 and row t, those one step older, and a constant."""
    values = np.column_stack([carry(panel.actions, first), carry(panel.exog, first)])
    columns = [f.column for f in (*panel.action_features, *panel.exog_features)]
    row = np.arange(panel.rows)
    early = values[:, [name in within for name in columns]]
    last, older = (values[np.maximum(row - k, first)] for k in (1, 2))
    return np.column_stack([early, last, older, np.ones(panel.rows)])


def _fit(
    y: Float[np.ndarray, "n d"],
    seen: Bool[np.ndarray, "n d"],
    start: Bool[np.ndarray, " n"],
    inputs: Float[np.ndarray, "n k"],
    carried: Float[np.ndarray, "n d"],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """EM for A, B, Q and R; None where it leaves the numbers."""
    d, k = y.shape[1], inputs.shape[1]
    to = np.flatnonzero(~start)
    if to.size < d + k:
        return None
    persist = np.column_stack([np.eye(d), np.zeros((d, k))])
    Z = np.column_stack([carried[to - 1], inputs[to]])
    W = _shrunk(carried[to].T @ Z, Z.T @ Z, persist, len(to))
    left = carried[to] - Z @ W.T
    A, B = W[:, :d], W[:, d:]
    R = _NOISE_SHARE * left.var(axis=0) + 10 * _LEAST
    Q = (1.0 - _NOISE_SHARE) * left.T @ left / len(to) + 10 * _LEAST * np.eye(d)
    last = -np.inf
    for _ in range(_ITERATIONS):
        after, before, after_cov, before_cov, total = filter_state(
            y, seen, start, inputs @ B.T, A, Q, R, keep=True
        )
        if not np.isfinite(total) or not np.isfinite(after_cov).all():
            return None
        if total - last < _SETTLED * len(y):
            break
        last = total
        mean, cov, lagged = smooth_state(start, A, after, before, after_cov, before_cov)
        if not np.isfinite(mean).all():
            return None
        x, u = mean[to - 1], inputs[to]
        inner = x.T @ u
        Szz = np.block([[x.T @ x + cov[to - 1].sum(axis=0), inner], [inner.T, u.T @ u]])
        Syz = np.column_stack([mean[to].T @ x + lagged[to].sum(axis=0), mean[to].T @ u])
        W = _shrunk(Syz, Szz, persist, len(to))
        A, B = W[:, :d], W[:, d:]
        Syy = mean[to].T @ mean[to] + cov[to].sum(axis=0)
        Q = (Syy - W @ Syz.T - Syz @ W.T + W @ Szz @ W.T) / len(to)
        Q = 0.5 * (Q + Q.T) + _LEAST * np.eye(d)
        error = np.where(seen, (y - mean) ** 2 + np.einsum("tii->ti", cov), 0.0)
        R = np.maximum(error.sum(axis=0) / np.maximum(seen.sum(axis=0), 1), _LEAST)
    return A, B, Q, R


def _shrunk(
    Syz: Float[np.ndarray, "d f"], Szz: Float[np.ndarray, "f f"], prior: Float[np.ndarray, "d f"], n: int
) -> Float[np.ndarray, "d f"]:
    """Ridge regression towards a prior."""
    penalty = _RIDGE * n
    return np.asarray(np.linalg.solve(Szz + penalty * np.eye(len(Szz)), (Syz + penalty * prior).T).T)
