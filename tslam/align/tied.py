"""The held latent tied to labels: expectation-maximisation in which labelled rows are known.

Labels say where the latent is on a few holds; the rest of the record says how everything else goes on, and
the two are fitted to each other. The result is a forward model in which the latent is the action.

Source: as :mod:`tslam.dynamics.held`, with labels as measurements of the latent; Nigam, McCallum, Thrun and
Mitchell, "Text classification from labeled and unlabeled documents using EM", Machine Learning 39, 2000.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tslam.align.lean import forward_of, inverse_of, regressors, relined
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM
from tslam.dynamics.linear import residual_covariance
from tslam.errors import TrainingError
from tslam.kernels.kalman import kalman_filter, kalman_smoother
from tslam.panel.chain import Chain

__all__ = ["Tied", "tie"]

_ROUNDS = 15
_PHI = 0.985
"""Persistence of the action per step; labels, not this number, say what it was."""
_CERTAIN = 0.05
"""How far a label may be from the latent, in standard deviations of the action."""
_START = 0.1
"""Variance of the first guess of the latent."""
_RIDGE, _PRODUCT_RIDGE = 1e-4, 1e-2


@dataclass(frozen=True, eq=False)
class Tied:
    """A model whose latent is the action: action = level + unit · z."""

    lam: LAM
    level: float
    unit: float

    def path(self, c: Chain) -> Float[np.ndarray, " n"]:
        """The action of each transition, read without any label."""
        path = self.lam.infer(c.X, c.Y, c.start)
        assert path is not None
        return np.asarray(self.level + self.unit * path.mean[:, 0])


def tie(
    lean: LAM,
    c: Chain,
    rows: Bool[np.ndarray, " n"],
    guess: Float[np.ndarray, " n"],
    known: Float[np.ndarray, " n"],
) -> Tied:
    """Fit the latent to labels and to the record.

    Args:
        lean: The lean model, fitted without labels.
        c: Its transitions.
        rows: Transitions to learn from.
        guess: The action of each transition as a first decoder reads it.
        known: The action where it is labelled, NaN elsewhere.

    Raises:
        TrainingError: no finite numbers.
    """
    forward = forward_of(lean)
    told = np.isfinite(known)
    first = np.where(told, known, guess)
    level, unit = float(first[rows].mean()), float(max(first[rows].std(), 1e-9))
    target = np.where(told & rows, (known - level) / unit, np.nan)
    z, var = np.clip((first - level) / unit, -4.0, 4.0), np.where(told, _CERTAIN**2, _START)
    use = rows & np.isfinite(c.Y).all(axis=1)
    F = np.column_stack([regressors(forward, c.X), np.ones(len(c.X))])
    plain = c.X.shape[1]
    pen = np.append(np.full(plain, _RIDGE), np.full(F.shape[1] - plain - 1, _PRODUCT_RIDGE))
    known_part, Y = F[use], c.Y[use]
    size = F.shape[1] + 1
    gram, right = np.zeros((size, size)), np.zeros((size, c.Y.shape[1]))
    gram[:-1, :-1] = known_part.T @ known_part
    gram += np.diag(np.append(pen, [1e-9, 1e-9])) * max(1, int(use.sum()))
    right[:-1] = known_part.T @ Y
    corner = gram[-1, -1]
    seen = np.where(rows[:, None], c.Y, np.nan)
    inverse = inverse_of(lean)
    try:
        for _ in range(_ROUNDS):
            own = z[use]
            gram[-1, :-1] = gram[:-1, -1] = known_part.T @ own
            gram[-1, -1] = corner + own @ own + var[use].sum()
            right[-1] = own @ Y
            W = np.linalg.solve(gram, right)
            mean = F @ W[:-1]
            left = Y - mean[use] - np.outer(own, W[-1])
            R = left.T @ left / len(left) + np.outer(W[-1], W[-1]) * var[use].mean()
            R += 1e-9 * np.eye(len(R))
            inverse = HeldInverse(W[-1][:, None], R, np.array([_PHI]))
            z, var = _smoothed(inverse, seen - mean, c.start, target)
    except np.linalg.LinAlgError as error:
        raise TrainingError(
            f"The latent could not be tied to the labels: {error}. Give more labels."
        ) from error
    forward = relined(forward, W[:-2], W[-2])
    if not (np.isfinite(z).all() and np.isfinite(R).all()):
        raise TrainingError(
            "The latent could not be tied to the labels: numbers are not finite. Give more labels."
        )
    cov = residual_covariance(c.Y - forward.mean(c.X), use)
    return Tied(LAM("held", forward, inverse, forward, cov), level, unit)


def _smoothed(
    inverse: HeldInverse,
    left: Float[np.ndarray, "n chan"],
    start: Bool[np.ndarray, " n"],
    target: Float[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Smoothed latent and its variance, labels counted as measurements."""
    h, J, which = inverse.measurement(left)
    J, told = J[which].copy(), np.isfinite(target)
    h[told, 0] += target[told] / _CERTAIN**2
    J[told, 0, 0] += 1.0 / _CERTAIN**2
    q = 1.0 - inverse.phi[None] ** 2
    prior, prior_cov, mean, cov, _ = kalman_filter(h, J, np.arange(len(h)), start, inverse.phi, q)
    mean, cov, _ = kalman_smoother(start, inverse.phi, prior, prior_cov, mean, cov)
    return mean[:, 0], cov[:, 0, 0]
