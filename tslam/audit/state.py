"""Does what is hidden follow what is done? Then it is a state without a sensor, not something from outside.

Frost on a coil or the ammonium of a tank that nobody samples holds and drifts as a driver does, and predicts
as well. What tells them apart is what they answer to: a condition, a load or a supply goes its own way,
whatever is done; a state of the plant does not.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.stats import f

from tslam.audit.finding import Claim, listed
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground

__all__ = ["as_state"]

_AHEAD = 5
"""Rows over which a change of the path is compared with what was done in them."""
_SHARE, _SURE = 0.03, 1e-6
"""Share of those changes that the actions explain beyond the level itself, and its p-value, from which it
follows them."""


def as_state(ground: Ground, claim: Claim) -> Claim:
    """The claim as it is; or, where what drifts follows the logged actions, that a state is not measured.

    Args:
        ground: The rich model.
        claim: About something that no column tells.
    """
    if claim.path is None or claim.kind not in (GapKind.MISSING_EXOGENOUS, GapKind.UNDETERMINED):
        return claim
    share, p = _follows(ground, claim.path)
    if share < _SHARE or p > _SURE:
        return claim
    evidence = Evidence(
        name="follows_actions",
        value=share,
        reference=_SHARE,
        p_value=p,
        reading=f"Share of its changes over {_AHEAD} rows that logged actions explain: nothing from outside "
        "follows them.",
    )
    return replace(
        claim,
        kind=GapKind.UNDETERMINED,
        recommendation=f"Measure the state behind {listed(claim.channels)}: something is held or drifts "
        "there that follows what is done, so that it is part of the plant.",
        evidence=(*claim.evidence, evidence),
        most="info",
    )


def _follows(ground: Ground, path: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Adjusted share of a path's changes that actions explain, and the p-value of Fisher's F.

    Changes over windows that do not overlap are regressed on the level at their begin; then also on the mean
    of each action in them, by itself and times that level.
    """
    first = np.arange(0, ground.n - _AHEAD, _AHEAD)
    first = first[ground.rows[first + _AHEAD] - ground.rows[first] == _AHEAD]
    logged = ground.held(ground.panel.actions)
    done = np.stack([logged[first + k] for k in range(_AHEAD)]).mean(axis=0)
    level = ((path - path.mean()) / max(float(path.std()), 1e-30))[first, None]
    change = path[first + _AHEAD] - path[first]
    alone = np.column_stack([level, np.ones(len(first))])
    with_actions = np.column_stack([alone, done, done * level])
    free, more = len(first) - np.linalg.matrix_rank(alone), len(first) - np.linalg.matrix_rank(with_actions)
    if more < 1 or more == free:
        return 0.0, 1.0
    left, less = (_energy_left(F, change) for F in (alone, with_actions))
    share = 1.0 - (less / more) / max(left / free, 1e-30)
    statistic = ((left - less) / (free - more)) / max(less / more, 1e-30)
    return float(share), float(f.sf(statistic, free - more, more))


def _energy_left(F: Float[np.ndarray, "n wide"], y: Float[np.ndarray, " n"]) -> float:
    return float(((y - F @ np.linalg.lstsq(F, y, rcond=None)[0]) ** 2).sum())
