"""What can be read from z, and what of the actions is their own: regressions on rows held out."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from tslam.diagnose.llo import linear_latent_optimality
from tslam.diagnose.results import Excitation, ExogenousProbe, KnownTruth
from tslam.diagnose.subject import Subject
from tslam.dynamics.forward import fit_ridge

__all__ = ["excitation", "exogenous_probe", "known_truth"]

_RIDGE = 1e-3
_SHIFTS = 9
_FEWEST_MOVES = 3
_FREE = 0.05
"""Share of its own below which an action is said to follow from what was observed."""


def exogenous_probe(
    subject: Subject, column: str, ahead: Float[np.ndarray, " n"], rng: np.random.Generator
) -> ExogenousProbe:
    """How much of x_{t+1} is readable from z, given the past.

    Args:
        subject: Model and transitions; its regressors are the past.
        column: Name of the exogenous variable.
        ahead: x_{t+1} of each transition; NaN where not measured.
        rng: Draws shifts.
    """
    past = _told(subject.X, ahead)
    gain = _told(np.column_stack([subject.X, subject.z]), ahead) - past
    n = len(ahead)
    far = rng.integers(n // 4, max(n // 4 + 1, 3 * n // 4), _SHIFTS)
    null = max(
        _told(np.column_stack([subject.X, np.roll(subject.z, int(s), axis=0)]), ahead) - past for s in far
    )
    told = "z carries some of the outside." if gain > max(2 * null, 0.01) else "no more than chance."
    reading = f"Of {column} one step ahead, z tells {gain:.1%} beyond the past ({null:.1%} by chance): {told}"
    return ExogenousProbe(column=column, gain=gain, null=null, reading=reading)


def excitation(
    history: Float[np.ndarray, "n feat"],
    actions: dict[str, Float[np.ndarray, "n width"]],
    follows: np.ndarray,
) -> Iterator[Excitation]:
    """How much of each action history does not tell.

    Args:
        history: Observations up to t.
        actions: Channels of each logged action at t, by column.
        follows: Is the row above the transition just before this one?
    """
    for name, values in actions.items():
        free = max(1.0 - max(0.0, _told(history, channel)) for channel in values.T)
        seen = np.isfinite(values).all(axis=1)
        both = follows[1:] & seen[1:] & seen[:-1]
        moves = int((np.any(values[1:] != values[:-1], axis=1) & both).sum())
        if moves < _FEWEST_MOVES:
            free = free if moves else 0.0
            told = "it hardly moves, so that its effect cannot be known."
        elif free < _FREE:
            told = "it follows from what was observed: its effect cannot be told from that of history."
        else:
            told = "enough of it is its own."
        reading = f"{name} moves {moves} times, {free:.0%} of it untold by history: {told}"
        yield Excitation(action=name, free=free, moves=moves, reading=reading)


def known_truth(subject: Subject, truth: Float[np.ndarray, "n act"]) -> KnownTruth:
    """LLO of the latents against what really was done.

    Args:
        subject: Model and transitions.
        truth: The action of each transition.
    """
    seen = np.isfinite(truth).all(axis=1)
    truth, z, left, now = truth[seen], subject.z[seen], subject.left[seen], subject.now[seen]
    F = np.column_stack([truth, np.ones(len(truth))])
    noise = left - F @ np.linalg.lstsq(F, left, rcond=None)[0]
    found = linear_latent_optimality(z, truth, noise, now)
    reading = (
        f"z holds {1 - found.action:.0%} of the action, {1 - found.noise:.0%} of the noise and "
        f"{1 - found.history:.0%} of o_t: LLO {found.value:.2f} of 2."
    )
    return KnownTruth(
        action=found.action, noise=found.noise, history=found.history, llo=found.value, reading=reading
    )


def _told(F: Float[np.ndarray, "n feat"], target: Float[np.ndarray, " n"]) -> float:
    """R² on the second half of the rows of a ridge regression on the first; 0 where nothing varies."""
    seen = np.isfinite(target)
    F, y = F[seen], target[seen, None]
    half = len(y) // 2
    first = np.arange(len(y)) < half
    if half < 3 or y[first].std() < 1e-9 or y[~first].std() < 1e-9:
        return 0.0
    scale = np.maximum(F[first].std(axis=0), 1e-9)
    error = y - fit_ridge(F / scale, y, first, _RIDGE).mean(F / scale)
    return float(1.0 - (error[~first] ** 2).mean() / y[~first].var())
