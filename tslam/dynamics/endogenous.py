"""An endogenous representation: the directions of the samples that actions reach, without the outside's.

With logged actions they are those that tell which action was taken some steps before (multi-step inverse
dynamics). Without, they are those in which series under the same actions move alike: what is outside of each
differs from one to the next.
"""

import numpy as np
from jaxtyping import Float, Int

from tslam.errors import ConfigError

__all__ = ["common", "onto", "reached", "untold"]

_RIDGE = 1e-6
_SHUFFLES = 5
_ALIKE = 0.5
"""Correlation between series from which a direction is more of what they share than of their own."""


def reached(
    changes: list[Float[np.ndarray, "rows chan"]], actions: Float[np.ndarray, "rows act"]
) -> Float[np.ndarray, "kept chan"]:
    """Directions that tell the action of a step from where things are 1, 2, … steps later.

    Args:
        changes: For each number of steps k what history does not tell of o_{t+k}; NaN where not measured.
        actions: What history does not tell of a_t; NaN where not logged.

    Returns:
        Orthonormal rows.

    Raises:
        ConfigError: no direction tells more than it does of shuffled actions.

    Source: multi-step inverse dynamics, Lamb et al., "Guaranteed discovery of control-endogenous latent
    states with multi-step inverse models", arXiv 2207.08229; linear here.
    """
    rng = np.random.default_rng(0)
    tells: list[np.ndarray] = []
    ceiling = 0.0
    for change in changes:
        seen = np.isfinite(change).all(axis=1) & np.isfinite(actions).all(axis=1)
        count = max(1, int(seen.sum()))
        D, a = change[seen], actions[seen]
        a = (a - a.mean(axis=0)) / np.maximum(a.std(axis=0), 1e-9)
        whiten = _inverse_root(D.T @ D / count)
        chance = [np.linalg.norm(whiten @ D.T @ rng.permutation(a), 2) / count for _ in range(_SHUFFLES)]
        ceiling = max(ceiling, 2.0 * float(np.max(chance)))
        U, shares, _ = np.linalg.svd(whiten @ D.T @ a / count, full_matrices=False)
        directions = (whiten @ U[:, shares > ceiling]).T
        tells += list(
            shares[shares > ceiling, None] * directions / np.linalg.norm(directions, axis=1, keepdims=True)
        )
    if not tells:
        raise ConfigError(
            "No logged action can be told from what follows it, so that nothing says what actions reach. "
            "Check the columns that log actions, or take a preset without an endogenous representation."
        )
    _, size, rows = np.linalg.svd(np.stack(tells), full_matrices=False)
    return np.asarray(rows[size > ceiling])


def common(
    one: Float[np.ndarray, "rows chan"], other: Float[np.ndarray, "rows chan"]
) -> Float[np.ndarray, "kept chan"]:
    """Directions in which two series under the same actions move alike.

    Args:
        one: What history does not tell of o_{t+1} in one series.
        other: The same in the other, at the same times.

    Returns:
        Orthonormal rows.

    Raises:
        ConfigError: there is none.
    """
    own = (one.T @ one + other.T @ other) / (2 * max(1, len(one)))
    shared = one.T @ other / max(1, len(one))
    whiten = _inverse_root(own)
    alike, directions = np.linalg.eigh(whiten @ (shared + shared.T) @ whiten / 2)
    kept = whiten @ directions[:, alike > _ALIKE]
    if not kept.shape[1]:
        raise ConfigError(
            f"The series move alike in no direction (largest correlation {alike[-1]:.2f}, at least {_ALIKE} "
            "is needed): they are not under the same actions. Take a preset for one series."
        )
    return np.asarray(np.linalg.qr(kept)[0].T)


def onto(rows: Float[np.ndarray, "kept chan"]) -> Float[np.ndarray, "chan chan"]:
    """The projection on the directions given as orthonormal rows."""
    return np.asarray(rows.T @ rows)


def untold(
    history: Float[np.ndarray, "n feat"], values: Float[np.ndarray, "n width"], rows: Int[np.ndarray, " rows"]
) -> Float[np.ndarray, "n width"]:
    """What a linear function of history leaves of values, fitted on the rows where all are measured."""
    F = np.column_stack([history, np.ones(len(history))])
    fit = rows[np.isfinite(values[rows]).all(axis=1)]
    gram = F[fit].T @ F[fit] + _RIDGE * max(1, fit.size) * np.eye(F.shape[1])
    return np.asarray(values - F @ np.linalg.solve(gram, F[fit].T @ values[fit]))


def _inverse_root(cov: Float[np.ndarray, "chan chan"]) -> Float[np.ndarray, "chan chan"]:
    values, vectors = np.linalg.eigh(cov)
    return np.asarray((vectors / np.sqrt(np.maximum(values, _RIDGE * values[-1] + 1e-12))) @ vectors.T)
