"""A forward model and an inverse one: causal predictions, and what they are worth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from tslam.dynamics.forward import LinearForward
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import DEGREES, LAM, log_score


def model(seed: int, latents: int = 1) -> LAM:
    rng = np.random.default_rng(seed)
    forward = LinearForward(rng.normal(size=(4, 3)), rng.normal(size=3))
    inverse = HeldInverse(rng.normal(size=(3, latents)), np.eye(3), rng.uniform(0, 0.99, latents))
    return LAM("held", forward, inverse, forward, np.eye(3))


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([0.0, 0.5]))
def test_the_score_is_a_student_density_of_what_was_measured(seed: int, d: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(d, d))
    cov, residual = half @ half.T + 0.1 * np.eye(d), rng.normal(size=(12, d)) * 3
    residual[rng.random(residual.shape) < missing] = np.nan
    for score, row in zip(log_score(residual, cov), residual, strict=True):
        seen = np.isfinite(row)
        expected = (
            multivariate_t.logpdf(row[seen], shape=cov[np.ix_(seen, seen)], df=DEGREES) if seen.any() else 0.0
        )
        assert score == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(0, 29))
def test_a_prediction_knows_nothing_of_what_it_predicts(seed: int, changed: int) -> None:
    rng = np.random.default_rng(seed)
    lam, start = model(seed, 2), np.arange(30) == 0
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
    before = lam.predict(X, Y, start)
    Y[changed] += 100.0
    after = lam.predict(X, Y, start)
    np.testing.assert_array_equal(before[: changed + 1], after[: changed + 1])
    if changed < 29:
        assert (before[changed + 1] != after[changed + 1]).any()


def test_without_latents_nothing_is_gained() -> None:
    lam = model(0)
    plain = LAM("linear", lam.forward, None, lam.forward, np.eye(3))
    X, Y, start = np.zeros((5, 4)), np.ones((5, 3)), np.arange(5) == 0
    assert not plain.causal_gain(X, Y, start).any()
    assert plain.infer(X, Y, start) is None
    assert plain.latents == 0


def test_a_latent_without_memory_gains_nothing() -> None:
    # It describes the noise with fewer numbers, and predicts nothing.
    rng = np.random.default_rng(0)
    lam = model(0)
    assert lam.inverse is not None
    white = HeldInverse(lam.inverse.B, 0.5 * np.eye(3), np.zeros(1))
    no_memory = LAM("held", lam.forward, white, lam.forward, np.eye(3))
    assert not no_memory.causal_gain(
        rng.normal(size=(9, 4)), rng.normal(size=(9, 3)), np.arange(9) == 0
    ).any()


def test_a_held_push_is_gained_from() -> None:
    lam = model(3)
    assert lam.inverse is not None
    held = HeldInverse(lam.inverse.B, 0.1 * np.eye(3), np.array([0.98]))
    X, start = np.zeros((40, 4)), np.arange(40) == 0
    Y = lam.forward.mean(X) + 2.0 * held.B[:, 0]
    gain = LAM("held", lam.forward, held, lam.forward, np.eye(3)).causal_gain(X, Y, start)
    assert gain[0] == 0.0
    assert (gain[5:] > 0.3).all()
