"""A claim before it is graded: what a question found, in numbers, on the ground's transitions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.rest import ORDINARY, RESTS, Resting
from tslam.kernels.hac import MeanTest

__all__ = [
    "Claim",
    "causal_gain",
    "counted",
    "driven_channels",
    "found_alike",
    "in_windows",
    "jump_windows",
    "largest_share",
    "listed",
    "log_what_moves",
    "moves_at_rest",
    "series_at",
    "told_by_data",
]

_LOUD = 0.3
"""A channel is driven where its effect, in noise units, is at least this share of the largest."""
_MOST_WINDOWS = 50
_NEAR = 4
"""Rows within which changes of a path are one."""


@dataclass(frozen=True, eq=False)
class Claim:
    """One candidate gap."""

    kind: GapKind
    column: str | None
    p: float
    share: float
    """Largest share of some channel's held-out residual variance."""
    score: float
    """Held-out nats per 1,000 rows."""
    recommendation: str
    evidence: tuple[Evidence, ...] = ()
    channels: tuple[str, ...] = ()
    windows: tuple[tuple[int, int], ...] = ()
    """First and last grid rows, both included."""
    lag: int | None = None
    latents: bool = False
    """Does a latent carry the evidence?"""
    series: tuple[str, ...] | None = None
    rival: bool = False
    most: str = "critical"
    """Severity that the claim cannot pass."""
    direction: Float[np.ndarray, " chan"] | None = field(default=None)
    """Effect on o_{t+1}, scaled."""
    path: Float[np.ndarray, " n"] | None = field(default=None)
    """Level of what is hidden, on the ground's transitions."""
    fact: bool = False
    """Is it read off the log, with nothing inferred? Then there is no null, and the gap has no p-value."""
    suggested: str | None = None
    """Column that should have been logged, where it has a name."""


def driven_channels(ground: Ground, direction: Float[np.ndarray, " chan"]) -> tuple[str, ...]:
    """Names of the channels that a direction drives, strongest first."""
    loud = np.abs(direction) / np.sqrt(np.diag(ground.cov))
    if not loud.max() > 0:
        return ()
    return tuple(ground.panel.channels[i] for i in np.argsort(-loud) if loud[i] >= _LOUD * loud.max())


def largest_share(ground: Ground, effect: Float[np.ndarray, "n chan"]) -> float:
    """Largest share of a channel's held-out residual variance that an effect amounts to."""
    left = (ground.residual**2).sum(axis=0)
    return float(np.minimum((effect**2).sum(axis=0) / np.maximum(left, 1e-30), 1.0).max())


def series_at(ground: Ground, rows: Iterable[int]) -> tuple[str, ...] | None:
    """Series in which some transitions of the ground lie; None where there is only one."""
    names = ground.panel.series_names
    if len(names) == 1:
        return None
    return tuple(sorted({names[int(ground.panel.series_of[ground.rows[row]])] for row in rows}))


def in_windows(ground: Ground, windows: Iterable[tuple[int, int]]) -> Bool[np.ndarray, " n"]:
    """Transitions inside spans of grid rows, both ends included."""
    out = np.zeros(ground.n, bool)
    for first, last in windows:
        out |= (ground.rows >= first) & (ground.rows <= last)
    return out


def jump_windows(ground: Ground, path: Float[np.ndarray, " n"]) -> tuple[tuple[int, int], ...]:
    """The largest changes of a path, at most fifty, each with the row before it."""
    step = np.abs(np.diff(path))
    step[ground.start[1:]] = 0.0
    line = 5.0 * 1.4826 * float(np.median(step))
    found: list[int] = []
    for i in np.argsort(-step):
        if step[i] < line or len(found) == _MOST_WINDOWS:
            break
        if all(abs(int(i) - j) > _NEAR for j in found):
            found.append(int(i))
    return tuple((int(ground.rows[i]), int(ground.rows[i + 1])) for i in sorted(found))


def counted(windows: int, rows: int) -> str:
    """So many windows, so many rows."""
    return f"{windows} window{'s' * (windows > 1)} ({rows} rows)"


def listed(channels: tuple[str, ...]) -> str:
    """Names for a sentence, three at most."""
    shown = list(channels[:3])
    if not shown:
        return "the observations"
    more = len(channels) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def causal_gain(gain: MeanTest, adds: str) -> Evidence:
    """Held-out nats per 1,000 rows that something adds, as evidence."""
    return Evidence(
        name="causal_gain",
        value=1000.0 * gain.mean,
        reference=0.0,
        p_value=gain.p,
        reading=f"Held-out nats per 1,000 rows that {adds}.",
    )


def told_by_data(told: float, least: float, where: str = "") -> Evidence:
    """Share of a latent's variance that the data tell, as evidence."""
    return Evidence(
        name="told", value=told, reference=least, reading=f"Share of its variance that the data tell{where}."
    )


def found_alike(agreement: float, least: float) -> Evidence:
    """How alike the paths are that parts of the record find, as evidence."""
    reading = "Correlation between what parts of the record find, each by itself."
    return Evidence(name="agreement", value=agreement, reference=least, reading=reading)


def moves_at_rest(found: Resting) -> tuple[Evidence, Evidence]:
    """Size of steps where nothing logged moves over that elsewhere, as evidence."""
    anywhere = (
        "Size of its steps where nothing logged moves over that elsewhere: a misfit's are smaller there."
    )
    ordinary = "The same where the state is one that is often visited, too: a misfit is large at extremes."
    return (
        Evidence(name="steps_at_rest", value=found.anywhere, reference=RESTS, reading=anywhere),
        Evidence(name="steps_at_ordinary_states", value=found.ordinary, reference=ORDINARY, reading=ordinary),
    )


def log_what_moves(channels: tuple[str, ...]) -> str:
    """What to do about an action that no column logs."""
    return (
        f"Find what is switched or set and moves {listed(channels)}, and log it: its level and each change."
    )
