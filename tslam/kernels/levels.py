"""Levels between jumps: the piecewise constant path that is likeliest for a measured series.

    w_t = level + e_t,   e_t ~ N(0, 1 / precision_t),   level ~ N(0, 1) after each jump

Levels are integrated out, so that a longer path never pays for being longer, and a jump costs a fixed number
of nats.

Source: optimal partitioning with pruning, Killick, Fearnhead and Eckley, "Optimal detection of changepoints
with a linear computational cost", JASA 107(500), 2012. The marginal likelihood of a segment bounds that of
its parts only up to a few nats, hence the slack; and where nothing jumps for long, only the best beginnings
of the segment at hand are kept, so that the cost stays linear in the rows.
"""

import numpy as np
from numba import njit

__all__ = ["held_levels"]

_SLACK = 20.0
"""Nats by which a beginning may be behind the best and stay."""
_MOST = 200
"""Beginnings of the segment at hand that are kept; of twice as many the better half."""


@njit(cache=True, error_model="numpy")
def _cost(precision: float, weighted: float) -> float:
    """Negative log-likelihood of a segment over that of the level 0."""
    cost: float = 0.5 * np.log1p(precision) - 0.5 * weighted * weighted / (1.0 + precision)
    return cost


@njit(cache=True, error_model="numpy")
def held_levels(
    w: np.ndarray, precision: np.ndarray, start: np.ndarray, penalty: float
) -> tuple[np.ndarray, float]:
    """The likeliest levels of a series that is held and jumps.

    Args:
        w: ``[n]`` measured series; any number where the precision is 0.
        precision: ``[n]`` of each measurement; 0: not measured.
        start: ``[n]`` True where a segment of the record begins: a jump there costs nothing.
        penalty: Nats that any other jump costs.

    Returns:
        The level of each row ``[n]``, and the log-likelihood over that of the level 0, less the penalties.
    """
    n = w.shape[0]
    known, told = np.zeros(n + 1), np.zeros(n + 1)
    for t in range(n):
        known[t + 1] = known[t] + precision[t]
        told[t + 1] = told[t] + precision[t] * w[t]
    best, before = np.zeros(n + 1), np.zeros(n + 1, np.int64)
    since, cost = np.zeros(2 * _MOST + 1, np.int64), np.zeros(2 * _MOST + 1)
    count = 0
    for end in range(1, n + 1):
        if start[end - 1]:
            since[0], count = end - 1, 1
        else:
            since[count] = end - 1
            count += 1
        first = since[0]
        least, at = np.inf, first
        for i in range(count):
            s = since[i]
            cost[i] = best[s] + _cost(known[end] - known[s], told[end] - told[s])
            if s != first or not start[s]:
                cost[i] += penalty
            if cost[i] < least:
                least, at = cost[i], s
        best[end], before[end] = least, at
        limit = least + penalty + _SLACK
        if count > 2 * _MOST - 1:
            limit = min(limit, np.sort(cost[:count])[_MOST])
        kept = 0
        for i in range(count):
            if cost[i] <= limit and kept < 2 * _MOST - 1:
                since[kept] = since[i]
                kept += 1
        count = kept
    levels, stop = np.zeros(n), n
    while stop > 0:
        s = before[stop]
        levels[s:stop] = (told[stop] - told[s]) / (1.0 + known[stop] - known[s])
        stop = s
    return levels, -float(best[n])
