"""A linear plant with one action that nobody logged, and how well a latent tells its level."""

from typing import NamedTuple

import numpy as np

from tslam import plants

HIDDEN = "action_1"


class Case(NamedTuple):
    """Regressors and targets of a record, standardised, and the level of what is hidden."""

    X: np.ndarray
    Y: np.ndarray
    start: np.ndarray
    level: np.ndarray
    effect: np.ndarray
    """What one unit of the hidden action adds to Y."""

    @property
    def every(self) -> np.ndarray:
        """All rows."""
        return np.ones(len(self.Y), bool)


def record(noise: float, seed: int, *, white: bool = False, rows: int = 4000) -> plants.Record:
    """Twelve channels, three actions, one of them not in the log."""
    return plants.linear(rows, seed, d=12, noise=noise, white=white).drop(HIDDEN)


def case(noise: float, seed: int, *, white: bool = False, rows: int = 4000) -> Case:
    """The record as arrays."""
    r = record(noise, seed, white=white, rows=rows)
    truth = r.truth
    assert isinstance(truth, plants.LinearTruth)
    seen = np.ascontiguousarray(r.frame.drop("time").to_numpy())
    scaled = (seen - seen.mean(axis=0)) / seen.std(axis=0)
    chan = len(r.observations)
    return Case(
        X=scaled[:-1],
        Y=scaled[1:, :chan].copy(),
        start=np.arange(rows - 1) == 0,
        level=truth.frame[HIDDEN].to_numpy()[:-1],
        effect=truth.B[:, 1] / seen[:, :chan].std(axis=0),
    )


def probe(latents: np.ndarray, level: np.ndarray) -> float:
    """R² on the second half of the record of the level regressed on the latents over the first."""
    said = np.isfinite(latents).all(axis=1)
    F, y = np.column_stack([latents, np.ones(len(latents))])[said], level[said]
    half = len(y) // 2
    weights = np.linalg.lstsq(F[:half], y[:half], rcond=None)[0]
    error, spread = y[half:] - F[half:] @ weights, y[half:] - y[half:].mean()
    return float(1 - error @ error / (spread @ spread))
