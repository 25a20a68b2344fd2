"""Do labels of new data contradict what is read there? A few do what no record can.

A larger effect may be a larger move, but not where it is known how far the action was moved. Each label is
held against the middle of what is read of it. Missed by far more than was validated, and not by one alone,
all is wrong; and where labels times a gain are far likelier to have been read than labels as they are, the
action does that many times as much. Short holds are read worse than long ones, and now and then one is read
wrongly.

Source: as :mod:`tslam.align.altered`; Lange, Little and Taylor, "Robust statistical modeling using the t
distribution", JASA 84, 1989.
"""

import numpy as np
from jaxtyping import Float, Int

from tslam.align.certificate import Misread, Range, Validation

__all__ = ["limits_on_labels", "misread_of", "mistold"]

_OFF = 2.5
"""By how many times the error of the lower end of what was validated the middles of labels may be missed."""
_LEAST_OFF = 0.25
"""Least error of labels that counts, in standard deviations of the action: a short hold is read no better."""
_MANY = 3
"""Labels from which one may be missed by anything: a hold is misread now and then."""
_LONG = 40.0
"""Rows of a hold that is read with twice the variance of an endless one."""
_WIDER, _LEAST = 1.5, 0.2
"""Times the error of the record's own labels, as the latent was fitted to them; its least, of the error of
the lower end of what was validated: most of that is owed to a few holds."""
_NORMAL = 0.6745
"""Median size of a standard normal."""
_FREEDOM = 3.0
"""Of a Student's t: some holds are misread."""
_GAINS = np.exp(
    np.concatenate([np.linspace(np.log(0.5), np.log(0.8), 12), np.linspace(np.log(1.25), np.log(2.0), 12)])
)
"""Gains that are tried, about zero and about the middle."""
_SURE = 10.0
"""Least log-likelihood ratio: e^10 is 22,000, for the 48 gains that are tried, and because holds next to each
other are misread together."""

_At = tuple[Int[np.ndarray, " _"], ...]
_Values = Float[np.ndarray, " label"]


def limits_on_labels(action: str, validation: Validation, spread: float | None) -> tuple[Range, ...]:
    """By how much labels may be missed later.

    Args:
        action: Name of the action.
        validation: What was validated.
        spread: Variance of the labelled action; None where it is no number.
    """
    if spread is None or not validation.low < 1.0:
        return ()
    most = max(_OFF * _error(validation), _LEAST_OFF) * float(np.sqrt(spread))
    return (Range(name=f"error of {action}", low=0.0, high=most),)


def misread_of(
    path: Float[np.ndarray, " n"], at: _At, values: _Values, validation: Validation, spread: float
) -> Misread | None:
    """How labels are misread where nothing changed; None where nothing is validated, or all are one value.

    Args:
        path: The action of each transition as it is read.
        at: Transitions of each label.
        values: The labels.
        validation: What was validated.
        spread: Variance of the labelled action.
    """
    if not (validation.low < 1.0 and spread > 0.0):
        return None
    away = np.abs(_middles(path, at) - values) / _widths(at)
    error = max(
        _WIDER * float(np.median(away)) / _NORMAL, _LEAST * _error(validation) * float(np.sqrt(spread))
    )
    return Misread(error=error, middle=0.5 * float(values.min() + values.max()))


def mistold(
    drift: tuple[Range, ...],
    misread: Misread | None,
    path: Float[np.ndarray, " n"],
    at: _At,
    values: _Values,
) -> tuple[str, ...]:
    """How labels of new data contradict what is read there, in words; empty where they do not.

    Args:
        drift: The limits.
        misread: How labels are misread where nothing changed.
        path: The action of each transition as it is read.
        at: Transitions of each label.
        values: The labels.
    """
    read = _middles(path, at)
    away = np.sort((read - values) ** 2)
    error = float(np.sqrt(np.mean(away[:-1] if away.size >= _MANY else away)))
    told = [
        f"the {limit.name} on {len(at)} new labels is {error:.3g}, beyond {limit.high:.3g}"
        for limit in drift
        if limit.name.startswith("error of ") and error > limit.high
    ]
    if misread is not None:
        ratio, gain = _gained(read, values, misread.error * _widths(at), misread.middle)
        if ratio > _SURE:
            told.append(
                f"{len(at)} new labels are read as if the action did {gain:.2g} times what it did "
                f"(log-likelihood ratio {ratio:.3g})"
            )
    return tuple(told)


def _gained(read: _Values, values: _Values, error: _Values, middle: float) -> tuple[float, float]:
    """Log-likelihood of what is read under the best gain over that under none, and the gain."""
    best, gain = -np.inf, 1.0
    for centre in (0.0, middle):
        as_if = centre + _GAINS[:, None] * (values - centre)
        total = _log_density((read - as_if) / error).sum(axis=1)
        if total.max() > best:
            best, gain = float(total.max()), float(_GAINS[total.argmax()])
    return best - float(_log_density((read - values) / error).sum()), gain


def _log_density(away: np.ndarray) -> np.ndarray:
    """Of Student's t, up to a constant."""
    density: np.ndarray = -0.5 * (_FREEDOM + 1.0) * np.log1p(away**2 / _FREEDOM)
    return density


def _middles(path: Float[np.ndarray, " n"], at: _At) -> _Values:
    return np.array([np.median(path[own]) for own in at])


def _widths(at: _At) -> _Values:
    """How much worse than an endless one a hold of each length is read."""
    return np.sqrt(1.0 + _LONG / np.array([own.size for own in at], float))


def _error(validation: Validation) -> float:
    """Root mean square error of the lower end of what was validated, in standard deviations of the action."""
    return float(np.sqrt(1.0 - validation.low))
