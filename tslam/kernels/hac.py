"""Is the mean of a serially correlated difference above zero?

Source: Newey and West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation
consistent covariance matrix", Econometrica 55(3), 1987; used on score differences as in Diebold and
Mariano, "Comparing predictive accuracy", Journal of Business and Economic Statistics 13(3), 1995.
"""

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
from jaxtyping import Float

__all__ = ["MeanTest", "mean_test"]


@dataclass(frozen=True)
class MeanTest:
    """Mean of a series, its HAC standard error, t, and the one-sided p against "not above zero"."""

    mean: float
    error: float
    t: float
    p: float


def mean_test(values: Float[np.ndarray, " n"], bandwidth: int | None = None) -> MeanTest:
    """HAC test of a mean, Bartlett weights.

    Args:
        values: Differences in time order; NaN entries are left out.
        bandwidth: Autocovariances used; None: 4 (n / 100)^(2/9), the rule of Newey and West 1994.
    """
    x = values[np.isfinite(values)]
    n = x.size
    if n < 3:
        return MeanTest(float(x.mean()) if n else 0.0, float("inf"), 0.0, 0.5)
    mean = float(x.mean())
    centred = x - mean
    width = int(4.0 * (n / 100.0) ** (2.0 / 9.0)) if bandwidth is None else bandwidth
    width = max(0, min(width, n // 2))
    variance = float(centred @ centred) / n
    for k in range(1, width + 1):
        variance += 2.0 * (1.0 - k / (width + 1.0)) * float(centred[k:] @ centred[:-k]) / n
    error = sqrt(max(variance, 1e-30) / n)
    t = mean / error
    return MeanTest(mean, error, t, 0.5 * erfc(t / sqrt(2.0)))
