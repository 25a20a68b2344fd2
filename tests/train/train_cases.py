"""Small regression problems that the tests of the room share."""

from typing import NamedTuple

import numpy as np

from tslam.config import FitConfig
from tslam.dynamics.forward import LinearForward, fit_ridge

QUICK = FitConfig(hidden=16, epochs=50, learning_rate=1e-2, batch=64)


class Problem(NamedTuple):
    """Regressors, targets, and rows to train on, to stop on and to judge on."""

    X: np.ndarray
    Y: np.ndarray
    train: np.ndarray
    stop: np.ndarray
    held: np.ndarray

    @property
    def start(self) -> LinearForward:
        """The ridge answer on the training rows."""
        return fit_ridge(self.X, self.Y, self.train, 1e-3)

    def error(self, mean: np.ndarray) -> float:
        """Mean square of what a prediction leaves on the held rows."""
        return float(np.nanmean((self.Y - mean)[self.held] ** 2))


def problem(rows: int = 600, *, bend: float = 1.0, noise: float = 0.3, seed: int = 0) -> Problem:
    """Five regressors, three targets: linear, plus ``bend`` times a product and a saturation."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 5))
    Y = X @ rng.normal(size=(5, 3))
    Y[:, 0] += bend * X[:, 0] * X[:, 1]
    Y[:, 1] += bend * 2 * np.tanh(2 * X[:, 2])
    Y += noise * rng.normal(size=Y.shape)
    part = np.arange(rows) % 6
    return Problem(X, Y, part < 3, part == 3, part > 3)
