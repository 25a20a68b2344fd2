"""The null of a column without effect: the same column, at another time.

A column that nothing follows is as good as the same column moved around the record by some thousand rows:
its own ups and downs, how long it holds and how it is distributed stay what they are, only what it could
have caused is gone. So what is left without the column is held against it at every rotation at once, and the
best of a range of lags against the best of the same range further along.
"""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import maximum_filter1d

__all__ = ["elsewhere_p"]

_EXTREME = 4.0
"""Noise units at which what is left is cut: one outlier must not stand for an effect."""


def elsewhere_p(
    left: Float[np.ndarray, "rows chan"], column: Float[np.ndarray, "rows feature"], lags: tuple[int, int]
) -> float:
    """p-value of the column's covariance with what is left, best of all lags in a range.

    Args:
        left: What the other regressors leave of o_{t+1}, in noise units, by grid row t.
        column: The column on the same rows, no holes.
        lags: Lowest and highest shift that is looked at; s means the column at t + s.

    Returns:
        Share of rotations whose best lag does at least as well, the record's own and its neighbours among
        them: it is never below the share of the record that the lags take up.
    """
    rows, width = len(left), lags[1] - lags[0] + 1
    if rows < 4 * width:
        return 1.0
    noise = np.fft.rfft(np.clip(left, -_EXTREME, _EXTREME), axis=0)
    centred = column - column.mean(axis=0)
    signal = np.fft.rfft(centred / np.maximum(centred.std(axis=0), 1e-12), axis=0)
    together = np.fft.irfft(np.conj(noise)[:, :, None] * signal[:, None, :], n=rows, axis=0)
    size = (together**2).sum(axis=(1, 2))
    # size[s] is at shift s; around each rotation the best of as many shifts as are asked about
    best = maximum_filter1d(size, width, mode="wrap")
    return float((best >= best[(lags[0] + lags[1]) // 2 % rows]).mean())
