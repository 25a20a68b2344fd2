"""Held actions in nonlinear plants: the network tells their level with the held prior, and not without."""

import numpy as np
import pytest
from select_cases import data, panel

from tslam import plants
from tslam.config import FitConfig
from tslam.dynamics.linear import one_step
from tslam.select.candidates import fit_held_family, keep_latents
from tslam.select.neural import fit_neural_family
from tslam.train.storage import give_lam, take_lam


def _probe(z: np.ndarray, level: np.ndarray) -> float:
    """R² on the second half of the record of the level regressed on the latents over the first."""
    F, half = np.column_stack([z, np.ones(len(z))]), len(z) // 2
    weights = np.linalg.lstsq(F[:half], level[:half], rcond=None)[0]
    error = level[half:] - F[half:] @ weights
    return float(1 - (error**2).mean() / level[half:].var())


@pytest.mark.parametrize(("plant", "hidden"), [("tank", "pump_2"), ("reactor", "feed")])
def test_the_held_prior_doubles_what_is_told_of_the_level(plant: str, hidden: str) -> None:
    record = plants.simulate(plant, 3000, 0).drop(hidden)
    found, config = data(panel(record), 1), FitConfig(epochs=60)
    c = found.chain
    level = record.truth.frame[hidden].to_numpy()[c.rows].astype(float)
    held, _ = fit_neural_family(found, config, 1, seed=0, device="cpu", progress=False)
    path = held.lam.infer(c.X, c.Y, c.start)
    assert path is not None
    same, _ = fit_neural_family(found, config, 0, seed=0, device="cpu", progress=False)
    left = c.Y - same.lam.forward.mean(c.X)
    without = [
        _probe(one_step(left, found.train, width).path(left, c.start).mean, level)
        for width in (1, min(3, left.shape[1]))
    ]
    told = _probe(path.mean, level)
    assert told > 0.4
    assert told > 2 * max(without)


def test_a_network_that_learns_what_held_latents_leave_keeps_them() -> None:
    record = plants.simulate("tank", 2000, 102).drop("pump_1")
    found, config = data(panel(record), 1), FitConfig(epochs=60)
    c = found.chain
    level = record.truth.frame["pump_1"].to_numpy()[c.rows].astype(float)
    told = fit_held_family(found, config, 1, products=True)
    scores, reads = [], []
    for first in (None, told):
        fit, _ = fit_neural_family(found, config, 1, seed=0, device="cpu", progress=False, told=first)
        path = fit.lam.infer(c.X, c.Y, c.start)
        assert path is not None
        scores.append(fit.mean)
        reads.append(_probe(path.mean, level))
    assert reads[1] > max(0.8, reads[0])
    assert scores[1] > scores[0]
    # the network is there to predict: levels are read by the model that told them, also once kept on disk
    arrays: dict[str, np.ndarray] = {}
    again = give_lam(take_lam(fit.lam, "0.", arrays), "0.", arrays, "cpu")
    for lam in (fit.lam, again, keep_latents(again, [0])):
        np.testing.assert_array_equal(lam.levels(c.X, c.Y, c.start), told.lam.levels(c.X, c.Y, c.start))
    asked, _ = fit_neural_family(
        found, FitConfig(family="neural", epochs=1), 1, seed=0, device="cpu", progress=False, told=told
    )
    assert asked.lam.told is None
