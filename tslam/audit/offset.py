"""Was more done than logged? Held offsets along a logged action's own effect.

Where a log is right, the difference between what was done and what was logged is zero. Here that
difference is a latent that enters through the action's known effect direction, filtered causally: the
log-likelihood that it gains, row by row, over "no difference" is the evidence. exp(sum of gains) is a
likelihood ratio whose predictions never look ahead, so its reciprocal bounds a p-value (Ville's
inequality). Inside windows only: an outage. All over, with several levels inside one logged level: a
coarse log.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import kurtosis

from tslam.audit.ground import Ground
from tslam.audit.student import student_centre
from tslam.kernels.kalman import kalman_filter, kalman_smoother

__all__ = ["Offset", "Run", "held_offset", "surest_part", "visibility"]

HOLD = 0.98
"""Persistence of the offset that is looked for: held for some fifty rows."""
_NEAR = 7
"""Rows on both sides of a logged move whose steps say nothing."""
_FEWEST = 100
_SPREAD = 0.5
"""Variance of the offset a priori, in squared standard deviations of the logged action."""


@dataclass(frozen=True)
class Run:
    """A stretch in which the log holds one value, and the surest part of the offset in it."""

    first: int
    stop: int
    gain: float
    """Nats over the whole stretch."""
    begin: int
    end: int
    inner: float
    """Largest sum of gains in one part of the stretch, and that part."""


@dataclass(frozen=True, eq=False)
class Offset:
    """Offset between what was done and what one column logged."""

    column: str
    gains: Float[np.ndarray, " n"]
    """Causal log-likelihood over no offset, nats per transition."""
    level: Float[np.ndarray, "n latent"]
    """Smoothed offset, in scaled units of the action's channels."""
    power: float
    """Mean squared effect of one scaled unit, in noise variances: how visible an offset is."""
    jumpiness: float
    """Excess kurtosis of the offset's steps between logged moves: what was done jumps, a misfit drifts."""
    runs: tuple[Run, ...]
    effect: Float[np.ndarray, "n chan"]
    """Offset times direction: what it adds to o_{t+1}, scaled."""

    @property
    def total(self) -> float:
        """Gain over all rows, nats."""
        return float(self.gains.sum())


def held_offset(ground: Ground, column: str) -> Offset:
    """Filter the offset of one logged action.

    Args:
        ground: The cross-fitted rich model, the column among its inputs.
        column: Name of a logged action column.
    """
    panel = ground.panel
    own = panel.features_of(column)
    B = _effect(ground, column)
    carried = _carried(B, ground)
    left = ground.residual - student_centre(ground.residual, ground.seen, ground.cov)
    h = np.einsum("tkd,td->tk", carried, left) * ground.trust[:, None]
    J = np.einsum("tkd,tdl->tkl", carried, B) * ground.trust[:, None, None]
    which = np.arange(ground.n)
    k = len(own)

    rate, q = np.full(k, HOLD), np.full((1, k), (1.0 - HOLD**2) * _SPREAD)
    prior, prior_cov, mean, cov, gains = kalman_filter(h, J, which, ground.start, rate, q)
    level, _, _ = kalman_smoother(ground.start, rate, prior, prior_cov, mean, cov)
    moved = np.append(True, np.any(np.diff(ground.logged(column), axis=0) != 0, axis=1)) | ground.start
    return Offset(
        column=column,
        gains=gains,
        level=level,
        power=float(np.einsum("tkk->t", J).mean()),
        jumpiness=_jumpiness(level, moved),
        runs=tuple(_runs(gains, moved)),
        effect=np.einsum("tck,tk->tc", B, level),
    )


def visibility(ground: Ground, column: str) -> float:
    """Mean squared effect of one scaled unit of an action, in noise variances of what is measured."""
    B = _effect(ground, column)
    return float(np.einsum("tkd,tdk,t->t", _carried(B, ground), B, ground.trust).mean())


def _effect(ground: Ground, column: str) -> Float[np.ndarray, "n chan latent"]:
    panel = ground.panel
    return ground.direction([panel.action_features[i].name for i in panel.features_of(column)])


def _carried(B: Float[np.ndarray, "n chan latent"], ground: Ground) -> Float[np.ndarray, "n latent chan"]:
    """Directions times the precision of what was measured: a channel that was not says nothing."""
    seen, which = np.unique(ground.seen, axis=0, return_inverse=True)
    out = np.zeros((B.shape[0], B.shape[2], B.shape[1]))
    for k, there in enumerate(seen):
        at = np.flatnonzero(which == k)
        precision = np.linalg.inv(ground.cov[np.ix_(there, there)])
        measured = np.einsum("tck,cd->tkd", B[np.ix_(at, there)], precision)
        out[np.ix_(at, np.arange(B.shape[2]), there)] = measured
    return out


def _jumpiness(level: Float[np.ndarray, "n latent"], moved: Bool[np.ndarray, " n"]) -> float:
    """Largest over the action's channels; steps near a logged move are left out, they are the log's own."""
    near = np.convolve(moved, np.ones(2 * _NEAR + 1), "same") > 0
    quiet = np.flatnonzero(~near[1:])
    if quiet.size < _FEWEST:
        return 0.0
    return float(np.max(kurtosis(np.diff(level, axis=0)[quiet])))


def _runs(gains: Float[np.ndarray, " n"], moved: Bool[np.ndarray, " n"]) -> list[Run]:
    cuts: Int[np.ndarray, " cut"] = np.append(np.flatnonzero(moved), len(gains))
    out = []
    for first, stop in pairwise(cuts):
        begin, end, most = surest_part(gains[first:stop])
        own = float(gains[first:stop].sum())
        out.append(Run(int(first), int(stop), own, int(first) + begin, int(first) + end, most))
    return out


def surest_part(gains: Float[np.ndarray, " n"]) -> tuple[int, int, float]:
    """First and last row of the part of a stretch with the largest sum of gains, and that sum."""
    total = np.cumsum(gains)
    before = np.append(0.0, total[:-1])
    rise = total - np.minimum.accumulate(before)
    end = int(rise.argmax())
    return int(before[: end + 1].argmin()), end, float(rise[end])
