"""Ridge regression channel by channel, holes included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.products import MOST_PRODUCTS, Products


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 0.1, 10.0]))
def test_each_channel_is_ridge_on_the_rows_where_it_was_measured(
    seed: int, missing: float, penalty: float
) -> None:
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(60, 4)), rng.normal(size=(60, 3)) + 5.0
    Y[rng.random(Y.shape) < missing] = np.nan
    rows = rng.random(60) < 0.8
    fit = fit_ridge(X, Y, rows, penalty)
    for channel in range(3):
        own = rows & np.isfinite(Y[:, channel])
        x, y = X[own] - X[own].mean(axis=0), Y[own, channel] - Y[own, channel].mean()
        weights = np.linalg.solve(x.T @ x + penalty * own.sum() * np.eye(4), x.T @ y)
        np.testing.assert_allclose(fit.weights[:, channel], weights, rtol=1e-6, atol=1e-8)
        mean = Y[own, channel].mean() - X[own].mean(axis=0) @ weights  # the constant bears no penalty
        assert fit.bias[channel] == pytest.approx(mean, rel=1e-6)


def test_a_penalty_of_its_own_switches_a_regressor_off() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    fit = fit_ridge(X, X @ np.array([[1.0], [1.0]]), np.ones(200, bool), np.array([0.0, 1e9]))
    assert fit.weights[:, 0] == pytest.approx([1.0, 0.0], abs=0.2)
    assert abs(fit.weights[1, 0]) < 1e-6


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_products_are_standardised_and_bounded(seed: int, signals: int) -> None:
    current = np.random.default_rng(seed).standard_t(2, size=(100, signals))
    products = Products.learn(current, observations=1)
    values = products.of(current)
    assert values.shape[1] == signals * (signals + 1) // 2
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-9)
    assert np.isfinite(products.of(current * 1e12)).all()


def test_products_that_never_vary_are_left_out() -> None:
    current = np.column_stack([np.zeros(50), np.random.default_rng(0).normal(size=50)])
    assert Products.learn(current, observations=1).pairs.tolist() == [[1, 1]]


def test_of_many_signals_only_squares_and_products_with_an_input_are_kept() -> None:
    current = np.random.default_rng(0).normal(size=(50, 40))
    assert MOST_PRODUCTS < 40 * 41 // 2
    pairs = Products.learn(current, observations=38).pairs
    assert all(i == j or j >= 38 for i, j in pairs.tolist())
    assert len(pairs) == 38 + 38 * 2 + 3
