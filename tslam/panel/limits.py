"""Where a channel stands at a limit: a full tank, a sensor at its end. What it says there is no measurement.

Values pile up at an end of the range as they do nowhere else in it. A level that is set and held piles up as
well, but at every value that it is set to, and not at the last one only.
"""

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["limits_of", "standing"]

_END = 0.999
"""Quantile taken as the end of a channel's range."""
_NEAR = 3.0
"""Errors from that end within which a channel stands at it."""
_SHARES = (0.01, 0.5)
"""Least share of rows at a limit; and the most: a channel that seldom leaves its limit has no other range."""
_PILED = 2.0
"""How many times as many rows lie there as anywhere else in as wide a part of the range."""
_NOWHERE = 1e9
"""A limit that is none, in standard deviations."""


def limits_of(
    values: Float[np.ndarray, "n chan"], error: Float[np.ndarray, " chan"]
) -> Float[np.ndarray, "2 chan"]:
    """Beyond which value each channel stands at its lower and at its upper limit; far out where it has none.

    Args:
        values: What was measured, NaN where nothing was.
        error: How far a channel may be from what is expected of it in one row.
    """
    out = np.repeat([[-_NOWHERE], [_NOWHERE]], values.shape[1], axis=1)
    for i, width in enumerate(_NEAR * error):
        for end, sign in enumerate((-1.0, 1.0)):
            x = np.sort(sign * values[np.isfinite(values[:, i]), i])
            if not x.size:
                continue
            limit = float(np.quantile(x, _END)) - width
            below = x[x <= limit]
            there = 1.0 - below.size / x.size
            if not (_SHARES[0] < there < _SHARES[1]):
                continue
            elsewhere = (np.searchsorted(below, below + width) - np.arange(below.size)).max() / x.size
            if there > _PILED * elsewhere:
                out[end, i] = sign * limit
    return out


def standing(
    values: Float[np.ndarray, "n chan"], limits: Float[np.ndarray, "2 chan"]
) -> Bool[np.ndarray, "n chan"]:
    """Where channels stand at a limit."""
    return np.asarray((values < limits[0]) | (values > limits[1]))
