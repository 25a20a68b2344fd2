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
from jaxtyping import Float, Int

from tslam.audit.ground import Ground
from tslam.dynamics.inverse import leave_out
from tslam.kernels.kalman import kalman_filter, kalman_smoother
from tslam.panel.windows import bounds, carry

__all__ = ["Offset", "Run", "held_offset"]

HOLD = 0.98
"""Persistence of the offset that is looked for: held for some fifty rows."""
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
    fidelity: float
    """Cosine between what goes with the offset, read from the residuals, and the action's own effect.

    Something else that was done moves along another direction, of which this action's is only a part.
    """
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
    names = [panel.action_features[i].name for i in own]
    B = ground.direction(names)
    precision = np.linalg.inv(ground.cov)
    carried = np.einsum("tck,cd->tkd", B, precision)
    h = np.einsum("tkd,td->tk", carried, ground.residual) * ground.trust[:, None]
    J = np.einsum("tkd,tdl->tkl", carried, B) * ground.trust[:, None, None]
    which = np.arange(ground.n)
    k = len(names)

    rate, q = np.full(k, HOLD), np.full(k, (1.0 - HOLD**2) * _SPREAD)
    prior, prior_cov, mean, cov, gains = kalman_filter(h, J, which, ground.start, rate, q)
    level, spread, _ = kalman_smoother(ground.start, rate, prior, prior_cov, mean, cov)
    apart = leave_out(level, spread, h, J)
    start, _ = bounds(panel)
    logged = carry(panel.actions[:, own], start)[ground.rows]
    return Offset(
        column=column,
        gains=gains,
        level=level,
        power=float(np.einsum("tkk->t", J).mean()),
        fidelity=_fidelity(ground, B, apart),
        runs=tuple(_runs(gains, logged, ground.start)),
        effect=np.einsum("tck,tk->tc", B, level),
    )


def _fidelity(
    ground: Ground, B: Float[np.ndarray, "n chan latent"], level: Float[np.ndarray, "n latent"]
) -> float:
    white = np.linalg.cholesky(np.linalg.inv(ground.cov))
    weight = ground.trust[:, None]
    found = (ground.residual @ white * weight).T @ level
    expected = (np.einsum("tck,tk->tc", B, level) @ white * weight).T @ level
    norm = float(np.linalg.norm(found) * np.linalg.norm(expected))
    return float((found * expected).sum()) / norm if norm > 0 else 0.0


def _runs(gains: Float[np.ndarray, " n"], logged: Float[np.ndarray, "n act"], start: np.ndarray) -> list[Run]:
    moved = np.append(True, np.any(np.diff(logged, axis=0) != 0, axis=1)) | start
    cuts: Int[np.ndarray, " cut"] = np.append(np.flatnonzero(moved), len(gains))
    out = []
    for first, stop in pairwise(cuts):
        own = gains[first:stop]
        total = np.cumsum(own)
        before = np.minimum.accumulate(np.append(0.0, total[:-1]))
        rise = total - before
        end = int(rise.argmax())
        begin = int(np.append(0.0, total[:-1])[: end + 1].argmin())
        out.append(
            Run(
                int(first),
                int(stop),
                float(own.sum()),
                int(first) + begin,
                int(first) + end,
                float(rise[end]),
            )
        )
    return out
