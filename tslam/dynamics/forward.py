"""Forward models: what comes next, given history, logged actions and exogenous variables."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["ForwardModel", "LinearForward", "fit_persistent", "fit_ridge", "onto_persistence"]


class ForwardModel(Protocol):
    """Mean of o_{t+1} before any latent is added."""

    def mean(self, X: Float[np.ndarray, "n feat"]) -> Float[np.ndarray, "n chan"]:
        """Predicted o_{t+1}, in scaled units, one row per transition."""
        ...


@dataclass(frozen=True, eq=False)
class LinearForward:
    """o_{t+1} = X W + b."""

    weights: Float[np.ndarray, "feat chan"]
    bias: Float[np.ndarray, " chan"]

    def mean(self, X: Float[np.ndarray, "n feat"]) -> Float[np.ndarray, "n chan"]:
        """Predicted o_{t+1}, in scaled units, one row per transition."""
        return np.asarray(X @ self.weights + self.bias)


def fit_ridge(
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    rows: Bool[np.ndarray, " n"],
    penalty: float | Float[np.ndarray, " feat"],
) -> LinearForward:
    """Ridge regression of each channel on X over the chosen rows, with an unpenalised constant.

    Args:
        X: Regressors, about unit variance.
        Y: Targets; NaN where not measured (such rows are left out of that channel alone).
        rows: Rows to fit on.
        penalty: Ridge penalty per row of data, one number or one per regressor.

    Source: Hoerl and Kennard, "Ridge regression", Technometrics 12(1), 1970.
    """
    feat, chan = X.shape[1], Y.shape[1]
    F = np.column_stack([X[rows], np.ones(int(rows.sum()))])
    T = Y[rows]
    seen = np.isfinite(T)
    ridge = np.append(np.broadcast_to(np.asarray(penalty, np.float64), (feat,)), 1e-9)
    gram = F.T @ F
    cross = F.T @ np.where(seen, T, 0.0)
    solution = np.zeros((feat + 1, chan))
    whole = np.flatnonzero(seen.all(axis=0))
    if whole.size:
        solution[:, whole] = np.linalg.solve(gram + np.diag(ridge * len(F)), cross[:, whole])
    for c in np.flatnonzero(~seen.all(axis=0)):
        out = F[~seen[:, c]]
        count = max(1, int(seen[:, c].sum()))
        solution[:, c] = np.linalg.solve(gram - out.T @ out + np.diag(ridge * count), cross[:, c])
    return LinearForward(solution[:-1], solution[-1])


def fit_persistent(
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    rows: Bool[np.ndarray, " n"],
    penalty: float | Float[np.ndarray, " feat"],
) -> LinearForward:
    """Ridge regression that shrinks towards o_{t+1} = o_t, not towards nothing.

    Where data are scarce beside what is regressed on, the last value is the prediction to fall back to.

    Args:
        X: Regressors, about unit variance; o_t comes first.
        Y: o_{t+1}; NaN where not measured.
        rows: Rows to fit on.
        penalty: Ridge penalty per row of data, one number or one per regressor.
    """
    return onto_persistence(fit_ridge(X, Y - X[:, : Y.shape[1]], rows, penalty))


def onto_persistence(change: LinearForward) -> LinearForward:
    """A model of o_{t+1} − o_t as one of o_{t+1}; o_t comes first among its regressors."""
    return LinearForward(change.weights + np.eye(*change.weights.shape), change.bias)
