"""Does what is hidden follow what is logged? Then it is a state without a sensor, and no cause of its own.

Frost on a coil or the ammonium of a tank that nobody samples holds and drifts as a driver does, and predicts
as well. What tells them apart is what they answer to: a load or a supply goes its own way; a state is driven
by what is done, and by what is measured outside. Controllers answer to a driver, too, so only what was logged
before a change counts, and only for what the path's own past does not tell (Granger, "Investigating causal
relations by econometric models and cross-spectral methods", Econometrica 37(3), 1969).
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
"""Rows over which a change of the path is compared with what was logged at their begin."""
_SHARE, _SURE = 0.03, 1e-6
"""Share, of what the path's own past leaves of those changes, that logged inputs explain, and its p-value,
from which it follows them. Of fifteen drivers the largest share was .013; of twelve states .06 to .25 in
seven, .003 to .018 in five (docs/notes, state or driver)."""


def as_state(ground: Ground, claim: Claim) -> Claim:
    """The claim as it is; or, where what drifts follows logged inputs, that a state is not measured.

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
        name="follows_inputs",
        value=share,
        reference=_SHARE,
        p_value=p,
        reading=f"Share of its changes over {_AHEAD} rows that logged inputs tell beforehand, of what its "
        "own past leaves: a cause of its own does not wait for them.",
    )
    return replace(
        claim,
        kind=GapKind.UNDETERMINED,
        recommendation=f"Measure the state behind {listed(claim.channels)}: something is held or drifts "
        "there that follows what is done or measured outside, as a part of the plant does.",
        evidence=(*claim.evidence, evidence),
        most="info",
    )


def _follows(ground: Ground, path: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Adjusted share of a path's changes that inputs before them explain, and the p-value of Fisher's F.

    Changes over windows that do not overlap are regressed on the level at their begin and the change before;
    then also on actions and exogenous variables at their begin, by themselves and times that level.
    """
    first = np.arange(_AHEAD, ground.n - _AHEAD, _AHEAD)
    unbroken = ground.rows[first + _AHEAD] - ground.rows[first - _AHEAD] == 2 * _AHEAD
    first = first[unbroken]
    inputs = ground.held(np.column_stack([ground.panel.actions, ground.panel.exog]))[first]
    level = ((path - path.mean()) / max(float(path.std()), 1e-30))[first, None]
    change, before = path[first + _AHEAD] - path[first], path[first] - path[first - _AHEAD]
    alone = np.column_stack([level, before, np.ones(len(first))])
    with_inputs = np.column_stack([alone, inputs, inputs * level])
    free, more = len(first) - np.linalg.matrix_rank(alone), len(first) - np.linalg.matrix_rank(with_inputs)
    if more < 1 or more == free:
        return 0.0, 1.0
    left, less = (_energy_left(F, change) for F in (alone, with_inputs))
    share = 1.0 - (less / more) / max(left / free, 1e-30)
    statistic = ((left - less) / (free - more)) / max(less / more, 1e-30)
    return float(share), float(f.sf(statistic, free - more, more))


def _energy_left(F: Float[np.ndarray, "n wide"], y: Float[np.ndarray, " n"]) -> float:
    return float(((y - F @ np.linalg.lstsq(F, y, rcond=None)[0]) ** 2).sum())
