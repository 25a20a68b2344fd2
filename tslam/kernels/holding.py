"""Forward-backward for one latent that is held and jumps, on a grid of its values.

    z_t = z_{t-1} with chance 1 - rate, else drawn anew from the prior

The measurement enters through ``h_t = Bᵀ R⁻¹ r_t`` and ``J_t = Bᵀ R⁻¹ B``, as in :mod:`tslam.kernels.kalman`.
A jump that goes anywhere with equal chance keeps a step linear in the size of the grid.

Source: Rabiner, "A tutorial on hidden Markov models and selected applications in speech recognition",
Proceedings of the IEEE 77(2), 1989.
"""

import numpy as np
from numba import njit

__all__ = ["hold_smoother"]


@njit(cache=True, error_model="numpy", nogil=True)
def hold_smoother(
    h: np.ndarray,
    J: np.ndarray,
    told: np.ndarray,
    surely: np.ndarray,
    start: np.ndarray,
    grid: np.ndarray,
    prior: np.ndarray,
    rate: float,
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Smooth a held latent through transitions in time order.

    Args:
        h: ``[n]`` Bᵀ R⁻¹ r of each transition (0 where nothing was measured).
        J: ``[n]`` Bᵀ R⁻¹ B of each transition.
        told: ``[n]`` what a label says of z.
        surely: ``[n]`` precision of that; 0 where there is no label.
        start: ``[n]`` True where a segment begins: the prior is then the only one.
        grid: ``[k]`` values that z may have.
        prior: ``[k]`` chance of each after a jump; sums to 1.
        rate: Chance of a jump per step.

    Returns:
        Posterior means ``[n]`` and variances ``[n]``, the log-likelihood over z = 0 with certainty, and the
        expected share of steps with a jump.
    """
    n, k = h.shape[0], grid.shape[0]
    ahead, seen = np.empty((n, k)), np.empty((n, k))
    norm, mean, var = np.empty(n), np.empty(n), np.empty(n)
    loglik = 0.0
    for t in range(n):
        most = -np.inf
        for j in range(k):
            g = grid[j]
            seen[t, j] = h[t] * g - 0.5 * J[t] * g * g - 0.5 * surely[t] * (g - told[t]) ** 2
            most = max(most, seen[t, j])
        total = 0.0
        for j in range(k):
            seen[t, j] = np.exp(seen[t, j] - most)
            before = prior[j] if start[t] else (1.0 - rate) * ahead[t - 1, j] + rate * prior[j]
            ahead[t, j] = before * seen[t, j]
            total += ahead[t, j]
        for j in range(k):
            ahead[t, j] /= total
        norm[t] = total
        loglik += np.log(total) + most
    back = np.ones(k)
    jumps, steps = 0.0, 0
    for t in range(n - 1, -1, -1):
        total, first, second = 0.0, 0.0, 0.0
        for j in range(k):
            p = ahead[t, j] * back[j]
            total += p
            first += p * grid[j]
            second += p * grid[j] ** 2
        mean[t] = first / total
        var[t] = max(second / total - mean[t] ** 2, 0.0)
        if start[t]:
            back[:] = 1.0
            continue
        anew = 0.0
        for j in range(k):
            anew += prior[j] * seen[t, j] * back[j]
        jumps += rate * anew / norm[t]
        steps += 1
        for j in range(k):
            back[j] = ((1.0 - rate) * seen[t, j] * back[j] + rate * anew) / norm[t]
    return mean, var, loglik, jumps / max(steps, 1)
