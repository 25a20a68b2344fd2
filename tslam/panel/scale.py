"""Scaling: observations by the mean and spread of their series, inputs by those of all series together."""

import numpy as np
from jaxtyping import Float, Int

from tslam.panel.panel import Scaling

__all__ = ["adopt", "apply", "estimate"]

_Matrix = Float[np.ndarray, "rows chan"]


def estimate(
    obs: _Matrix,
    actions: Float[np.ndarray, "rows act"],
    exog: Float[np.ndarray, "rows exog"],
    series_of: Int[np.ndarray, " rows"],
    names: tuple[str, ...],
) -> Scaling:
    """Means and standard deviations of what was measured.

    A channel that does not vary keeps its units (sd 1), so it becomes zeros; one that a series never
    measured takes the moments of all series.

    Args:
        obs: Observations, missing as NaN.
        actions: Logged actions, missing as NaN.
        exog: Exogenous variables, missing as NaN.
        series_of: Series of each row; rows of one series lie together.
        names: The series.
    """
    pooled = _pooled(obs)
    mean, sd = np.empty((len(names), obs.shape[1])), np.empty((len(names), obs.shape[1]))
    for code in range(len(names)):
        start, stop = np.searchsorted(series_of, [code, code + 1])
        own = obs[start:stop]
        known = np.isfinite(own).any(axis=0)
        mean[code], sd[code] = np.where(known, _moments(own) if known.any() else pooled, pooled)
    act_mean, act_sd = _pooled(actions)
    exog_mean, exog_sd = _pooled(exog)
    return Scaling(names, mean, sd, act_mean, act_sd, exog_mean, exog_sd)


def adopt(own: Scaling, fitted: Scaling) -> tuple[Scaling, tuple[str, ...]]:
    """The scaling of a fitted model for the series of a new frame, and the series that it did not know.

    Series that the fitted scaling knows take its moments, the others keep their own; inputs take the
    fitted moments. The result has the series of the new frame, in its order.
    """
    place = {name: i for i, name in enumerate(fitted.series)}
    mean, sd = own.obs_mean.copy(), own.obs_sd.copy()
    for i, name in enumerate(own.series):
        if name in place:
            mean[i], sd[i] = fitted.obs_mean[place[name]], fitted.obs_sd[place[name]]
    unknown = tuple(name for name in own.series if name not in place)
    inputs = (fitted.act_mean, fitted.act_sd, fitted.exog_mean, fitted.exog_sd)
    return Scaling(own.series, mean, sd, *inputs), unknown


def apply(
    scaling: Scaling,
    obs: _Matrix,
    actions: Float[np.ndarray, "rows act"],
    exog: Float[np.ndarray, "rows exog"],
    series_of: Int[np.ndarray, " rows"],
) -> None:
    """Scale the arrays where they lie."""
    for code in range(len(scaling.series)):
        start, stop = np.searchsorted(series_of, [code, code + 1])
        obs[start:stop] = (obs[start:stop] - scaling.obs_mean[code]) / scaling.obs_sd[code]
    actions -= scaling.act_mean
    actions /= scaling.act_sd
    exog -= scaling.exog_mean
    exog /= scaling.exog_sd


def _pooled(values: _Matrix) -> tuple[Float[np.ndarray, " chan"], Float[np.ndarray, " chan"]]:
    """The same over all rows, one channel at a time to spare memory."""
    parts = [_moments(values[:, [i]]) for i in range(values.shape[1])]
    moments = np.array(parts, float).reshape(-1, 2)
    return moments[:, 0], moments[:, 1]


def _moments(values: _Matrix) -> tuple[Float[np.ndarray, " chan"], Float[np.ndarray, " chan"]]:
    """Mean and standard deviation of each column's measured values; 0 and 1 where there are none."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    unit = np.max(np.abs(values), axis=0, initial=0.0, where=known)
    unit[unit == 0] = 1
    part = np.where(known, values / unit, 0)
    mean = part.sum(axis=0) / count
    sd = np.sqrt(np.sum(np.where(known, part - mean, 0) ** 2, axis=0) / count)
    still = sd <= 1e-13
    first = values[np.argmax(known, axis=0), np.arange(values.shape[1])]
    mean = np.where(still & known.any(axis=0), first, mean * unit)
    return mean, np.where(still, 1.0, sd * unit)
