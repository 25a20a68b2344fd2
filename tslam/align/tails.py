"""Channels with a long tail, told by logarithms: a queue, a latency, an error rate.

What acts by factors, and errs by factors, does neither in a straight line: a few hours of overload would then
decide every slope, and the small values between them, which tell most, would count for nothing.

Source: Box and Cox, "An analysis of transformations", Journal of the Royal Statistical Society B 26(2), 1964
(their shifted logarithm).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["Tails", "tails_of"]

_SKEW = 1.0
"""Skewness from which a tail is long; that of an exponential distribution is 2."""
_END = 0.001
"""Quantile taken as the end of the short side."""
_SHIFT = 1.0
"""What is added to a value before its logarithm is taken, in distances from that end to the median."""


@dataclass(frozen=True, eq=False)
class Tails:
    """y ↦ (side · log((side · y - end) / width + shift) - mean) / sd for channels with a tail; else y."""

    side: Float[np.ndarray, " chan"]
    """1 for a tail of large values, -1 for one of small values, 0 for none."""
    end: Float[np.ndarray, " chan"]
    width: Float[np.ndarray, " chan"]
    mean: Float[np.ndarray, " chan"]
    sd: Float[np.ndarray, " chan"]

    def __call__(self, values: Float[np.ndarray, "n chan"]) -> Float[np.ndarray, "n chan"]:
        """Values as they are told; of mean 0 and variance 1 where there is a tail."""
        away = np.maximum((self.side * values - self.end) / self.width, 0.0)
        told = (self.side * np.log(away + _SHIFT) - self.mean) / self.sd
        return np.where(self.side == 0, values, told)


def tails_of(values: Float[np.ndarray, "n chan"]) -> Tails:
    """Which channels have a tail.

    Args:
        values: What was measured, NaN where nothing was.
    """
    out = np.zeros((5, values.shape[1]))
    out[[2, 4]] = 1.0
    for i, column in enumerate(values.T):
        y = column[np.isfinite(column)]
        spread = y.std() if y.size else 0.0
        skew = float(np.mean((y - y.mean()) ** 3) / spread**3) if spread > 0 else 0.0
        if abs(skew) < _SKEW:
            continue
        side = np.sign(skew)
        end, middle = np.quantile(side * y, [_END, 0.5])
        if middle > end:
            told = side * np.log(np.maximum((side * y - end) / (middle - end), 0.0) + _SHIFT)
            out[:, i] = side, end, middle - end, told.mean(), told.std()
    return Tails(*out)
