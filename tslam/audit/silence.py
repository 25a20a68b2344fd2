"""Was a log silent while the system was driven? Asked where one log rests as it never does otherwise.

Two things tell. An inverse dynamics model, learnt elsewhere, reads the action from the samples around it:
where nothing is done it reads what the log holds, better than elsewhere; while a frozen log holds one value
it reads another. And something hidden moves there, and hardly anywhere else: a plant that bends turns an
action's effect, so that what was done need not lie along what the log is known to do, but when it was done
tells whose it is.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import binom

from tslam.audit.finding import Claim
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import DEGREES, Ground
from tslam.audit.lag_scan import BANDWIDTH
from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.products import Products, widened
from tslam.kernels.hac import mean_test
from tslam.panel.windows import bounds, carry

__all__ = ["as_silence", "claim_silence", "with_silence"]

_LONG = 10.0
"""Times as long as the mean stretch of a log that a silence lasts: by chance one stretch in 20,000."""
_ROWS = 50
"""Fewest rows of a silence that are compared with others."""
_READ = 0.1
"""Share of an action's variance that the inverse model has to read where the log is not silent."""
_MISREAD = 1.6
"""Error of that reading in a silence over that elsewhere. Where nothing was wrong, it was .3 to 1.3 in 60
silences of six kinds of plant, of actions that can be read at all; in logs that were frozen 1.2 to 3.5."""
_MATERIAL = 0.3
"""The same error over the action's standard deviation: where an action is read almost exactly, the last digit
is no contradiction."""
_CERTAIN = 2.0
"""t of the error in a silence over _MISREAD times that elsewhere."""
_RIDGE, _PRODUCT_RIDGE = 1e-4, 1e-2
_WIDEST = 30
"""Most signals of which products are read, too."""
_SURE = 1e-4
"""p-value, by chance, of as many moves in a log's silences: asked of every log."""
_FEWEST = 2
"""Moves in a silence from which it is a window of the outage."""


@dataclass(frozen=True)
class _Stretch:
    """A stretch in which a log holds one value."""

    first: int
    stop: int
    """Transitions of the ground."""
    times: float
    """Length over that of the log's mean stretch."""


def claim_silence(ground: Ground, column: str) -> Claim | None:
    """Does what is read of an action contradict its log while that is silent?"""
    silent = [s for s in _stretches(ground, column) if s.times >= _LONG and s.stop - s.first >= _ROWS]
    if not silent:
        return None
    inside = np.zeros(ground.n, bool)
    for s in silent:
        inside[s.first : s.stop] = True
    squared, spread = _misread(ground, column, inside)
    usual = float(squared[~inside].mean())
    if usual > (1.0 - _READ) * spread:
        return None
    tests = [mean_test(squared[s.first : s.stop] / usual - _MISREAD**2, BANDWIDTH) for s in silent]
    material = [squared[s.first : s.stop].mean() > _MATERIAL**2 * spread for s in silent]
    told = [
        (s, test)
        for s, test, much in zip(silent, tests, material, strict=True)
        if much and test.mean > 0.0 and test.t > _CERTAIN
    ]
    if not told:
        return None
    windows = [s for s, _ in told]
    rows = np.concatenate([np.arange(s.first, s.stop) for s in windows])
    error = float(np.sqrt(squared[rows].mean() / usual))
    against = 0.5 * (DEGREES + 1.0) * np.log1p(squared[rows] / usual / DEGREES)
    times = max(s.times for s in windows)
    return Claim(
        kind=GapKind.LOG_OUTAGE,
        column=column,
        p=min(test.p for _, test in told),
        share=min(1.0, float(squared[rows].mean()) / spread),
        score=1000.0 * float(against.sum()) / ground.n,
        recommendation=f"Recover the log of {column} for {_counted(windows)}: it held one value while the "
        "samples around it read as another. If it was held by hand, with its controller off, say so in the "
        "log of that controller.",
        evidence=(
            Evidence(
                name="misread",
                value=error,
                reference=_MISREAD,
                p_value=min(test.p for _, test in told),
                reading="Error of an inverse model learnt elsewhere while the log is silent, over that "
                "elsewhere; where nothing is done it reads better.",
            ),
            Evidence(
                name="silence",
                value=times,
                reference=_LONG,
                reading="Longest of these silences over the mean stretch of the log.",
            ),
        ),
        windows=_spans(ground, windows),
        most="warning",
    )


def with_silence(claim: Claim | None, silence: Claim | None) -> Claim | None:
    """What the offset of a log says of it, and what its silences say, as one claim: the surer one leads."""
    if claim is None or silence is None:
        return claim or silence
    if claim.kind is not GapKind.LOG_OUTAGE:
        return silence
    first, second = (claim, silence) if claim.p <= silence.p else (silence, claim)
    return replace(
        first,
        share=max(claim.share, silence.share),
        score=max(claim.score, silence.score),
        evidence=(*first.evidence, *second.evidence),
        channels=claim.channels,
        latents=claim.latents,
        most="critical",
    )


