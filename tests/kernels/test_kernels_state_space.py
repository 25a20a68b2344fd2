"""The filter and the smoother of a state against plain conditioning of one joint Gaussian, holes included."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tslam.kernels.state_space import filter_state, smooth_state

CLOSE = {"rtol": 1e-7, "atol": 1e-8}


class Problem:
    """A linear state with sensors, and the joint Gaussian of all states."""

    def __init__(self, seed: int, rows: int, width: int, missing: float) -> None:
        rng = np.random.default_rng(seed)
        half = rng.normal(size=(width, width))
        self.A = rng.normal(size=(width, width)) * 0.5
        self.Q = half @ half.T + 0.1 * np.eye(width)
        self.R = rng.uniform(0.05, 2.0, width)
        self.drive = rng.normal(size=(rows, width))
        self.start = rng.random(rows) < 0.2
        self.start[0] = True
        self.seen = rng.random((rows, width)) >= missing
        self.y = np.where(self.seen, rng.normal(size=(rows, width)), 0.0)
        mean, cov = np.zeros((rows, width)), np.zeros((rows, width, rows, width))
        for t in range(rows):
            if self.start[t]:
                cov[t, :, t] = np.eye(width)
                continue
            mean[t] = self.A @ mean[t - 1] + self.drive[t]
            for s in range(t):
                cov[t, :, s] = self.A @ cov[t - 1, :, s]
                cov[s, :, t] = cov[t, :, s].T
            cov[t, :, t] = self.A @ cov[t - 1, :, t - 1] @ self.A.T + self.Q
        self.mean, self.cov = mean.ravel(), cov.reshape(rows * width, rows * width)

    def given(self, first_rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of all states, given the readings of the first rows."""
        told = np.flatnonzero((self.seen & (np.arange(len(self.y))[:, None] < first_rows)).ravel())
        if not told.size:
            return self.mean, self.cov
        noise = np.diag(np.tile(self.R, len(self.y))[told])
        gain = np.linalg.solve(self.cov[np.ix_(told, told)] + noise, self.cov[told]).T
        left = self.y.ravel()[told] - self.mean[told]
        return self.mean + gain @ left, self.cov - gain @ self.cov[told]


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 3), st.sampled_from([0.0, 0.4, 1.0]))
def test_filter_and_smoother_condition_on_what_was_read(
    seed: int, rows: int, width: int, missing: float
) -> None:
    p = Problem(seed, rows, width, missing)
    after, before, after_cov, before_cov, _ = filter_state(
        p.y, p.seen, p.start, p.drive, p.A, p.Q, p.R, keep=True
    )
    for t in range(rows):
        own = slice(t * width, (t + 1) * width)
        for known, mean, cov in ((t + 1, after, after_cov), (t, before, before_cov)):
            wanted, spread = p.given(known)
            np.testing.assert_allclose(mean[t], wanted[own], **CLOSE)
            np.testing.assert_allclose(cov[t], spread[own, own], **CLOSE)
    mean, cov, lagged = smooth_state(p.start, p.A, after, before, after_cov, before_cov)
    wanted, spread = p.given(rows)
    np.testing.assert_allclose(mean.ravel(), wanted, **CLOSE)
    for t in range(rows):
        own, last = slice(t * width, (t + 1) * width), slice((t - 1) * width, t * width)
        np.testing.assert_allclose(cov[t], spread[own, own], **CLOSE)
        if not p.start[t]:
            np.testing.assert_allclose(lagged[t], spread[own, last], **CLOSE)


def test_the_state_is_the_same_whether_covariances_are_kept() -> None:
    p = Problem(3, 6, 3, 0.3)
    kept, lean = (filter_state(p.y, p.seen, p.start, p.drive, p.A, p.Q, p.R, keep=k) for k in (True, False))
    np.testing.assert_array_equal(kept[0], lean[0])
    assert lean[2].shape == (1, 3, 3)


def test_a_steady_filter_goes_on_as_if_it_computed_everything_anew() -> None:
    p = Problem(7, 90, 3, 0.0)
    p.start[:] = np.isin(np.arange(90), [0, 70])
    p.A *= 0.5
    p.seen[40, 1] = False  # steady, disturbed by a hole, steady again, and one sensor that is lost for good
    p.seen[55:, 2] = False
    p.y = np.where(p.seen, p.y, 0.0)
    after, before, after_cov, before_cov, total = filter_state(
        p.y, p.seen, p.start, p.drive, p.A, p.Q, p.R, keep=True
    )
    assert (after_cov[30] == after_cov[29]).all()
    x, P, loglik = np.zeros(3), np.eye(3), 0.0
    for t in range(90):
        x, P = (np.zeros(3), np.eye(3)) if p.start[t] else (p.A @ x + p.drive[t], p.A @ P @ p.A.T + p.Q)
        np.testing.assert_allclose(before[t], x, **CLOSE)
        np.testing.assert_allclose(before_cov[t], P, **CLOSE)
        own = p.seen[t]
        S = P[np.ix_(own, own)] + np.diag(p.R[own])
        gain, left = np.linalg.solve(S, P[own]).T, (p.y[t] - x)[own]
        loglik -= 0.5 * (np.linalg.slogdet(S)[1] + left @ np.linalg.solve(S, left))
        x, P = x + gain @ left, P - gain @ P[own]
        np.testing.assert_allclose(after[t], x, **CLOSE)
        np.testing.assert_allclose(after_cov[t], P, **CLOSE)
    np.testing.assert_allclose(total, loglik, **CLOSE)


def test_a_gain_that_is_kept_where_the_filter_is_steady_is_the_one_that_would_be_solved_for() -> None:
    p = Problem(5, 160, 3, 0.0)
    p.start[:] = np.arange(160) == 0
    p.A *= 0.5
    p.seen[80] = False  # a hole: steady before, disturbed, steady again
    after, before, after_cov, before_cov, _ = filter_state(
        p.y, p.seen, p.start, p.drive, p.A, p.Q, p.R, keep=True
    )
    mean, cov, lagged = smooth_state(p.start, p.A, after, before, after_cov, before_cov)
    now_mean, now_cov = after[-1], after_cov[-1]
    for s in range(159, 0, -1):
        G = np.linalg.solve(before_cov[s], p.A @ after_cov[s - 1]).T
        np.testing.assert_allclose(lagged[s], now_cov @ G.T, rtol=1e-9, atol=1e-12)
        now_mean = after[s - 1] + G @ (now_mean - before[s])
        now_cov = after_cov[s - 1] + G @ (now_cov - before_cov[s]) @ G.T
        np.testing.assert_allclose(mean[s - 1], now_mean, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(cov[s - 1], now_cov, rtol=1e-9, atol=1e-12)
