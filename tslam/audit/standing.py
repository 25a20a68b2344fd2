"""What held latents say: an action that no column logs, an outside driver, or nothing of its own."""

import numpy as np

from tslam.audit.finding import Claim, causal_gain, driven_channels, largest_share, listed, told_by_data
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.levels import Level, Levels

__all__ = ["acting", "claim_action", "claim_driver", "driving"]

_GAIN = 2.0
"""t from which the latents improve causal, held-out prediction."""
_TOLD = 0.6
"""Share of a latent's variance that the data tell, from which its jumps mean something."""
_RESTING = 4
"""Fewest jumps at rest: one or two happen to any path."""
_P_RESTING = 0.03
"""p-value of the jumps at rest from which they are too many for a misfit: times the latents asked, unless
both halves surely found the same."""
_PERIODIC = 0.6
"""Share of a latent's variance in one line of its spectrum from which it follows a clock."""
_AGREES = 0.8
"""R² of a latent on those of the other half of the data from which it is there in both."""
_BOTH = 0.35
"""The same from which a latent that jumps is no accident of one half."""
_SURELY_BOTH = 0.7
"""The same from which both surely found it."""
_ALONE = 0.5
"""The same for the next one: a model that misfits leaves several."""
_SLOW = 0.965
"""Persistence per step of a driver, some thirty rows and more. Where a plant with nothing hidden left one
latent that stood alone, it was .94 to .96."""
_MOST_WINDOWS = 50


def acting(levels: Levels) -> list[Level]:
    """Latents that jump while everything logged is at rest, the surest first."""
    if levels.gain.t < _GAIN:
        return []
    found = [
        level
        for level in levels.levels
        if min(level.told - _TOLD, level.agreement - _BOTH) > 0.0
        and level.resting >= _RESTING
        and level.p_resting * (1 if level.agreement > _SURELY_BOTH else len(levels.levels)) < _P_RESTING
    ]
    return sorted(found, key=lambda level: (level.p_resting, -level.resting))


def driving(levels: Levels) -> Level | None:
    """The one latent that is there in both halves of the data, moves slowly, and does not jump at rest."""
    if levels.gain.t < _GAIN:
        return None
    told = sorted((v for v in levels.levels if v.told > _ALONE), key=lambda v: -v.agreement)
    if not told or (len(told) > 1 and told[1].agreement > _ALONE):
        return None
    first = told[0]
    stands = first.agreement > _AGREES and first.told > _TOLD and first.persistence > _SLOW
    return first if stands else None


def claim_action(ground: Ground, levels: Levels, level: Level) -> Claim:
    """A latent that jumps at rest, as a claim; one that follows a clock is an outside driver."""
    channels = driven_channels(ground, level.direction)
    clock = level.period > _PERIODIC
    evidence = (
        _gain(levels),
        Evidence(
            name="jumps_at_rest",
            value=float(level.resting),
            reference=float(_RESTING),
            p_value=level.p_resting,
            reading=f"{level.resting} of its {len(level.jumps)} jumps come while nothing logged moves and the"
            " state is an ordinary one; a model that misfits leaves hardly any there.",
        ),
        told_by_data(level.told, _TOLD),
        Evidence(
            name="period",
            value=level.period,
            reference=_PERIODIC,
            reading="It follows a clock." if clock else "It follows no clock.",
        ),
    )
    moves = f"what is switched or set and moves {listed(channels)}"
    return Claim(
        kind=GapKind.MISSING_EXOGENOUS if clock else GapKind.MISSING_ACTION,
        column=None,
        p=levels.gain.p,
        share=_share(ground, level),
        score=1000.0 * levels.gain.mean,
        recommendation=f"Measure what comes and goes by the clock and drives {listed(channels)}."
        if clock
        else f"Find {moves}, and log it: its level and each change.",
        evidence=evidence,
        channels=channels,
        windows=() if clock else _windows(levels, level),
        latents=True,
        direction=level.direction,
        path=level.path,
        most="warning" if clock else "critical",
    )


def claim_driver(ground: Ground, levels: Levels, level: Level) -> Claim:
    """A latent that drifts, as a claim."""
    channels = driven_channels(ground, level.direction)
    evidence = (
        _gain(levels),
        Evidence(
            name="agreement",
            value=level.agreement,
            reference=_AGREES,
            reading="R² of its path on the latents of a fit to other rows; no second one is there in both.",
        ),
        told_by_data(level.told, _TOLD),
        Evidence(
            name="persistence",
            value=level.persistence,
            reference=_SLOW,
            reading="AR(1) coefficient per step: it drifts over some thirty rows and more.",
        ),
    )
    return Claim(
        kind=GapKind.MISSING_EXOGENOUS,
        column=None,
        p=levels.gain.p,
        share=_share(ground, level),
        score=1000.0 * levels.gain.mean,
        recommendation=f"Measure what drifts and drives {listed(channels)}: a condition, load or supply that "
        "no column holds.",
        evidence=evidence,
        channels=channels,
        latents=True,
        direction=level.direction,
        path=level.path,
        most="warning",
    )


def _gain(levels: Levels) -> Evidence:
    return causal_gain(levels.gain, "held latents, as known beforehand, add")


def _share(ground: Ground, level: Level) -> float:
    return largest_share(ground, level.path[:, None] * level.direction[None, :])


def _windows(levels: Levels, level: Level) -> tuple[tuple[int, int], ...]:
    """The rows at which it jumps, the largest ones where they are many."""
    fit = levels.fits[0]
    z = fit.inverse.path(levels.Y - fit.forward.mean(levels.F), levels.start).mean[:, level.index]
    size = np.abs(z[level.jumps] - z[level.jumps - 1])
    chosen = np.sort(levels.rows[level.jumps[np.argsort(-size)[:_MOST_WINDOWS]]])
    return tuple((int(r), int(r)) for r in chosen)
