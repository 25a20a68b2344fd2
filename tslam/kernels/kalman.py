"""Kalman filter and smoother for a few latents that follow AR(1) processes, in information form.

The measurement enters only through ``J_t = Bᵀ R⁻¹ B`` and ``h_t = Bᵀ R⁻¹ r_t``, so that missing
channels (a smaller R) and full or diagonal noise cost the same here.

Source: Rauch, Tung and Striebel, "Maximum likelihood estimates of linear dynamic systems",
AIAA Journal 3(8), 1965; information form as in Anderson and Moore, "Optimal Filtering", 1979, ch. 6.
Where a system is singular the results are no numbers, as with numpy; nothing is raised.
"""

import numpy as np
from numba import njit

__all__ = ["kalman_filter", "kalman_smoother"]


@njit(cache=True, error_model="numpy", nogil=True)
def _solve(A: np.ndarray, X: np.ndarray) -> float:
    """Overwrite X with A⁻¹ X and A with its elimination; return det A. Pivoting on rows; for small A."""
    k = A.shape[0]
    m = X.shape[1]
    det = 1.0
    for c in range(k):
        best = c
        for i in range(c + 1, k):
            if abs(A[i, c]) > abs(A[best, c]):
                best = i
        if best != c:
            det = -det
            for j in range(k):
                A[c, j], A[best, j] = A[best, j], A[c, j]
            for j in range(m):
                X[c, j], X[best, j] = X[best, j], X[c, j]
        pivot = A[c, c]
        det *= pivot
        for i in range(k):
            if i != c:
                f = A[i, c] / pivot
                if f != 0.0:
                    for j in range(c, k):
                        A[i, j] -= f * A[c, j]
                    for j in range(m):
                        X[i, j] -= f * X[c, j]
        for j in range(c, k):
            A[c, j] /= pivot
        for j in range(m):
            X[c, j] /= pivot
    return det


@njit(cache=True, error_model="numpy", nogil=True)
def kalman_filter(
    h: np.ndarray, J: np.ndarray, which: np.ndarray, start: np.ndarray, phi: np.ndarray, q: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Filter z_t = phi z_{t-1} + w_t, w ~ N(0, q), through transitions in time order.

    Args:
        h: ``[n, k]`` Bᵀ R⁻¹ r of each transition (0 where nothing was measured).
        J: ``[patterns, k, k]`` Bᵀ R⁻¹ B of each pattern of measured channels.
        which: ``[n]`` pattern of each transition.
        start: ``[n]`` True where a segment begins: the prior is then the stationary one.
        phi: ``[k]`` persistence of each latent, below 1.
        q: ``[n, k]`` innovation variances of each latent, or ``[1, k]`` where all transitions have the same.

    Returns:
        Prior means ``[n, k]`` and covariances ``[n, k, k]`` (what was known before the transition),
        posterior means and covariances, and the log-likelihood gain ``[n]`` of each transition over
        z = 0 with certainty (add the density of r under R alone for the whole).
    """
    n, k = h.shape
    prior_m, prior_P = np.zeros((n, k)), np.zeros((n, k, k))
    post_m, post_P = np.zeros((n, k)), np.zeros((n, k, k))
    gain = np.zeros(n)
    m, P = np.zeros(k), np.zeros((k, k))
    M, Pn, u = np.zeros((k, k)), np.zeros((k, k)), np.zeros(k)
    for t in range(n):
        now = t if len(q) > 1 else 0
        for i in range(k):
            m[i] = 0.0 if start[t] else m[i] * phi[i]
            for j in range(k):
                P[i, j] = 0.0 if start[t] else P[i, j] * phi[i] * phi[j]
            P[i, i] += q[now, i] / (1.0 - phi[i] * phi[i]) if start[t] else q[now, i]
        prior_m[t] = m
        prior_P[t] = P
        Jt = J[which[t]]
        for i in range(k):
            u[i] = h[t, i]
            for j in range(k):
                u[i] -= Jt[i, j] * m[j]
                Pn[i, j] = P[i, j]
                M[i, j] = 1.0 if i == j else 0.0
                for s in range(k):
                    M[i, j] += P[i, s] * Jt[s, j]
        det = _solve(M, Pn)
        # log N(r; Bm, BPBᵀ + R) - log N(r; 0, R), by Woodbury and the determinant lemma
        g = -0.5 * np.log(det)
        for i in range(k):
            d = 0.0
            for j in range(k):
                d += Pn[i, j] * u[j]
            g += 0.5 * u[i] * d + 0.5 * (h[t, i] + u[i]) * m[i]
            post_m[t, i] = m[i] + d
        gain[t] = g
        for i in range(k):
            m[i] = post_m[t, i]
            for j in range(k):
                P[i, j] = 0.5 * (Pn[i, j] + Pn[j, i])
        post_P[t] = P
    return prior_m, prior_P, post_m, post_P, gain


@njit(cache=True, error_model="numpy", nogil=True)
def kalman_smoother(
    start: np.ndarray,
    phi: np.ndarray,
    prior_m: np.ndarray,
    prior_P: np.ndarray,
    post_m: np.ndarray,
    post_P: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smooth what :func:`kalman_filter` returned.

    Returns:
        Means ``[n, k]``, covariances ``[n, k, k]``, and covariances of z_t with z_{t-1}
        ``[n, k, k]`` (0 where a segment begins).
    """
    n, k = post_m.shape
    mean, cov = post_m.copy(), post_P.copy()
    lagged = np.zeros((n, k, k))
    A, Gt, D = np.zeros((k, k)), np.zeros((k, k)), np.zeros((k, k))
    for s in range(n - 1, 0, -1):
        t = s - 1
        if start[s]:
            continue
        # Gᵀ = P⁻_{t+1}⁻¹ diag(phi) P_t
        for i in range(k):
            for j in range(k):
                A[i, j] = prior_P[s, i, j]
                Gt[i, j] = phi[i] * post_P[t, i, j]
                D[i, j] = cov[s, i, j] - prior_P[s, i, j]
        _solve(A, Gt)
        for i in range(k):
            for j in range(k):
                mean[t, i] += Gt[j, i] * (mean[s, j] - prior_m[s, j])
                lag = 0.0
                for a in range(k):
                    lag += cov[s, i, a] * Gt[a, j]
                    for b in range(k):
                        cov[t, i, j] += Gt[a, i] * D[a, b] * Gt[b, j]
                lagged[s, i, j] = lag
    return mean, cov, lagged
