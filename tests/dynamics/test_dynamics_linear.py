"""The linear latent action model: what minimising reconstruction comes to, in closed form."""

import numpy as np
import pytest
from held_cases import case, probe
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.linear import one_step, residual_covariance


def lam_data(seed: int, rows: int = 400, d: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """o and o' = o + q + ε with q independent of o, as proposition 4.1 wants it."""
    rng = np.random.default_rng(seed)
    o = rng.normal(size=(rows, d))
    q = rng.normal(size=(rows, 2)) @ rng.normal(size=(2, d))
    following = o + q + 0.3 * rng.normal(size=(rows, d))
    return o - o.mean(axis=0), following - following.mean(axis=0)


def reconstruction(o: np.ndarray, following: np.ndarray, latents: int, seed: int) -> float:
    """The least E‖A o + B (C o + D o') − o'‖² that descent on A, B, C, D finds."""
    n, d = o.shape
    shapes = [(d, d), (d, latents), (latents, d), (latents, d)]
    cuts = np.cumsum([a * b for a, b in shapes])

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        A, B, C, D = (p.reshape(s) for p, s in zip(np.split(theta, cuts[:-1]), shapes, strict=True))
        z = o @ C.T + following @ D.T
        error = o @ A.T + z @ B.T - following
        back = error @ B
        slopes = [error.T @ o, error.T @ z, back.T @ o, back.T @ following]
        return float((error**2).sum() / n), np.concatenate([2 * s.ravel() / n for s in slopes])

    first = 0.3 * np.random.default_rng(seed).normal(size=cuts[-1])
    return float(minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 2000}).fun)


@pytest.mark.parametrize("latents", [1, 2, 3])
def test_the_loss_of_a_linear_lam_is_the_tail_of_the_eigenvalues(latents: int) -> None:
    o, following = lam_data(latents)
    every = np.ones(len(o), bool)
    left = following - fit_ridge(o, following, every, 0.0).mean(o)
    tail = np.linalg.eigvalsh(residual_covariance(left, every))[::-1][latents:].sum()
    best = min(reconstruction(o, following, latents, seed) for seed in range(3))
    assert best == pytest.approx(tail, rel=1e-4)
    B = one_step(left, every, latents).B
    ours = left - left @ np.linalg.pinv(B).T @ B.T
    assert (ours**2).sum() / len(o) == pytest.approx(tail, rel=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_latents_lie_along_the_largest_directions(seed: int, latents: int) -> None:
    rng = np.random.default_rng(seed)
    left = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5))
    every = np.ones(300, bool)
    inverse = one_step(left, every, latents)
    _, vectors = np.linalg.eigh(left.T @ left)
    top = vectors[:, ::-1][:, :latents]
    np.testing.assert_allclose(top @ (top.T @ inverse.B), inverse.B, atol=1e-6)
    assert not inverse.phi.any()
    # with one path, B and R take up the whole covariance along these directions
    whole = inverse.B @ inverse.B.T + inverse.R
    cov = left.T @ left / 300
    np.testing.assert_allclose(top.T @ whole @ top, top.T @ cov @ top, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("noise", [0.1, 0.3, 1.0])
def test_a_white_action_is_told_as_well_as_plain_pca_tells_it(noise: float) -> None:
    c = case(noise, 1, white=True)
    left = c.Y - fit_ridge(c.X, c.Y, c.every, 1e-5).mean(c.X)
    _, vectors = np.linalg.eigh(left.T @ left)
    plain = probe(left @ vectors[:, [-1]], c.level)
    ours = probe(one_step(left, c.every, 1).path(left, c.start).mean, c.level)
    assert ours == pytest.approx(plain, abs=0.02)
    if noise < 0.5:
        assert ours > 0.85


class TestCovariance:
    """Second moments that can be inverted, whatever the residuals are."""

    def test_sound_moments_are_left_alone(self) -> None:
        left = np.random.default_rng(0).normal(size=(100, 3)) * [1.0, 1e-3, 10.0]
        np.testing.assert_array_equal(residual_covariance(left, np.ones(100, bool)), left.T @ left / 100.0)

    @pytest.mark.parametrize("what", ["still", "copied", "scarce", "holed", "never measured"])
    def test_a_density_can_be_had_from_any(self, what: str) -> None:
        rng = np.random.default_rng(0)
        left = rng.normal(size=(6 if what == "scarce" else 200, 8)) * np.logspace(-3, 0, 8)
        if what == "still":
            left[:, 2] = 0.0
        if what == "copied":
            left[:, 2] = 2 * left[:, 7]
        if what == "holed":
            left[rng.random(left.shape) < 0.9] = np.nan
        if what == "never measured":
            left[:, 2] = np.nan
        cov = residual_covariance(left, np.ones(len(left), bool))
        np.linalg.cholesky(cov)
        sound = [i for i in range(8) if not (what in {"still", "never measured"} and i == 2)]
        expected = np.nanmean(left[:, sound] ** 2, axis=0)
        np.testing.assert_allclose(np.diag(cov)[sound], expected, rtol=1e-9)
