"""Held latents that stand for an action: found without a label, tied to labels, on the action's scale.

What labels say of levels found without them is a first guess; expectation-maximisation then fits latent and
record to the labels. What a latent does is a straight line of it, what an action does is not: labels are told
to it unbent, by the bend that they have on the first guess. It goes to the nearest top: with more labels it
starts from what a ridge reads as well.
The first guess stays beside what it led to, and all count alike: which is likelier says little of which is
right where all read the labels, and labels of a stretch that the model misses lead astray.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.align.calibrate import Curve, calibrate, unbent
from tslam.align.jumping import Jumping, fit_jumping
from tslam.align.reading import Reader, Reading
from tslam.align.ridge import choose_ridge
from tslam.errors import TrainingError
from tslam.panel.chain import Chain

__all__ = ["ROOM", "Mixture", "fit_mixture"]

ROOM = 0.5
"""How far beyond the labelled range a ridge may read, as a share of that range."""
_FEW = 6
"""Labels from which a ridge is started from as well."""

_Holds = tuple[Int[np.ndarray, " _"], ...]
_Path = Float[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Curves of held latents; their weights sum to one."""

    models: tuple[Jumping, ...]
    curves: tuple[Curve, ...]

    def path(self, c: Chain, *, plain: bool = False) -> _Path:
        """The action of each transition, read without any label; plain: by curves that follow none."""
        levels = np.column_stack([model.path(c) for model in self.models])
        if not plain:
            return _read(self.curves, levels)
        return np.asarray(
            np.sum([curve.weight * curve.plain(levels[:, curve.which]) for curve in self.curves], axis=0)
        )


def fit_mixture(
    reader: Reader,
    reading: Reading,
    at: _Holds,
    values: Float[np.ndarray, " label"],
    rows: Bool[np.ndarray, " n"],
    *,
    tied: bool = True,
) -> Mixture | None:
    """Held latents that read the labels; None where there is no scale in them, or none was found.

    Args:
        reader: What was learnt without a label.
        reading: What is read of each transition.
        at: Transitions of each label.
        values: The labels.
        rows: Transitions that may be learnt from, labelled or not.
        tied: Fit the latent to the labels too; otherwise they only give a scale to what was found without.
    """
    if not values.min() < values.max():
        return None
    guesses: list[tuple[_Path, bool]] = []
    free, told = None, values
    if reading.held:
        behind = np.array([held.behind for held in reading.held])
        curves = calibrate(reading.levels, behind, at, values)
        free, told = _of([held.model for held in reading.held], curves), unbent(curves, values)
        if not tied:
            return free
        level = np.sum([c.weight * np.sign(c.slope) * reading.levels[:, c.which] for c in curves], axis=0)
        guesses.append((level, False))
    if tied and (len(values) >= _FEW or free is None):
        ridge = _ridge_path(reading, at, values)
        guesses.append((ridge if free is None else unbent(free.curves, ridge), True))
    parts = [_tied(reader, reading, at, (values, told), rows, guess, rise) for guess, rise in guesses]
    found = [part for part in parts if part is not None]
    return _together([*found, *([] if free is None else [free])]) if found else free


def _tied(
    reader: Reader,
    reading: Reading,
    at: _Holds,
    labels: tuple[Float[np.ndarray, " label"], Float[np.ndarray, " label"]],
    rows: Bool[np.ndarray, " n"],
    guess: _Path,
    rise: bool,
) -> Mixture | None:
    """The held latent that a guess leads to, its scale from how it reads the labels without knowing them.

    Labels are given as they are, and unbent.
    """
    values, told = labels
    known = np.full(len(guess), np.nan)
    for held, value in zip(at, told, strict=True):
        known[held] = value
    try:
        model, _ = fit_jumping(reader.lam, reading.chain, rows, guess, known, rise=rise)
    except TrainingError:
        return None  # another guess stands, or what was found without labels, or the ridge
    own, path = model.scaled(model.path(reading.chain), rows)
    return _of([own], calibrate(path[:, None], np.zeros(1), at, values))


def _ridge_path(reading: Reading, at: _Holds, values: Float[np.ndarray, " label"]) -> _Path:
    """The action as a ridge on latents, observations and inputs has it."""
    targets = np.zeros((len(reading.features), 1))
    for own, value in zip(at, values, strict=True):
        targets[own] = value
    ridge, _ = choose_ridge(reading.features, targets, at, reading.latents)
    room = ROOM * (values.max() - values.min())
    return np.asarray(np.clip(ridge(reading.features)[:, 0], values.min() - room, values.max() + room))


def _read(curves: Sequence[Curve], levels: Float[np.ndarray, "n level"]) -> _Path:
    out = np.zeros(len(levels))
    for curve in curves:
        out += curve.weight * curve(levels[:, curve.which])
    return out


def _of(models: Sequence[Jumping], curves: Sequence[Curve]) -> Mixture:
    """Curves with the models that they need, and no others."""
    needed = sorted({curve.which for curve in curves})
    return Mixture(
        tuple(models[i] for i in needed),
        tuple(replace(curve, which=needed.index(curve.which)) for curve in curves),
    )


def _together(found: Sequence[Mixture]) -> Mixture:
    """All of them, each counting alike."""
    models = tuple(model for own in found for model in own.models)
    curves, first = [], 0
    for own in found:
        curves += [replace(c, which=first + c.which, weight=c.weight / len(found)) for c in own.curves]
        first += len(own.models)
    return Mixture(models, tuple(curves))
