"""z → a: a decoder of one action from a few labelled holds, numbers or levels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.align.labels import Holds
from tslam.align.mixture import ROOM, Mixture, fit_mixture
from tslam.align.reading import Reader, Reading
from tslam.align.ridge import Ridge, choose_ridge
from tslam.contract.roles import Kind
from tslam.errors import AlignmentError

__all__ = ["Decoder", "fit_decoder", "positions"]

_SMOOTH = 4
"""Half width, in rows, over which the scores of levels are averaged: they are held. Events are not."""
_FOLDS, _ENOUGH = 3, 6
"""Parts of the labels left out in turn to compare the two ways of reading; fewest labels for that."""
_ENDS, _BEYOND = (0.005, 0.995), 0.1
"""Quantiles of what is read of the record learnt from that are its ends, and how much farther, as a share of
what lies between, a reading may go later: far beyond lies a state that the model never met, rather than a
hand (docs/notes, levels that are bent)."""
_FAR = 1.5
"""How many times the error of a ridge that of held latents has to be for it to be taken; twice with few."""


@dataclass(frozen=True, eq=False)
class Decoder:
    """Reads an action out of transitions; frozen."""

    kind: Kind
    levels: tuple[str, ...]
    """Of categories and events; empty for numbers."""
    ridge: Ridge
    held: Mixture | None
    """Held latents that stand for the action: numbers only, unless the ridge reads far better."""
    low: float
    high: float
    steps: tuple[float, ...] = ()
    """The values of an ordinal action, to which readings are rounded."""
    ends: tuple[float, float] | None = None
    """How far readings of held latents go; None without any."""

    def read(self, reading: Reading, *, plain: bool = False) -> Float[np.ndarray, " n"]:
        """The action of each transition: numbers, or positions in ``levels``.

        Args:
            reading: What is read of each.
            plain: Held latents are read by curves that follow no label, and as far as they go; otherwise no
                farther than they did in the record learnt from, and a tenth of that range. For what asks
                whether anything has changed: a reading that is drawn to what was usual hides a larger effect.
        """
        if self.levels:
            return np.asarray(self.scores(reading).argmax(axis=1), float)
        if self.held is not None:
            path = self.held.path(reading.chain, plain=plain)
            path = path if self.ends is None or plain else np.clip(path, *self.ends)
        else:
            room = ROOM * (self.high - self.low)
            path = np.clip(self.ridge(reading.features)[:, 0], self.low - room, self.high + room)
        if self.steps:
            steps = np.array(self.steps)
            path = steps[np.abs(path[:, None] - steps).argmin(axis=1)]
        return np.asarray(path)

    def scores(self, reading: Reading) -> Float[np.ndarray, "n level"]:
        """How much each level is like what is read."""
        raw: np.ndarray = self.ridge(reading.features)
        if self.kind is Kind.EVENT:
            return raw
        total = np.cumsum(np.vstack([np.zeros((1, raw.shape[1])), raw]), axis=0)
        row = np.arange(len(raw))
        low, high = np.maximum(row - _SMOOTH, 0), np.minimum(row + _SMOOTH + 1, len(raw))
        averaged: np.ndarray = (total[high] - total[low]) / (high - low)[:, None]
        return averaged


def positions(holds: Holds, reading: Reading) -> tuple[Int[np.ndarray, " _"], ...]:
    """The usable transitions that leave the rows of each hold.

    Raises:
        AlignmentError: a hold has none.
    """
    c = reading.chain
    out = []
    for rows in holds.rows:
        at = np.searchsorted(c.rows, rows)
        at = at[at < c.rows.size]
        at = at[np.isin(c.rows[at], rows) & c.usable[at]]
        if not at.size:
            raise AlignmentError(
                f"A label of {len(rows)} rows has no usable transition: nothing was measured there. Label a "
                "stretch with measurements."
            )
        out.append(np.unique(at))
    return tuple(out)


def fit_decoder(
    reader: Reader,
    reading: Reading,
    holds: Holds,
    kind: Kind,
    rows: Bool[np.ndarray, " n"],
    *,
    quick: bool = False,
) -> Decoder:
    """Fit a decoder to labels.

    Args:
        reader: The lean model.
        reading: What is read of each transition.
        holds: The labels.
        kind: Kind of the action.
        rows: Transitions that may be learnt from, labelled or not.
        quick: Fit no latent to the labels and leave none out: for learning curves, which fit often.

    Raises:
        AlignmentError: labels do not suit the kind.
    """
    at = positions(holds, reading)
    if kind in {Kind.CATEGORICAL, Kind.EVENT, Kind.BOOLEAN}:
        return _levels(reading, holds, at, kind)
    values = holds.numbers()
    targets = np.zeros((len(reading.features), 1))
    for own, value in zip(at, values, strict=True):
        targets[own] = value
    ridge, _ = choose_ridge(reading.features, targets, at, reading.latents)
    steps = tuple(sorted(set(values.tolist()))) if kind is Kind.ORDINAL else ()
    held = fit_mixture(reader, reading, at, values, rows, tied=not quick)
    if held is not None and not quick and _ridge_reads_better(reader, reading, at, targets, rows):
        held = None
    span = (float(values.min()), float(values.max()))
    if held is None:
        return Decoder(kind, (), ridge, None, *span, steps)
    return Decoder(kind, (), ridge, held, *span, steps, _ends(held.path(reading.chain)[rows], values))


def _ends(path: Float[np.ndarray, " n"], values: Float[np.ndarray, " label"]) -> tuple[float, float]:
    """How far a reading may go that went so far, with labels that go so far."""
    low, high = np.quantile(path, _ENDS)
    low, high = min(low, values.min()), max(high, values.max())
    room = _BEYOND * (high - low)
    return float(low - room), float(high + room)


def _ridge_reads_better(
    reader: Reader,
    reading: Reading,
    at: tuple[Int[np.ndarray, " _"], ...],
    targets: Float[np.ndarray, "n 1"],
    rows: Bool[np.ndarray, " n"],
) -> bool:
    """Does the ridge read labels that were left out far better than held latents?"""
    if len(at) < _ENOUGH:
        return False
    far = max(_FAR, 1.0 + _ENOUGH / len(at))
    folds = [[i for i in range(len(at)) if i % _FOLDS != fold] for fold in range(_FOLDS)]
    theirs = 0.0
    for fold, which in enumerate(folds):
        kept = tuple(at[i] for i in which)
        plain = choose_ridge(reading.features, targets, kept, reading.latents)[0](reading.features)[:, 0]
        theirs += _miss(plain, targets, at[fold::_FOLDS])
    for tied in (False, True):  # what takes long is asked only where the ridge is ahead of the quick one
        mine = 0.0
        for fold, which in enumerate(folds):
            kept = tuple(at[i] for i in which)
            values = np.array([targets[own[0], 0] for own in kept])
            held = fit_mixture(reader, reading, kept, values, rows, tied=tied)
            if held is None:
                return False
            mine += _miss(held.path(reading.chain), targets, at[fold::_FOLDS])
        if mine <= far * theirs:
            return False
    return True


def _miss(
    path: Float[np.ndarray, " n"], targets: Float[np.ndarray, "n 1"], at: Sequence[Int[np.ndarray, " _"]]
) -> float:
    return sum(float(np.mean((path[own] - targets[own, 0]) ** 2)) for own in at)


def _levels(reading: Reading, holds: Holds, at: tuple[Int[np.ndarray, " _"], ...], kind: Kind) -> Decoder:
    names = [_name(value) for value in holds.values]
    levels = tuple(sorted(set(names)))
    targets = np.zeros((len(reading.features), len(levels)))
    for own, name in zip(at, names, strict=True):
        targets[own, levels.index(name)] = 1.0
    ridge, _ = choose_ridge(reading.features, targets, at, reading.latents)
    return Decoder(kind, levels, ridge, None, 0.0, float(len(levels) - 1))


def _name(value: float | str) -> str:
    """The name of a level; 1 and 1.0 are one."""
    if isinstance(value, str):
        return value
    return f"{float(value):g}"
