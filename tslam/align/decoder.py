"""z → a: a decoder of one action from a few labelled holds, numbers or levels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.align.labels import Holds
from tslam.align.reading import Reader, Reading
from tslam.align.ridge import Ridge, choose_ridge
from tslam.align.tied import Tied, tie
from tslam.contract.roles import Kind
from tslam.errors import AlignmentError, TrainingError

__all__ = ["Decoder", "fit_decoder", "positions"]

_SMOOTH = 4
"""Half width, in rows, over which the scores of levels are averaged: they are held. Events are not."""
_ROOM = 0.5
"""How far beyond the labelled range a number may be read, as a share of that range."""
_FOLDS = 3
"""Parts of the labels that are left out in turn to choose between the two ways of reading."""
_SPARE = 1e-3
"""Spread of hold means, as a share of the action's variance, that a rescaling is never surer than."""


@dataclass(frozen=True, eq=False)
class Decoder:
    """Reads an action out of transitions; frozen."""

    kind: Kind
    levels: tuple[str, ...]
    """Of categories and events; empty for numbers."""
    ridge: Ridge
    tied: Tied | None
    """The held latent tied to the labels: numbers only, where it reads labelled holds better."""
    low: float
    high: float
    steps: tuple[float, ...] = ()
    """The values of an ordinal action, to which readings are rounded."""

    def read(self, reading: Reading) -> Float[np.ndarray, " n"]:
        """The action of each transition: numbers, or positions in ``levels``."""
        if self.levels:
            return np.asarray(self.scores(reading).argmax(axis=1), float)
        path = self.ridge(reading.features)[:, 0] if self.tied is None else self.tied.path(reading.chain)
        room = _ROOM * (self.high - self.low)
        path = np.clip(path, self.low - room, self.high + room)
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
    reader: Reader, reading: Reading, holds: Holds, kind: Kind, rows: Bool[np.ndarray, " n"]
) -> Decoder:
    """Fit a decoder to labels.

    Args:
        reader: The lean model.
        reading: What is read of each transition.
        holds: The labels.
        kind: Kind of the action.
        rows: Transitions that may be learnt from, labelled or not.

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
    tied = _better(reader, reading, at, targets, ridge, rows)
    return Decoder(kind, (), ridge, tied, float(values.min()), float(values.max()), steps)


def _better(
    reader: Reader,
    reading: Reading,
    at: tuple[Int[np.ndarray, " _"], ...],
    targets: Float[np.ndarray, "n 1"],
    ridge: Ridge,
    rows: Bool[np.ndarray, " n"],
) -> Tied | None:
    """The tied latent, where it reads labels that were left out at least as well as the ridge does."""
    folds = min(len(at), _FOLDS)
    if folds < 3:
        return None
    mine, theirs = 0.0, 0.0
    for fold in range(folds):
        kept = tuple(own for i, own in enumerate(at) if i % folds != fold)
        other, _ = choose_ridge(reading.features, targets, kept, reading.latents)
        tied = _tied(reader, reading, kept, targets[:, 0], other, rows)
        if tied is None:
            return None
        path, plain = tied.path(reading.chain), other(reading.features)[:, 0]
        for own in at[fold::folds]:
            mine += float(np.mean((path[own] - targets[own, 0]) ** 2))
            theirs += float(np.mean((plain[own] - targets[own, 0]) ** 2))
    return _tied(reader, reading, at, targets[:, 0], ridge, rows) if mine <= theirs else None


def _tied(
    reader: Reader,
    reading: Reading,
    at: tuple[Int[np.ndarray, " _"], ...],
    told: Float[np.ndarray, " n"],
    ridge: Ridge,
    rows: Bool[np.ndarray, " n"],
) -> Tied | None:
    """The latent tied to labels, on the scale on which it reads them best without knowing them."""
    values = np.array([told[own[0]] for own in at])
    known = np.full(len(reading.features), np.nan)
    for own, value in zip(at, values, strict=True):
        known[own] = value
    low, high = values.min(), values.max()
    if not low < high:
        return None
    guess = np.clip(ridge(reading.features)[:, 0], low - _ROOM * (high - low), high + _ROOM * (high - low))
    try:
        tied = tie(reader, reading.chain, rows, guess, known)
    except TrainingError:
        return None  # the ridge stands; what could be told of it was
    path = tied.path(reading.chain)
    means = np.array([path[own].mean() for own in at])
    away = means - means.mean()
    spare = _SPARE * values.var() * len(values)
    slope = float(away @ (values - values.mean()) / (away @ away + spare))
    tied = Tied(tied.lam, float(values.mean() + slope * (tied.level - means.mean())), slope * tied.unit)
    return tied if np.isfinite(path).all() else None


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
