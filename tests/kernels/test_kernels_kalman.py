"""Filter and smoother against plain conditioning of one joint Gaussian."""

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tslam.dynamics.inverse import HeldInverse, leave_out
from tslam.kernels.kalman import kalman_filter

CLOSE = {"rtol": 1e-8, "atol": 1e-9}


class Size(NamedTuple):
    """What a random problem is made from."""

    rows: int
    latents: int
    channels: int
    missing: float
    segments: float
    seed: int


SIZES = st.builds(
    Size,
    rows=st.integers(1, 7),
    latents=st.integers(1, 3),
    channels=st.integers(1, 3),
    missing=st.sampled_from([0.0, 0.4]),
    segments=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 2**32 - 1),
)


class Problem:
    """A model, residuals with holes, and the joint Gaussian of all latents and residuals."""

    def __init__(self, size: Size) -> None:
        rng = np.random.default_rng(size.seed)
        n, k, d = size.rows, size.latents, size.channels
        half = rng.normal(size=(d, d))
        phi = rng.uniform(0, 0.99, k)
        self.model = HeldInverse(rng.normal(size=(d, k)), half @ half.T + 0.3 * np.eye(d), phi)
        self.residual = rng.normal(size=(n, d)) * 2
        self.residual[rng.random((n, d)) < size.missing] = np.nan
        self.start = rng.random(n) < size.segments
        self.start[0] = True
        segment = np.cumsum(self.start)
        apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        same = np.equal.outer(segment, segment)
        prior = np.zeros((n, k, n, k))
        for i in range(k):
            prior[:, i, :, i] = np.where(same, phi[i] ** apart, 0.0)
        self.prior = prior.reshape(n * k, n * k)
        self.load = np.kron(np.eye(n), self.model.B)
        self.noise = np.kron(np.eye(n), self.model.R)
        self.shape = (n, k)

    def given(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of all latents given the residuals of some rows."""
        seen = np.isfinite(self.residual) & rows[:, None]
        at = np.flatnonzero(seen.ravel())
        H = self.load[at]
        S = H @ self.prior @ H.T + self.noise[np.ix_(at, at)]
        gain = self.prior @ H.T @ np.linalg.inv(S) if at.size else np.zeros((self.prior.shape[0], 0))
        mean = gain @ self.residual.ravel()[at]
        return mean.reshape(self.shape), (self.prior - gain @ H @ self.prior).reshape(self.shape * 2)

    def density(self, rows: np.ndarray, *, latents: bool) -> float:
        """Log-density of the residuals of some rows, with or without latents behind them."""
        at = np.flatnonzero((np.isfinite(self.residual) & rows[:, None]).ravel())
        S = self.noise[np.ix_(at, at)]
        if latents:
            S = S + self.load[at] @ self.prior @ self.load[at].T
        r = self.residual.ravel()[at]
        return (
            float(-0.5 * (r @ np.linalg.solve(S, r) + np.linalg.slogdet(2 * np.pi * S)[1]))
            if at.size
            else 0.0
        )


@given(SIZES)
def test_the_smoother_conditions_on_everything(size: Size) -> None:
    p = Problem(size)
    path = p.model.path(p.residual, p.start)
    mean, cov = p.given(np.ones(size.rows, bool))
    np.testing.assert_allclose(path.mean, mean, **CLOSE)
    for t in range(size.rows):
        np.testing.assert_allclose(path.cov[t], cov[t, :, t], **CLOSE)
        if not p.start[t]:
            np.testing.assert_allclose(path.lagged[t], cov[t, :, t - 1], **CLOSE)


@given(SIZES)
def test_the_filter_conditions_on_the_past(size: Size) -> None:
    p = Problem(size)
    path = p.model.path(p.residual, p.start, "filtered")
    row = np.arange(size.rows)
    for t in row:
        mean, cov = p.given(row <= t)
        np.testing.assert_allclose(path.mean[t], mean[t], **CLOSE)
        np.testing.assert_allclose(path.cov[t], cov[t, :, t], **CLOSE)
        mean, cov = p.given(row < t)
        np.testing.assert_allclose(path.prior[t], mean[t], **CLOSE)
        np.testing.assert_allclose(path.prior_cov[t], cov[t, :, t], **CLOSE)


@given(SIZES)
def test_gains_are_log_densities_over_those_without_latents(size: Size) -> None:
    p = Problem(size)
    gain = p.model.path(p.residual, p.start, "filtered").gain
    row = np.arange(size.rows)
    with_latents = [p.density(row <= t, latents=True) for t in row]
    without = [p.density(row <= t, latents=False) for t in row]
    np.testing.assert_allclose(np.cumsum(gain), np.subtract(with_latents, without), rtol=1e-7, atol=1e-8)


@given(SIZES)
def test_leaving_a_row_out_conditions_on_the_others(size: Size) -> None:
    p = Problem(size)
    path = p.model.path(p.residual, p.start)
    h, J, which = p.model.measurement(p.residual)
    left = leave_out(path.mean, path.cov, h, J[which])
    row = np.arange(size.rows)
    for t in row:
        mean, _ = p.given(row != t)
        np.testing.assert_allclose(left[t], mean[t], rtol=1e-6, atol=1e-7)


@given(SIZES, st.integers(0, 6))
def test_a_row_of_no_weight_is_a_row_not_measured(size: Size, row: int) -> None:
    p = Problem(size)
    weights = np.ones(size.rows)
    weights[row % size.rows] = 0.0
    weighted = p.model.path(p.residual, p.start, weights=weights)
    holed = p.residual.copy()
    holed[row % size.rows] = np.nan
    plain = p.model.path(holed, p.start)
    np.testing.assert_allclose(weighted.mean, plain.mean, **CLOSE)
    np.testing.assert_allclose(weighted.gain, plain.gain, **CLOSE)


def test_long_records_stay_finite_and_positive() -> None:
    rng = np.random.default_rng(0)
    model = HeldInverse(np.array([[1e-3], [10.0]]), np.diag([1e-6, 1e3]), np.array([0.9995]))
    start = np.zeros(50_000, bool)
    start[0] = True
    path = model.path(rng.normal(size=(50_000, 2)), start)
    assert np.isfinite(path.mean).all()
    assert (path.cov[:, 0, 0] > 0).all()


def test_a_singular_step_gives_no_numbers_and_raises_nothing() -> None:
    one = np.ones(1)
    _, _, mean, _, gain = kalman_filter(
        np.ones((1, 1)), np.full((1, 1, 1), -1.0), np.zeros(1, np.int64), np.ones(1, bool), 0 * one, one[None]
    )
    assert not np.isfinite(mean).any()
    assert not np.isfinite(gain).any()
