"""What inverse dynamics is made of: rows grouped by what was measured, persistence from moments."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tslam.dynamics.inverse import HeldInverse, measured_together, stationary


@given(st.integers(1, 40), st.sampled_from([1, 3, 8, 64, 65, 130]), st.integers(0, 2**32 - 1))
def test_every_row_is_in_the_group_that_has_its_pattern(rows: int, channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.random((3, channels)) < 0.5
    seen = kinds[rng.integers(0, 3, rows)]
    groups = measured_together(seen)
    assert sorted(np.concatenate([own for _, own in groups]).tolist()) == list(range(rows))
    for pattern, own in groups:
        assert (seen[own] == pattern).all()
    assert len({tuple(pattern) for pattern, _ in groups}) == len(groups) == len(np.unique(seen, axis=0))


@given(st.integers(2, 30), st.sampled_from([0.0, 0.2, 0.7]), st.integers(0, 2**32 - 1))
def test_persistence_and_spread_are_the_likeliest(rows: int, segments: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = rng.random(rows) < segments
    start[0] = True
    residual = rng.normal(size=(rows, 2)).cumsum(axis=0)
    path = HeldInverse(np.array([[1.0], [0.5]]), np.eye(2), np.array([0.8])).path(residual, start)
    phi, sd = stationary(path, start)

    def likelihood(phi: float, sd: float) -> float:
        """Expected log-likelihood of the path under an AR(1) of this persistence and spread."""
        second = path.mean[:, 0] ** 2 + path.cov[:, 0, 0]
        q = sd**2 * (1 - phi**2)
        total = 0.0
        for t in range(rows):
            if start[t]:
                total -= 0.5 * (np.log(sd**2) + second[t] / sd**2)
            else:
                cross = path.mean[t, 0] * path.mean[t - 1, 0] + path.lagged[t, 0, 0]
                total -= 0.5 * (np.log(q) + (second[t] - 2 * phi * cross + phi**2 * second[t - 1]) / q)
        return total

    best = likelihood(float(phi[0]), float(sd[0]))
    for other in (*np.linspace(0, 0.9995, 40), min(phi[0] * 1.001, 0.9995), phi[0] * 0.999):
        for stretch in (0.8, 0.99, 1.0, 1.01, 1.2):
            assert likelihood(float(other), float(sd[0]) * stretch) <= best + 1e-6
    given_phi, given_sd = stationary(path, start, np.array([0.6]))
    assert given_phi[0] == 0.6
    assert all(
        likelihood(0.6, float(given_sd[0]) * s) <= likelihood(0.6, float(given_sd[0])) for s in (0.9, 1.1)
    )
