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
"""Relative difference of covariances up to which the gain of the smoother is not computed anew."""


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
    x, P = np.zeros(d), np.eye(d)
    total = 0.0
    for t in range(n):
        if start[t]:
            x = np.zeros(d)
            P = np.eye(d)
        else:
            x = A @ x + drive[t]
            P = A @ P @ A.T + Q
        before[t] = x
        if keep:
            before_cov[t] = P
        for i in range(d):
            if not seen[t, i]:
                continue
            s = P[i, i] + R[i]
            e = y[t, i] - x[i]
            total -= 0.5 * (np.log(s) + e * e / s)
            for a in range(d):
                x[a] += P[a, i] / s * e
            row = P[i].copy()
            for a in range(d):
                k = row[a] / s
                for b in range(d):
                    P[a, b] -= k * row[b]
        after[t] = x
        if keep:
            after_cov[t] = P
    return after, before, after_cov, before_cov, total


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
    for s in range(n - 1, 0, -1):
        if start[s]:
            continue
        t = s - 1
        # where nothing is missing the filter is soon steady, and so is the gain
        if solved < 0 or not (
            _same(before_cov[s], before_cov[solved]) and _same(after_cov[t], after_cov[solved - 1])
        ):
            G = np.linalg.solve(before_cov[s], A @ after_cov[t]).T
            solved = s
        mean[t] = after[t] + G @ (mean[s] - before[s])
        cov[t] = after_cov[t] + G @ (cov[s] - before_cov[s]) @ G.T
        lagged[s] = cov[s] @ G.T
    return mean, cov, lagged
