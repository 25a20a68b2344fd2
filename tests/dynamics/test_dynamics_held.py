"""Held latents: the level of an action that nobody logged, where a one-step model sees only its moves."""

import numpy as np
import pytest
from held_cases import Case, case, probe
from hypothesis import given, settings
from hypothesis import strategies as st

from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.held import HeldFit, fit_held
from tslam.dynamics.linear import one_step
from tslam.errors import TrainingError

RIDGE = 1e-5


def fitted(c: Case, **settings: object) -> HeldFit:
    return fit_held(c.X, c.Y, c.every, c.start, **({"ridge": RIDGE, "starts": (0.98,)} | settings))


def latents(c: Case, fit: HeldFit) -> np.ndarray:
    return fit.inverse.path(c.Y - fit.forward.mean(c.X), c.start).mean


def by_one_step(c: Case) -> np.ndarray:
    left = c.Y - fit_ridge(c.X, c.Y, c.every, RIDGE).mean(c.X)
    return one_step(left, c.every, 1).path(left, c.start).mean


@pytest.mark.parametrize(("noise", "seed", "least"), [(0.1, 2, 0.95), (0.3, 0, 0.9), (1.0, 1, 0.8)])
def test_the_level_of_a_held_action_is_told(noise: float, seed: int, least: float) -> None:
    c = case(noise, seed)
    fit = fitted(c)
    assert probe(latents(c, fit), c.level) > least
    assert fit.inverse.phi[0] == pytest.approx(0.98, abs=0.015)  # moves once in 50 rows
    along = fit.inverse.B[:, 0] / np.linalg.norm(fit.inverse.B)
    assert abs(along @ c.effect) / np.linalg.norm(c.effect) > 0.85
    assert probe(by_one_step(c), c.level) < 0.35


def test_low_noise_does_not_make_the_persistence_stick() -> None:
    # Freed at once, φ ends at .4 here: the regression has absorbed the level by then.
    c = case(0.1, 4)
    assert probe(latents(c, fitted(c)), c.level) > 0.95


def test_white_actions_are_told_as_well_as_by_one_step() -> None:
    c = case(0.3, 0, white=True)
    fit = fitted(c, noise="diagonal", starts=(0.98, 0.05))
    assert fit.inverse.phi[0] < 0.2
    assert probe(latents(c, fit), c.level) > probe(by_one_step(c), c.level) - 0.02


@pytest.mark.parametrize("noise", ["full", "diagonal"])
@pytest.mark.parametrize("ridge", [0.0, 1e-2])
def test_the_objective_never_falls(noise: str, ridge: float) -> None:
    c = case(0.3, 1, rows=600)
    start = c.start | (np.arange(len(c.Y)) % 37 == 0)
    fit = fit_held(c.X, c.Y, c.every, start, latents=2, ridge=ridge, noise=noise, starts=(0.9,), tolerance=0)
    assert len(fit.history) > 10
    assert np.diff(fit.history).min() > -1e-9
    assert fit.loglik == fit.history[-1]


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([0.0, 0.3]))
@settings(max_examples=10)
def test_the_objective_never_falls_on_any_data(seed: int, latents: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    n, d = 80, 3
    X, Y = rng.normal(size=(n, 2)), rng.standard_t(3, size=(n, d)).cumsum(axis=0) / 5
    Y[rng.random(Y.shape) < missing] = np.nan
    start = rng.random(n) < 0.1
    start[0] = True
    train = rng.random(n) < 0.8
    fit = fit_held(X, Y, train, start, latents=latents, ridge=1e-4, iterations=40)
    assert np.diff(fit.history).min(initial=0.0) > -1e-8
    assert (np.linalg.eigvalsh(fit.inverse.R) > 0).all()
    assert ((fit.inverse.phi >= 0) & (fit.inverse.phi < 1)).all()


def test_rows_left_out_of_training_are_not_learnt_from() -> None:
    c = case(0.3, 0, rows=800)
    train = np.arange(len(c.Y)) % 200 < 150
    broken = c.Y.copy()
    broken[~train] = 1e3
    one, two = (fit_held(c.X, Y, train, c.start, ridge=RIDGE, iterations=20) for Y in (c.Y, broken))
    np.testing.assert_array_equal(one.inverse.B, two.inverse.B)
    np.testing.assert_array_equal(one.forward.weights, two.forward.weights)


def test_channels_with_gaps_of_their_own_are_taken_as_they_are() -> None:
    c = case(0.3, 1)
    holed = c.Y.copy()
    holed[np.random.default_rng(0).random(holed.shape) < 0.1] = np.nan
    fit = fitted(c._replace(Y=holed))
    off = fit.inverse.R - np.diag(np.diag(fit.inverse.R))
    assert not off.any()  # noise is taken to be apart where moments are
    assert probe(latents(c._replace(Y=holed), fit), c.level) > 0.85


@pytest.mark.parametrize("gone", ["constant", "copy"])
def test_still_and_copied_channels_are_borne(gone: str) -> None:
    c = case(0.3, 1, rows=1000)
    Y = c.Y.copy()
    Y[:, 5] = 0.0 if gone == "constant" else Y[:, 4]
    fit = fitted(c._replace(Y=Y), iterations=30)
    assert np.isfinite(fit.inverse.B).all()
    assert np.diff(fit.history).min() > -1e-6


def test_more_channels_than_rows_fall_back_to_noise_apart() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 2)), rng.normal(size=(20, 15))
    fit = fit_held(X, Y, np.ones(20, bool), np.arange(20) == 0, iterations=10)
    assert not (fit.inverse.R - np.diag(np.diag(fit.inverse.R))).any()


def test_the_likeliest_start_is_kept() -> None:
    c = case(0.3, 2, rows=1500)
    alone = [fitted(c, starts=(phi,), noise="diagonal") for phi in (0.98, 0.05)]
    both = fitted(c, starts=(0.05, 0.98), noise="diagonal")
    assert both.loglik == max(fit.loglik for fit in alone)


def test_numbers_that_are_none_are_told() -> None:
    c = case(0.3, 2, rows=300)
    X = c.X.copy()
    X[5, 3] = np.nan
    with pytest.raises(TrainingError, match="1 held latents did not arrive at finite numbers") as told:
        fitted(c._replace(X=X))
    assert "raise `ridge`" in str(told.value)
