"""A log that rests as it never does otherwise: its silences, and the hidden moves that come in them.

A plant that bends turns an action's effect, and a frozen log leaves little to learn it from, so that what was
done in an outage need not lie along what the log is known to do. When it was done tells whose it is: while
that log, which moves all the time, held one value, and hardly at any other time.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Int
from scipy.stats import binom

from tslam.audit.finding import Claim, counted, series_at
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground

__all__ = ["Silence", "as_silence", "silences", "spans"]

_LONG = 10.0
"""Times as long as the mean stretch of a log that a silence lasts: by chance one stretch in 20,000."""
_SURE = 1e-4
"""p-value, by chance, of as many moves in one of a log's silences: asked of every log."""
_FEWEST = 2
"""Moves in a silence from which it is a window of the outage."""


@dataclass(frozen=True)
class Silence:
    """A stretch in which a log holds one value, far longer than its others."""

    first: int
    stop: int
    """Transitions of the ground."""
    times: float
    """Length over that of the log's mean stretch."""


def silences(ground: Ground, column: str, least: float) -> list[Silence]:
    """Stretches in which a log holds one value for far longer than on the mean, in time order.

    Args:
        ground: The rich model.
        column: Name of a logged action column.
        least: Times as long as the mean stretch.
    """
    # lost samples cut no stretch, a new series does
    other = np.diff(ground.panel.series_of[ground.rows]) != 0
    moved = np.append(True, np.any(np.diff(ground.logged(column), axis=0) != 0, axis=1) | other)
    cuts = np.append(np.flatnonzero(moved), ground.n)
    mean = float(np.diff(cuts).mean())
    found = [Silence(int(a), int(b), float(b - a) / mean) for a, b in pairwise(cuts)]
    return [s for s in found if s.times >= least]


def as_silence(ground: Ground, columns: list[str], claim: Claim) -> Claim:
    """A claim about hidden moves, told as an outage of the log in whose silences they come, if there is one.

    Args:
        ground: The rich model.
        columns: Logged actions that are among its inputs.
        claim: About an action that no column logs.
    """
    if not claim.windows or claim.kind is not GapKind.MISSING_ACTION:
        return claim
    at = np.searchsorted(ground.rows, [last for _, last in claim.windows])
    found = {}
    for column in columns:
        silent = silences(ground, column, _LONG)
        p = min(1.0, len(silent) * min((_chance(ground, s, at) for s in silent), default=1.0))
        windows = [s for s in silent if _moves(at, s) >= _FEWEST]
        if windows and p < _SURE:
            found[column] = (p, windows)
    if not found:
        return claim
    column = min(found, key=lambda c: found[c][0])
    p, windows = found[column]
    rows, moves = sum(s.stop - s.first for s in windows), sum(_moves(at, s) for s in windows)
    evidence = Evidence(
        name="moves_in_silence",
        value=float(moves),
        reference=float(rows) / ground.n * at.size,
        p_value=p,
        reading=f"{moves} of its {at.size} moves come while the log of {column} held one value, for up to "
        f"{max(s.times for s in windows):.0f} times as long as it does on the mean.",
    )
    return replace(
        claim,
        kind=GapKind.LOG_OUTAGE,
        column=column,
        recommendation=f"Recover the log of {column} for {counted(len(windows), rows)}: it held one "
        "value while something that it otherwise tells went on moving.",
        evidence=(*claim.evidence, evidence),
        windows=spans(ground, windows),
        series=series_at(ground, (s.first for s in windows)),
    )


def spans(ground: Ground, windows: list[Silence]) -> tuple[tuple[int, int], ...]:
    """Grid rows of silences, both ends included."""
    return tuple((int(ground.rows[s.first]), int(ground.rows[s.stop - 1])) for s in windows)


def _moves(at: Int[np.ndarray, " move"], silence: Silence) -> int:
    """Moves in a silence; the row at which it begins is the log's own."""
    return int(((at > silence.first) & (at < silence.stop)).sum())


def _chance(ground: Ground, silence: Silence, at: Int[np.ndarray, " move"]) -> float:
    """p-value of so many moves in a stretch, were they anywhere."""
    return float(binom.sf(_moves(at, silence) - 1, at.size, (silence.stop - silence.first) / ground.n))
