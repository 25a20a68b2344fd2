"""Ridge decoders: an action as a linear reading of each transition, penalties chosen on holds left out."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float, Int

__all__ = ["Ridge", "choose_ridge", "fit_ridge_on"]

_PENALTIES = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0, 100.0, 1000.0)
_UNSURE = 1.0
"""Penalty where there are too few holds to leave any out."""
_LIGHT = 1e-3
"""Penalty on latents: they are what the decoder is about."""
_FOLDS = 6

_Features = Float[np.ndarray, "n feat"]
_Targets = Float[np.ndarray, "n out"]
_Groups = tuple[Int[np.ndarray, " _"], ...]


@dataclass(frozen=True, eq=False)
class Ridge:
    """value = (features − centre) / scale · weights + bias."""

    centre: Float[np.ndarray, " feat"]
    scale: Float[np.ndarray, " feat"]
    weights: Float[np.ndarray, "feat out"]
    bias: Float[np.ndarray, " out"]

    def __call__(self, features: _Features) -> _Targets:
        """Decoded values, one row per transition."""
        return np.asarray((features - self.centre) / self.scale @ self.weights + self.bias)


def choose_ridge(
    features: _Features, targets: _Targets, holds: _Groups, light: int
) -> tuple[Ridge, Float[np.ndarray, "label out"]]:
    """The ridge whose penalties predict holds that were left out best, and what it predicts of them.

    Args:
        features: One row per transition.
        targets: The label of each transition; only the rows of holds are looked at.
        holds: Positions of each label's transitions.
        light: How many of the first features are latents, which are hardly penalised, or as all others are.
    """
    folds = min(len(holds), _FOLDS)
    if folds < 3:
        fitted = fit_ridge_on(features, targets, holds, light, _UNSURE)
        return fitted, _means(fitted(features), holds)
    best: tuple[float, float, int, np.ndarray] | None = None
    for free, penalty in product(sorted({light, 0}, reverse=True), _PENALTIES):
        out, error = np.zeros((len(holds), targets.shape[1])), 0.0
        for fold in range(folds):
            kept = tuple(h for i, h in enumerate(holds) if i % folds != fold)
            fitted = fit_ridge_on(features, targets, kept, free, penalty)
            for i in range(fold, len(holds), folds):
                told = fitted(features[holds[i]])
                out[i] = told.mean(axis=0)
                error += float(((told - targets[holds[i]]) ** 2).mean(axis=0).sum())
        if best is None or error < best[0]:
            best = (error, penalty, free, out)
    assert best is not None
    return fit_ridge_on(features, targets, holds, best[2], best[1]), best[3]


def fit_ridge_on(features: _Features, targets: _Targets, holds: _Groups, light: int, penalty: float) -> Ridge:
    """Ridge over the transitions of holds, features in units of their spread over the whole record."""
    centre, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    rows = np.concatenate(holds)
    Q, T = (features[rows] - centre) / scale, targets[rows]
    middle, bias = Q.mean(axis=0), T.mean(axis=0)
    spread = np.maximum(T.std(axis=0), 1e-12)
    pen = np.append(np.full(light, _LIGHT), np.full(features.shape[1] - light, penalty))
    gram = (Q - middle).T @ (Q - middle) / len(Q) + np.diag(pen)
    weights = np.linalg.solve(gram, (Q - middle).T @ ((T - bias) / spread) / len(Q)) * spread
    return Ridge(centre, scale, weights, bias - middle @ weights)


def _means(path: _Targets, holds: _Groups) -> Float[np.ndarray, "label out"]:
    return np.array([path[h].mean(axis=0) for h in holds])
