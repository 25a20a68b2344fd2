"""Moves that are rare and large: what they tell a regression that Gaussian steps of z do not."""

import numpy as np
import pytest
from held_cases import probe

from tslam import plants
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.held import fit_held, fit_held_from
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.products import Products, widened
from tslam.errors import TrainingError

RIDGE = 1e-4


def few_moves(plant: str, hidden: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Regressors with products, changes, starts and the hidden level of a short record."""
    record = plants.simulate(plant, 1500, seed).drop(hidden)
    seen = record.frame.select([*record.observations, *record.actions, *record.exogenous]).to_numpy()
    scaled = (seen - seen.mean(axis=0)) / seen.std(axis=0)
    chan = len(record.observations)
    X, current = scaled[:-1], np.arange(scaled.shape[1])
    F = widened(X, Products.learn(X, chan), current)
    level = record.truth.frame[hidden].to_numpy()[:-1].astype(float)
    return F, scaled[1:, :chan] - X[:, :chan], np.arange(len(X)) == 0, level


@pytest.mark.parametrize("seed", [100, 103])
def test_the_level_is_left_to_a_latent_that_holds(seed: int) -> None:
    F, change, start, level = few_moves("reactor", "feed", seed)
    every = np.ones(len(F), bool)
    told = []
    for jumps in (False, True):
        fit = fit_held(F, change, every, start, ridge=RIDGE, iterations=80, starts=(0.98,), jumps=jumps)
        path = fit.inverse.path(change - fit.forward.mean(F), start)
        told.append(probe(path.mean, level))
        assert path.mean.var() + path.cov.mean() == pytest.approx(1.0, abs=0.1)  # z is in units of its own
    assert told[1] > 0.8
    assert told[1] > told[0] + 0.05


def test_it_goes_on_from_a_fit_and_keeps_what_it_told() -> None:
    F, change, start, _ = few_moves("reactor", "feed", 100)
    every = np.ones(len(F), bool)
    first = fit_held(F, change, every, start, ridge=RIDGE, iterations=80, starts=(0.98,), jumps=True)
    again = fit_held_from(
        F, change, every, start, forward=first.forward, inverse=first.inverse, ridge=RIDGE, jumps=True
    )
    paths = [f.inverse.path(change - f.forward.mean(F), start).mean[:, 0] for f in (first, again)]
    assert np.corrcoef(*paths)[0, 1] > 0.97


def test_what_leaves_the_numbers_is_refused() -> None:
    F, change, start, _ = few_moves("reactor", "feed", 100)
    every, chan = np.ones(len(F), bool), change.shape[1]
    none = LinearForward(np.zeros((F.shape[1], chan)), np.zeros(chan))
    broken = HeldInverse(np.full((chan, 1), np.nan), np.eye(chan) + 1e-3, np.array([0.98]))
    with pytest.raises(TrainingError, match="1 held latents"):
        fit_held_from(F, change, every, start, forward=none, inverse=broken, ridge=RIDGE, jumps=True)
