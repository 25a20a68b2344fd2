"""How likely does each transition hold one of the unlogged moves, and how large would it be?

Moves are claimed by the few largest of them. Most are smaller, and none is told from noise for sure; but
what all of them together explain can be told, because noise is seen where no move is: along the other axes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from tslam.audit.ground import Ground
from tslam.audit.moves import Moves
from tslam.audit.student import DEGREES

__all__ = ["MoveOdds", "move_odds"]

_DEGREES = (2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0, 100.0)
"""Degrees of freedom that noise may have."""
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
    noise = _noise(beside, _DEGREES) if beside.size else _noise(along[whole], (DEGREES,))
    degrees, unit = noise
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


def _noise(values: Float[np.ndarray, " n"], degrees: tuple[float, ...]) -> tuple[float, float]:
    """Likeliest degrees of freedom, with the scale that goes with the median distance from 0."""
    middle = float(np.median(np.abs(values)))
    pairs = [(nu, max(middle / float(student.ppf(0.75, nu)), 1e-12)) for nu in degrees]
    return max(pairs, key=lambda pair: float(student.logpdf(values, pair[0], scale=pair[1]).sum()))
