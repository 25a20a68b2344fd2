"""Where the held latent of an action might be, and which of the places is likeliest once it is tied there.

Expectation-maximisation goes to the nearest top, and there are several: what the forward model misses and
the hidden action are both held. So it starts from what a ridge reads out of everything, from what one reads
out of observations alone, and from latents found without a label, the leading offset of stretches first (see
:mod:`tslam.align.offsets`); the record says which is likeliest.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.align.jumping import Jumping, fit_jumping
from tslam.align.reading import Reader, Reading
from tslam.align.ridge import choose_ridge
from tslam.errors import TrainingError

__all__ = ["ROOM", "likeliest", "solutions"]

ROOM = 0.5
"""How far beyond the labelled range a number may be read, as a share of that range."""
_MOST_LATENTS = 4
"""Latents that are started from: the leading offset, the lean one, and those that go with the labels best."""
_WORSE = 0.05
"""How much worse than the best a solution may read the labels, as a share of their variance."""
_SPARE = 1e-3
"""Spread of hold means, as a share of the action's variance, that a rescaling is never surer than."""

_Holds = tuple[Int[np.ndarray, " _"], ...]


def likeliest(
    reader: Reader,
    reading: Reading,
    at: _Holds,
    values: Float[np.ndarray, " label"],
    rows: Bool[np.ndarray, " n"],
    starts: int | None = None,
) -> Jumping | None:
    """The held latent tied to labels; None where there is no scale in them, or no fit has finite numbers.

    Args:
        reader: The lean model.
        reading: What is read of each transition.
        at: Transitions of each label.
        values: The labels.
        rows: Transitions that may be learnt from, labelled or not.
        starts: How many guesses to start from; None: all.
    """
    found = solutions(reader, reading, at, values, rows, starts)
    return found[0][1] if found else None


def solutions(
    reader: Reader,
    reading: Reading,
    at: _Holds,
    values: Float[np.ndarray, " label"],
    rows: Bool[np.ndarray, " n"],
    starts: int | None = None,
) -> list[tuple[float, Jumping]]:
    """What each guess comes to, with its log-likelihood per transition, likeliest first.

    Those are left out that read the labels themselves clearly worse than the best does: where there is next
    to no noise the record may be likelier with something else held, and the labels not.
    """
    if not values.min() < values.max():
        return []
    known = np.full(len(reading.features), np.nan)
    for own, value in zip(at, values, strict=True):
        known[own] = value
    out: list[tuple[float, Jumping]] = []
    misses: list[float] = []
    for guess in _guesses(reading, at, values)[:starts]:
        try:
            model, loglik = fit_jumping(reader, reading.chain, rows, guess, known)
        except TrainingError:
            continue  # the other guesses stand, and where there is none, the ridge
        latent = model.latent(reading.chain)
        scaled = _rescaled(model, latent, at, values)
        path = scaled.level + scaled.unit * latent
        miss = [np.mean((path[held] - value) ** 2) for held, value in zip(at, values, strict=True)]
        out.append((loglik, scaled))
        misses.append(float(np.mean(miss) / values.var()))
    near = [pair for pair, miss in zip(out, misses, strict=True) if miss <= min(misses) + _WORSE]
    return sorted(near, key=lambda pair: -pair[0])


def _guesses(
    reading: Reading, at: _Holds, values: Float[np.ndarray, " label"]
) -> list[Float[np.ndarray, " n"]]:
    """The action of each transition as simple readings have it."""
    features, light = reading.features, reading.latents
    targets = np.zeros((len(features), 1))
    for own, value in zip(at, values, strict=True):
        targets[own] = value
    plain = features[:, light:]
    out = [
        choose_ridge(features, targets, at, light)[0](features)[:, 0],
        choose_ridge(plain, targets, at, 0)[0](plain)[:, 0],
    ]
    means = np.array([features[own, :light].mean(axis=0) for own in at])
    away, aim = means - means.mean(axis=0), values - values.mean()
    spread = (away**2).sum(axis=0) + 1e-6
    shares = (aim @ away) ** 2 / spread
    first = [1, 0] if light > 1 else [0]
    order = [*first, *(2 + np.argsort(-shares[2:], kind="stable"))]
    for i in order[:_MOST_LATENTS]:
        slope = (aim @ away[:, i]) / spread[i]
        out.append(values.mean() + slope * (features[:, i] - means[:, i].mean()))
    room = ROOM * (values.max() - values.min())
    out = [np.clip(path, values.min() - room, values.max() + room) for path in out]
    # the ridge and the leading offset first: they are what is started from where time is short
    return [out[0], out[2], out[1], *out[3:]]


def _rescaled(
    model: Jumping, latent: Float[np.ndarray, " n"], at: _Holds, values: Float[np.ndarray, " label"]
) -> Jumping:
    """The same on the scale on which it reads the labels best without knowing them."""
    means = np.array([model.level + model.unit * latent[own].mean() for own in at])
    away = means - means.mean()
    slope = float(away @ (values - values.mean()) / (away @ away + _SPARE * values.var() * len(values)))
    level = float(values.mean() + slope * (model.level - means.mean()))
    return Jumping(model.forward, model.loadings, model.noise, model.rate, level, slope * model.unit)
