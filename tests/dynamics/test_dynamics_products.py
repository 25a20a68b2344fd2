"""Products of signals, and a regression that falls back to the last value."""

import numpy as np
import pytest

from tslam.dynamics.forward import fit_persistent, fit_ridge
from tslam.dynamics.products import MOST_PRODUCTS, ProductForward, Products, widened

RNG = np.random.default_rng(4)


def test_a_product_is_learnt_that_a_line_cannot_follow() -> None:
    X = RNG.normal(size=(1500, 3))
    Y = (0.5 * X[:, 0] + X[:, 1] * X[:, 2])[:, None]
    train = np.arange(1500) < 1000
    current = np.arange(3)
    products = Products.learn(X[train], 1)
    linear = fit_ridge(widened(X, products, current), Y, train, 1e-3)
    wide = ProductForward(products, current, linear).mean(X)
    line = fit_ridge(X, Y, train, 1e-3).mean(X)
    left, straight = (((Y - m)[~train] ** 2).mean() for m in (wide, line))
    assert left < 0.1 * straight


def test_the_same_samples_give_the_same_products_one_by_one() -> None:
    X = RNG.normal(size=(50, 4))
    products = Products.learn(X, 2)
    np.testing.assert_allclose(products.of(X[7:8]), products.of(X)[7:8])
    np.testing.assert_array_equal(widened(X, products, np.arange(4))[:, :4], X)


def test_of_many_signals_squares_and_products_with_inputs_are_kept() -> None:
    X = RNG.normal(size=(80, 40))
    pairs = {tuple(p) for p in Products.learn(X, 38).pairs.tolist()}
    assert MOST_PRODUCTS < 40 * 41 // 2
    assert (3, 3) in pairs
    assert (3, 39) in pairs
    assert (3, 4) not in pairs


def test_a_signal_that_never_moves_is_in_no_product() -> None:
    X = RNG.normal(size=(60, 3))
    X[:, 1] = 0.0
    assert not (Products.learn(X, 2).pairs == 1).any()


def test_what_signals_say_linearly_is_no_product_of_theirs() -> None:
    on = (RNG.random(300) < 0.3).astype(float)
    other = np.where(on > 0, 0.0, RNG.random(300) < 0.5)  # never both at once
    three = RNG.integers(0, 3, 300).astype(float)
    free = (RNG.random(300) < 0.5).astype(float)
    X = np.column_stack([RNG.normal(size=300), on, other, three, free])
    pairs = {tuple(p) for p in Products.learn((X - X.mean(axis=0)) / X.std(axis=0), 1).pairs.tolist()}
    every = {(i, j) for i in range(5) for j in range(i, 5)}
    assert every - pairs == {(1, 1), (2, 2), (4, 4), (1, 2)}


@pytest.mark.parametrize("penalty", [1e6, 1e-3])
def test_scarce_data_fall_back_to_the_last_value(penalty: float) -> None:
    walk = np.cumsum(RNG.normal(size=(400, 6)), axis=0)
    X = np.column_stack([walk[:-1], RNG.normal(size=(399, 30))])
    X, Y = X / X.std(axis=0), walk[1:] / X[:, :6].std(axis=0)
    train = np.arange(399) < 45
    held = ~train
    persistent, plain = (fit(X, Y, train, penalty).mean(X) for fit in (fit_persistent, fit_ridge))
    last = ((Y - X[:, :6])[held] ** 2).mean()
    error, other = (((Y - m)[held] ** 2).mean() for m in (persistent, plain))
    assert error < other
    if penalty > 1.0:
        assert error == pytest.approx(last, rel=0.2)