def as_silence(ground: Ground, columns: list[str], claim: Claim) -> Claim:
    """A claim about hidden moves, told as an outage of the log in whose silences they come."""
    if not claim.windows or claim.kind is not GapKind.MISSING_ACTION:
        return claim
    at = np.searchsorted(ground.rows, [last for _, last in claim.windows])
    found = {}
    for column in columns:
        silent = [s for s in _stretches(ground, column) if s.times >= _LONG]
        # the row at which a stretch begins is the log's own move
        inside = [int(((at > s.first) & (at < s.stop)).sum()) for s in silent]
        chances = [_chance(ground, s, moves, at.size) for s, moves in zip(silent, inside, strict=True)]
        p = min(1.0, len(silent) * min(chances, default=1.0))
        windows = [s for s, moves in zip(silent, inside, strict=True) if moves >= _FEWEST]
        if windows and p < _SURE:
            found[column] = (p, sum(inside), windows)
    if not found:
        return claim
    column = min(found, key=lambda c: found[c][0])
    p, moves, windows = found[column]
    times = max(s.times for s in windows)
    rows = sum(s.stop - s.first for s in windows)
    evidence = Evidence(
        name="moves_in_silence",
        value=float(moves),
        reference=float(rows) / ground.n * at.size,
        p_value=p,
        reading=f"{moves} of its {at.size} moves come while the log of {column} held one value, for up to "
        f"{times:.0f} times as long as it does on the mean.",
    )
    return replace(
        claim,
        kind=GapKind.LOG_OUTAGE,
        column=column,
        recommendation=f"Recover the log of {column} for {_counted(windows)}: it held one value while "
        "something that it otherwise tells went on moving.",
        evidence=(*claim.evidence, evidence),
        windows=_spans(ground, windows),
    )


def _chance(ground: Ground, silence: _Stretch, moves: int, of: int) -> float:
    """p-value of so many moves in a stretch, were they anywhere."""
    return float(binom.sf(moves - 1, of, (silence.stop - silence.first) / ground.n))


def _stretches(ground: Ground, column: str) -> list[_Stretch]:
    """Stretches in which a log holds one value, in time order."""
    panel = ground.panel
    logged = carry(panel.actions[:, panel.features_of(column)], bounds(panel)[0])[ground.rows]
    # lost samples cut no stretch, a new series does
    other = np.diff(panel.series_of[ground.rows]) != 0
    moved = np.append(True, np.any(np.diff(logged, axis=0) != 0, axis=1) | other)
    cuts = np.append(np.flatnonzero(moved), ground.n)
    mean = float(np.diff(cuts).mean())
    return [_Stretch(int(a), int(b), float(b - a) / mean) for a, b in pairwise(cuts)]


def _misread(
    ground: Ground, column: str, inside: Bool[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], float]:
    """Squared error of an action read by a model that did not learn from that row, and its variance.

    Read from the sample before and after, exogenous variables and the past. Nothing that is logged of other
    actions is among it: those set together would tell each other.
    """
    panel, chan = ground.panel, ground.Y.shape[1]
    logged = carry(panel.actions[:, panel.features_of(column)], bounds(panel)[0])[ground.rows]
    drivers = np.nan_to_num(panel.exog[ground.rows])
    signals = np.column_stack([ground.Y, ground.X[:, :chan], drivers])
    past = ground.X[:, chan : ground.regressors.inputs_from]
    F, penalty = np.column_stack([signals, past]), np.full(signals.shape[1] + past.shape[1], _RIDGE)
    if signals.shape[1] <= _WIDEST:
        current = np.arange(signals.shape[1])
        products = Products.learn(F[~inside][:, current], signals.shape[1])
        F = widened(F, products, current)
        penalty = np.append(penalty, np.full(F.shape[1] - penalty.size, _PRODUCT_RIDGE))
    error = logged - fit_ridge(F, logged, ~inside, penalty).mean(F)
    for split in ground.splits:
        held = split.held & ~inside
        error[held] = (logged - fit_ridge(F, logged, split.train & ~inside, penalty).mean(F))[held]
    return (error**2).sum(axis=1), float(logged[~inside].var(axis=0).sum())


def _counted(windows: list[_Stretch]) -> str:
    """So many windows, so many rows."""
    rows = sum(s.stop - s.first for s in windows)
    return f"{len(windows)} window{'s' * (len(windows) > 1)} ({rows} rows)"


def _spans(ground: Ground, windows: list[_Stretch]) -> tuple[tuple[int, int], ...]:
    return tuple((int(ground.rows[s.first]), int(ground.rows[s.stop - 1])) for s in windows)
