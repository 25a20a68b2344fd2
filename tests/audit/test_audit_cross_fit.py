"""Each channel of the rich model under its own penalties: products where they help, and only there."""

import numpy as np
import pytest
from audit_cases import ground_of

from tslam.audit.cross_fit import (
    LINEAR_PENALTIES,
    CrossFit,
    cross_fitted,
    filled,
    grams,
    log_error,
    penalties,
    solved,
)
from tslam.panel.split import Split
from tslam.plants import simulate

ROWS, FOLDS = 600, 4
CHOICES = penalties(3, np.array([0, 0, 1, 1, 1, 2]), LINEAR_PENALTIES[:1])


def _splits(rows: int = ROWS) -> tuple[Split, ...]:
    fold = np.arange(rows) * 5 * FOLDS // rows % FOLDS
    return tuple(Split(train=fold != k, held=fold == k) for k in range(FOLDS))


def _regressors(rng: np.random.Generator) -> np.ndarray:
    """One observation and two inputs, products of them with the observation and of the inputs, a constant."""
    o, a, b = rng.normal(size=(3, ROWS))
    return np.column_stack([o, a, b, o * o - 1, o * o * o, o * a, o * b, o * a * a, a * b, np.ones(ROWS)])


def _fitted(F: np.ndarray, Y: np.ndarray) -> CrossFit:
    splits = _splits()
    return cross_fitted(F, Y, splits, grams(F, splits), CHOICES)


def _plane(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Channels: linear, an input times another, the state times an input; all with little noise."""
    F = _regressors(rng)
    Y = np.column_stack([F[:, 0] + F[:, 1], F[:, 0] + 0.5 * F[:, 8], 0.5 * F[:, 0] + 0.5 * F[:, 5]])
    return F, Y + 0.1 * rng.normal(size=Y.shape)


def test_products_are_let_in_where_they_are_needed_and_only_there() -> None:
    F, Y = _plane(np.random.default_rng(0))
    fit = _fitted(F, Y)
    of_inputs, with_state = fit.ridge[8], fit.ridge[5]
    assert of_inputs[1] < 1.0
    assert with_state[2] < 1.0
    np.testing.assert_allclose(fit.residual.std(axis=0), 0.1, rtol=0.15)


@pytest.mark.parametrize("seed", range(3))
def test_no_channel_is_predicted_worse_than_by_what_serves_all(seed: int) -> None:
    F, Y = _plane(np.random.default_rng(seed))
    seen, splits = np.isfinite(Y), _splits()
    fit = _fitted(F, Y)
    for ridge in CHOICES.common:
        shared = cross_fitted(F, Y, splits, grams(F, splits), type(CHOICES)([ridge], []))
        assert (log_error(fit.residual, seen) <= log_error(shared.residual, seen) + 0.01).all()


def test_a_channel_is_fitted_as_if_it_were_alone() -> None:
    F, Y = _plane(np.random.default_rng(1))
    together = _fitted(F, Y)
    for channel in range(Y.shape[1]):
        alone = _fitted(F, Y[:, [channel]])
        np.testing.assert_allclose(together.residual[:, channel], alone.residual[:, 0], atol=1e-9)
        np.testing.assert_array_equal(together.ridge[:, channel], alone.ridge[:, 0])


def test_what_is_not_measured_is_left_out_and_filled_with_what_is_predicted() -> None:
    F, Y = _plane(np.random.default_rng(2))
    gone = np.random.default_rng(3).random(ROWS) < 0.2
    holed = Y.copy()
    holed[gone, 0] = np.nan
    fit, splits = _fitted(F, holed), _splits()
    whole = filled(F, holed, splits, fit.weights)
    assert (fit.residual[gone, 0] == 0.0).all()
    np.testing.assert_array_equal(whole[~gone], Y[~gone])
    np.testing.assert_allclose((whole - Y)[gone, 0].std(), 0.1, rtol=0.3)


def test_weights_under_penalties_of_their_own_are_those_of_one_solve_each() -> None:
    rng = np.random.default_rng(4)
    F, Y = _plane(rng)
    ridge = np.stack([CHOICES.common[0], CHOICES.own[2], CHOICES.common[0]], axis=1)
    found = solved(F.T @ F, F.T @ Y, ridge, ROWS)
    for channel in range(3):
        gram = F.T @ F + np.diag(ridge[:, channel] * ROWS)
        np.testing.assert_allclose(found[:, channel], np.linalg.solve(gram, F.T @ Y[:, channel]), rtol=1e-9)


def test_the_grams_are_those_of_what_each_fold_learns_from() -> None:
    F, _ = _plane(np.random.default_rng(5))
    for split, gram in zip(_splits(), grams(F, _splits()), strict=True):
        np.testing.assert_allclose(gram, F[split.train].T @ F[split.train], atol=1e-8)


def test_the_weights_of_the_ground_are_those_that_its_residuals_come_from() -> None:
    ground = ground_of(simulate("tank", 1200, 0))
    ground = ground.plain or ground
    assert len(np.unique(ground.ridge, axis=1).T) > 1
    for split, W in zip(ground.splits, ground.weights, strict=True):
        left = ground.Y[split.held] - ground.F[split.held] @ W
        np.testing.assert_allclose(ground.residual[split.held], left, atol=1e-9)
