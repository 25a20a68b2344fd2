"""The closed form is the optimum, in one pass, and it is what the literature says of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.dynamics.closed_form import fit_augmented, fit_closed_form, fit_labelled, fit_swapped
from tslam.dynamics.moments import Moments, gather
from tslam.errors import ConfigError, TrainingError


def _orthonormal(rng: np.random.Generator, width: int, rank: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(width, rank)))[0]


def _plant(
    rows: int = 4000, chan: int = 12, act: int = 2, noise: float = 0.5, seed: int = 0
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    X, E = _orthonormal(rng, chan, act), _orthonormal(rng, chan, act)
    o, a, b = (rng.normal(size=(rows, width)) for width in (chan, act, act))
    return {"o": o, "next": o + a @ X.T + noise * b @ E.T, "a": a, "X": X, "q": a @ X.T, "E": E}


@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    shift=st.floats(-1e5, 1e5),
    seed=st.integers(0, 99),
)
def test_moments_of_chunks_add_up_to_those_of_the_whole(sizes: list[int], shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    chunks = [rng.normal(size=(n, 3)) + shift for n in sizes]
    rows = sum(sizes)
    if rows == 0:
        with pytest.raises(TrainingError, match="No row has every value"):
            gather(chunks)
        return
    found, whole = gather(chunks), np.concatenate(chunks)
    assert found.rows == rows
    np.testing.assert_allclose(found.mean, whole.mean(axis=0), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.cov, np.cov(whole.T, bias=True), rtol=1e-6, atol=1e-8)


def test_rows_with_a_hole_are_left_out_and_counted() -> None:
    V = np.random.default_rng(0).normal(size=(50, 3))
    V[[3, 7], [0, 2]] = np.nan, np.inf
    found = Moments.of(V)
    assert (found.rows, found.left_out) == (48, 2)
    np.testing.assert_allclose(found.cov, np.cov(np.delete(V, [3, 7], axis=0).T, bias=True))


@pytest.mark.parametrize("latents", [1, 2, 5, 12])
def test_the_loss_on_the_rows_is_the_tail_of_the_eigenvalues(latents: int) -> None:
    p = _plant()
    lam = fit_closed_form(Moments.of(np.column_stack([p["o"], p["next"]])), 12, latents)
    error = p["next"] - lam.predict(p["o"], lam.infer(p["o"], p["next"]))
    loss = float((error**2).sum(axis=1).mean())
    assert lam.tail == pytest.approx(loss, rel=1e-6, abs=1e-12)
    assert lam.loss == pytest.approx(loss, rel=1e-6, abs=1e-12)


def test_no_descent_from_anywhere_finds_less() -> None:
    torch = pytest.importorskip("torch")
    p = _plant(rows=1500, chan=6, act=2)
    lam = fit_closed_form(Moments.of(np.column_stack([p["o"], p["next"]])), 6, 2)
    o, y = (torch.tensor(p[k] - p[k].mean(axis=0)) for k in ("o", "next"))
    generator = torch.Generator().manual_seed(0)
    A, B, C, D = (
        torch.randn(shape, generator=generator, dtype=torch.float64).mul_(0.3).requires_grad_()
        for shape in ((6, 6), (6, 2), (2, 6), (2, 6))
    )
    optimiser = torch.optim.LBFGS([A, B, C, D], max_iter=400, line_search_fn="strong_wolfe")

    def loss() -> "torch.Tensor":
        optimiser.zero_grad()
        value = (o @ A.T + (o @ C.T + y @ D.T) @ B.T - y).square().sum(1).mean()
        value.backward()
        return value

    optimiser.step(loss)
    assert float(loss().detach()) == pytest.approx(lam.tail, rel=1e-5)


def test_what_is_given_to_the_forward_model_is_not_taken_for_an_action() -> None:
    rng = np.random.default_rng(3)
    p = _plant(noise=0.0)
    outside = rng.normal(size=(len(p["o"]), 1)) * 3.0
    y = p["next"] + outside @ rng.normal(size=(1, 12))

    def carried(F: np.ndarray) -> float:
        z = fit_closed_form(Moments.of(np.column_stack([F, y])), F.shape[1], 2).infer(F, y)
        return float(np.abs(np.corrcoef(z.T, outside[:, 0])[-1, :-1]).max())

    assert carried(p["o"]) > 0.9
    assert carried(np.column_stack([p["o"], outside])) < 0.05


def test_augmentation_makes_zero_mean_that_nothing_changed() -> None:
    p = _plant(rows=20_000)
    moments = Moments.of(np.column_stack([p["o"], p["next"]]))
    found = fit_augmented(moments, 2, 0.1)
    assert found.imbalance < 0.05
    np.testing.assert_allclose(found.A, np.eye(12), atol=0.05)
    assert fit_augmented(moments, 2, 1e-4).imbalance < 0.2


def test_the_weight_of_the_labels_flips_the_subspace() -> None:
    p = _plant(rows=20_000, noise=2.0)
    moments = Moments.of(np.column_stack([p["o"], p["next"]]))
    labelled = Moments.of(np.column_stack([p["o"], p["next"], p["a"]])[:2000])

    def missed(weight: float) -> float:
        lam = fit_labelled(moments, labelled, 12, 2, weight)
        z = lam.infer(p["o"], p["next"])
        assert lam.head is not None
        return float(((z @ lam.head.T - p["a"]) ** 2).sum() / (p["a"] ** 2).sum())

    assert missed(100.0) < 0.2
    assert missed(0.01) > 0.6
    assert missed(0.01) == pytest.approx(missed(0.0), abs=0.05)


def test_a_swap_keeps_the_outside_out() -> None:
    p = _plant(rows=20_000, noise=2.0)
    moments = Moments.of(np.column_stack([p["o"], p["next"]]))
    outside = 4.0 * p["E"] @ p["E"].T

    def leak(weight: float) -> float:
        lam = fit_swapped(moments, 12, 2, outside, weight)
        return float(np.linalg.norm(lam.B @ lam.D @ p["E"]))

    assert leak(30.0) < 0.2 * leak(0.0)


def test_errors_come_before_anything_is_fitted() -> None:
    p = _plant(rows=100)
    V = np.column_stack([p["o"], p["next"]])
    with pytest.raises(ConfigError, match=r"13 latents .* 12 observations"):
        fit_closed_form(Moments.of(V), 12, 13)
    with pytest.raises(TrainingError, match="cannot settle 12 regressors"):
        fit_closed_form(Moments.of(V[:13]), 12, 2)
    with pytest.raises(ConfigError, match="0 rows with a label"):
        fit_labelled(Moments.of(V), Moments.of(np.full((5, 26), np.nan)), 12, 2, 16.0)
