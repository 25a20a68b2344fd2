"""How likely does each transition hold one of the unlogged moves, and how large would it be?

Moves are claimed by the few largest of them. Most are smaller, and none is told from noise for sure; but
what all of them together explain can be told, because noise is seen where no move is: along the other axes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize_scalar
from scipy.stats import t as student

from tslam.audit.ground import Ground
from tslam.audit.moves import Moves
from tslam.audit.student import DEGREES

__all__ = ["MoveOdds", "move_odds"]

_TAILS = (2.0, 200.0)
"""Degrees of freedom that noise may have, from wild to Gaussian."""
_STEPS = 200
_SETTLED = 1e-4
"""Relative change of the moves' number at which the odds stay as they are."""


@dataclass(frozen=True, eq=False)
class MoveOdds:
    """What each transition says of a move along the axis."""

    odds: Float[np.ndarray, " n"]
    """Probability that it holds one; 0 where a channel was not measured."""
    mean: Float[np.ndarray, " n"]
    """Its size if it does, in units of the noise along the axis."""
    variance: float
    """How far that may be off."""


def move_odds(ground: Ground, moves: Moves) -> MoveOdds:
    """Noise and moves as a mixture along the axis: Student noise as along the other axes, and larger moves.

    Moves have the tails of the noise, so that the larger one is, the likelier it is a move. With a single
    channel there is no other axis, and noise has the tails assumed throughout.

    Args:
        ground: The rich model that the moves were found in.
        moves: Found moves.

    Source: the two-groups model of Efron, "Large-Scale Inference", chapter 2, 2010, its null learnt beside;
    number and spread of the moves by expectation-maximisation.
    """
    white, whole = ground.white(), ground.seen.all(axis=1)
    along = white @ moves.axis
    others = np.linalg.svd(moves.axis[None])[2][1:]
    beside = (white @ others.T)[whole].ravel()
    degrees = _degrees(beside) if beside.size else DEGREES
    unit = _scale(beside if beside.size else along[whole], degrees)
    quiet = student.pdf(along, degrees, scale=unit)
    share, scale = len(moves.rows) / ground.n, moves.size
    odds = np.zeros(ground.n)
    for _ in range(_STEPS):
        moved = share * student.pdf(along, degrees, scale=scale)
        odds = np.where(whole, moved / ((1.0 - share) * quiet + moved), 0.0)
        before, share = share, float(odds[whole].mean())
        if share * ground.n < 1.0:
            break
        usual = (degrees + 1.0) / (degrees + (along / scale) ** 2)
        scale = max(float(np.sqrt((odds * usual * along**2).sum() / odds.sum())), unit)
        if abs(share - before) < _SETTLED * before:
            break
    certain = 1.0 - (unit / scale) ** 2
    return MoveOdds(odds, certain * along, certain)


def _degrees(noise: Float[np.ndarray, " n"]) -> float:
    """Likeliest degrees of freedom."""

    def unlikely(log_degrees: float) -> float:
        degrees = float(np.exp(log_degrees))
        return -float(student.logpdf(noise, degrees, scale=_scale(noise, degrees)).sum())

    low, high = np.log(_TAILS)
    return float(np.exp(minimize_scalar(unlikely, bounds=(low, high), method="bounded").x))


def _scale(noise: Float[np.ndarray, " n"], degrees: float) -> float:
    """The scale that goes with the median distance from 0."""
    return max(float(np.median(np.abs(noise)) / student.ppf(0.75, degrees)), 1e-12)
