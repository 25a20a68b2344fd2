"""Response checks: does what follows a labelled action look like what an action does?

Sign, gain and dose ask whether the response goes with the label as the tied model says; order asks whether it
follows the move, and does not come before it.
"""

import numpy as np
from jaxtyping import Float, Int

from tslam.align.certificate import Check
from tslam.align.tied import Tied
from tslam.panel.chain import Chain

__all__ = ["response_checks"]

_GAIN = (0.6, 1.6)
"""Response over what the model says, within which the gain holds."""
_MONOTONE = 0.7
"""Least rank correlation of dose and response."""
_REACH = 5
"""Shifts tried, in rows, and rows looked at around a move."""
_EARLY = -1
"""Earliest best shift that still counts as following the move: stamps may be a row off."""


def response_checks(
    tied: Tied,
    c: Chain,
    holds: tuple[Int[np.ndarray, " _"], ...],
    values: Float[np.ndarray, " label"],
) -> tuple[Check, ...]:
    """Checks on labels that the model was not fitted on; one that cannot be made is left out."""
    response = _response(tied, c)
    dose = (values - tied.level) / tied.unit
    means = np.array([np.nanmean(response[h]) for h in holds])
    sizes = np.array([np.isfinite(response[h]).sum() for h in holds], float)
    away = dose - np.average(dose, weights=sizes)
    gain = float((sizes * away * (means - np.average(means, weights=sizes))).sum() / (sizes * away**2).sum())
    checks = [
        Check(
            name="sign", passed=gain > 0, reading=f"the response goes {'with' if gain > 0 else 'against'} it"
        ),
        Check(
            name="gain",
            passed=_GAIN[0] <= gain <= _GAIN[1],
            reading=f"{gain:.2f} times what the model says ({_GAIN[0]} to {_GAIN[1]} expected)",
        ),
    ]
    if len(holds) > 3:
        rank = float(np.corrcoef(_ranks(dose), _ranks(means))[0, 1])
        checks.append(
            Check(
                name="dose",
                passed=rank >= _MONOTONE,
                reading=f"rank correlation of dose and response {rank:.2f}",
            )
        )
    shift = _best_shift(response, holds, dose)
    if shift is not None:
        checks.append(
            Check(
                name="order",
                passed=shift >= _EARLY,
                reading=f"the response fits best {shift} rows after the move",
            )
        )
    return tuple(checks)


def _response(tied: Tied, c: Chain) -> Float[np.ndarray, " n"]:
    """What each transition alone says of the latent, by least squares in the metric of the noise."""
    inverse = tied.lam.inverse
    assert inverse is not None
    gain = np.linalg.solve(inverse.R, inverse.B[:, 0])
    left = c.Y - tied.lam.forward.mean(c.X)
    told: Float[np.ndarray, " n"] = left @ gain / float(inverse.B[:, 0] @ gain)
    return told


def _best_shift(
    response: Float[np.ndarray, " n"],
    holds: tuple[Int[np.ndarray, " _"], ...],
    dose: Float[np.ndarray, " label"],
) -> int | None:
    """By how many rows labels have to be moved to fit the response best around moves; None without any."""
    path = np.full(response.size, np.nan)
    for own, value in zip(holds, dose, strict=True):
        path[own] = value
    starts = [
        int(b[0])
        for a, b, u, v in zip(holds, holds[1:], dose, dose[1:], strict=False)
        if b[0] - a[-1] == 1 and u != v
    ]
    if not starts:
        return None
    near = np.unique([row for s in starts for row in range(s - _REACH, s + _REACH)])
    near = near[(near >= _REACH) & (near < response.size - _REACH)]
    errors = {}
    for shift in range(-_REACH, _REACH + 1):
        miss = (response[near] - path[near - shift]) ** 2
        errors[shift] = float(np.nanmean(miss)) if np.isfinite(miss).any() else np.inf
    return min(errors, key=lambda s: (errors[s], abs(s)))


def _ranks(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Ranks, ties shared."""
    return np.array([(values < v).sum() + 0.5 * (values == v).sum() for v in values], float)
