"""A latent that jumps and holds: against sums over all its paths, and on a path that is known."""

from itertools import product

import numpy as np

from tslam.kernels.holding import hold_smoother

GRID = np.array([-1.0, 0.5, 2.0])
PRIOR = np.array([0.2, 0.5, 0.3])
RATE = 0.3


def test_it_is_the_sum_over_all_paths() -> None:
    rng = np.random.default_rng(0)
    h, J = rng.standard_normal(5), rng.random(5)
    told, surely = np.zeros(5), np.array([0.0, 0.0, 4.0, 0.0, 0.0])
    start = np.array([True, False, False, True, False])
    weight, paths, jumps = [], [], []
    for path in product(range(3), repeat=5):
        z = GRID[list(path)]
        p = float(np.exp((h * z - 0.5 * J * z**2 - 0.5 * surely * (z - told) ** 2).sum()))
        anew = 0.0
        for t in range(5):
            drawn = PRIOR[path[t]]
            stays = 0.0 if start[t] else (1 - RATE) * (path[t] == path[t - 1])
            p *= drawn if start[t] else stays + RATE * drawn
            anew += 0.0 if start[t] else RATE * drawn / (stays + RATE * drawn)
        weight.append(p)
        paths.append(z)
        jumps.append(anew)
    w = np.array(weight) / sum(weight)
    mean, var, loglik, rate = hold_smoother(h, J, told, surely, start, GRID, PRIOR, RATE)
    assert np.allclose(mean, w @ np.array(paths))
    assert np.allclose(var, w @ np.array(paths) ** 2 - mean**2)
    assert np.isclose(loglik, np.log(sum(weight)))
    assert np.isclose(rate, w @ np.array(jumps) / 3)


def test_a_held_path_is_found_in_noise() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat([-1.5, 0.4, 1.2, -0.6], 100)
    noisy = truth + 2.0 * rng.standard_normal(400)
    none, start = np.zeros(400), np.arange(400) == 0
    grid = np.linspace(-3, 3, 31)
    prior = np.full(31, 1 / 31)
    precision = np.full(400, 0.25)
    mean, _, _, rate = hold_smoother(noisy / 4, precision, none, none, start, grid, prior, 0.01)
    assert np.mean((mean - truth) ** 2) < 0.1 * truth.var()
    assert 0.003 < rate < 0.03
