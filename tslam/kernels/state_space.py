"""Kalman filter and smoother of a linear state that sensors show one by one, with noise and with holes.

Sensor noise is independent between channels, so each reading is taken in by itself: a hole is a reading that
is not taken in, and nothing is inverted but a number.

Source: sequential processing as in Anderson and Moore, "Optimal Filtering", 1979, ch. 6.4; smoother of Rauch,
Tung and Striebel, AIAA Journal 3(8), 1965. Where a system is singular the results are no numbers; nothing is
raised.
"""

import numpy as np
from numba import njit

__all__ = ["filter_state", "smooth_state"]

_ROUNDING = 1e-12
"""Relative difference up to which covariances are the same, and gains are not computed anew."""


@njit(cache=True, error_model="numpy", nogil=True)
def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Do two covariances differ by no more than rounding does?"""
    d = len(a)
    for i in range(d):
        for j in range(d):
            if not abs(a[i, j] - b[i, j]) <= _ROUNDING * (abs(a[i, i]) + abs(a[j, j])):
                return False
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def filter_state(
    y: np.ndarray,
    seen: np.ndarray,
    start: np.ndarray,
    drive: np.ndarray,
    A: np.ndarray,
    Q: np.ndarray,
    R: np.ndarray,
    keep: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Filter x_t = A x_{t-1} + drive_t + w, w ~ N(0, Q), y = x + v, v ~ N(0, diag R).

    Args:
        y: ``[n, d]`` readings, 0 where there is none.
        seen: ``[n, d]`` is there a reading?
        start: ``[n]`` True where a segment begins: x is then 0 with unit variance.
        drive: ``[n, d]`` what inputs add between row t - 1 and row t.
        A: ``[d, d]`` transition.
        Q: ``[d, d]`` noise of the state.
        R: ``[d]`` noise of each sensor.
        keep: Keep covariances, for the smoother.

    Returns:
        Means ``[n, d]`` with and without the readings of the row itself, their covariances ``[n, d, d]``
        (one row where they are not kept), and the log-likelihood up to a constant.
    """
    n, d = y.shape
    rows = n if keep else 1
    after, before = np.zeros((n, d)), np.zeros((n, d))
    after_cov, before_cov = np.zeros((rows, d, d)), np.zeros((rows, d, d))
    x, P, told = np.zeros(d), np.eye(d), np.eye(d)
    gains, spread = np.zeros((d, d)), np.ones(d)
    total = 0.0
    # where the same sensors are read row after row the filter is soon steady: what it computed still holds
    settled = False
    for t in range(n):
        if start[t]:
            x = np.zeros(d)
            P = np.eye(d)
            settled = False
        else:
            x = A @ x + drive[t]
            if not settled:
                P = A @ told @ A.T + Q
        before[t] = x
        if keep:
            before_cov[t] = P
        if settled:
            for i in range(d):
                settled = settled and seen[t, i] == seen[t - 1, i]
        if not settled:
            last, told = told, P.copy()
            for i in range(d):
                if seen[t, i]:
                    spread[i] = told[i, i] + R[i]
                    row = told[i].copy()
                    for a in range(d):
                        gains[i, a] = row[a] / spread[i]
                        for b in range(d):
                            told[a, b] -= gains[i, a] * row[b]
            settled = t > 0 and not start[t] and _same(told, last)
            for i in range(d):
                settled = settled and seen[t, i] == seen[t - 1, i]
        for i in range(d):
            if seen[t, i]:
                e = y[t, i] - x[i]
                total -= 0.5 * (np.log(spread[i]) + e * e / spread[i])
                for a in range(d):
                    x[a] += gains[i, a] * e
        after[t] = x
        if keep:
            after_cov[t] = told
    return after, before, after_cov, before_cov, total


@njit(cache=True, error_model="numpy", nogil=True)
def smooth_state(
    start: np.ndarray,
    A: np.ndarray,
    after: np.ndarray,
    before: np.ndarray,
    after_cov: np.ndarray,
    before_cov: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smooth what :func:`filter_state` returned.

    Returns:
        Means ``[n, d]``, covariances ``[n, d, d]``, and covariances of x_t with x_{t-1} ``[n, d, d]`` (0
        where a segment begins).
    """
    n, d = after.shape
    mean, cov, lagged = after.copy(), after_cov.copy(), np.zeros((n, d, d))
    G = np.zeros((d, d))
    solved = -1
    settled = False
    for s in range(n - 1, 0, -1):
        if start[s]:
            settled = False
            continue
        t = s - 1
        # where nothing is missing the filter is soon steady, and so is the gain
        if solved < 0 or not (
            _same(before_cov[s], before_cov[solved]) and _same(after_cov[t], after_cov[solved - 1])
        ):
            G = np.linalg.solve(before_cov[s], A @ after_cov[t]).T
            solved = s
            settled = False
        mean[t] = after[t] + G @ (mean[s] - before[s])
        if settled:
            cov[t], lagged[s] = cov[s], lagged[s + 1]
            continue
        cov[t] = after_cov[t] + G @ (cov[s] - before_cov[s]) @ G.T
        lagged[s] = cov[s] @ G.T
        settled = solved > s and _same(cov[t], cov[s])
    return mean, cov, lagged
