"""The neural forward model: it starts at the linear answer, stays tame far out, survives storage."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from tslam.dynamics import neural
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.neural import ForwardNet, ForwardSpec, NeuralForward
from tslam.errors import ArtifactError


def _linear(feat: int = 5, chan: int = 3, seed: int = 0) -> LinearForward:
    rng = np.random.default_rng(seed)
    return LinearForward(rng.normal(size=(feat, chan)), rng.normal(size=chan))


def _start(linear: LinearForward, seed: int = 0, hidden: int = 8) -> ForwardNet:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, linear.weights.shape[0]))
    left = rng.normal(size=(60, linear.bias.size)) * np.linspace(0.1, 0.5, linear.bias.size)
    return ForwardNet.starting_at(
        linear, X, linear.mean(X) + left, hidden, torch.Generator().manual_seed(seed)
    )


def _trained(linear: LinearForward, seed: int = 0) -> ForwardNet:
    """A net somewhere else than at its start."""
    net = _start(linear, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for weights in net.parameters():
            weights.add_(0.3 * torch.randn(weights.shape, generator=generator))
    return net


@given(
    feat=st.integers(1, 12), chan=st.integers(1, 6), rows=st.integers(0, 30), seed=st.integers(0, 2**31 - 1)
)
def test_the_start_is_the_linear_answer(feat: int, chan: int, rows: int, seed: int) -> None:
    linear = _linear(feat, chan, seed)
    X = np.random.default_rng(seed).normal(size=(rows, feat)) * 10
    np.testing.assert_allclose(
        NeuralForward(_start(linear, seed)).mean(X), linear.mean(X), rtol=1e-12, atol=1e-12
    )


def test_the_net_bends_inside_what_was_seen_and_not_far_outside() -> None:
    linear = _linear()
    model = NeuralForward(_trained(linear))
    X = np.random.default_rng(1).normal(size=(50, 5))
    assert (model.mean(X) - linear.mean(X)).std(axis=0).min() > 0.01
    X = np.sign(X) * np.maximum(np.abs(X), 0.05)
    far = [model.mean(X * size) - linear.mean(X * size) for size in (1e3, 1e5)]
    np.testing.assert_allclose(far[0], far[1], atol=1e-4)


def test_views_of_nearly_equal_regressors_are_of_one_size_and_say_the_same() -> None:
    rng = np.random.default_rng(4)
    level = rng.normal(size=2000)
    X = np.column_stack([level, level + 0.3 * rng.normal(size=2000)])
    linear = _linear(2, 1)
    net = ForwardNet.starting_at(linear, X, linear.mean(X) + 1.0, 4, torch.Generator().manual_seed(0))
    views = net.views(torch.tensor(X)).double().numpy()
    np.testing.assert_allclose(views.mean(axis=0), 0.0, atol=1e-5)
    assert abs(np.corrcoef(views.T)[0, 1]) < 1e-5
    ratio = X.std(axis=0).sum() / (X[:, 0] - X[:, 1]).std(), views.std(axis=0).max() / views.std(axis=0).min()
    assert ratio[1] < 0.7 * ratio[0]


def test_the_unit_of_each_channel_is_what_the_linear_part_leaves() -> None:
    linear = _linear(2, 4)
    X = np.random.default_rng(5).normal(size=(200, 2))
    Y = linear.mean(X) + np.array([0.3, -2.0, 0.0, np.nan])
    Y[::3, 0] = np.nan
    scale = ForwardNet.starting_at(linear, X, Y, 4, torch.Generator().manual_seed(0)).scale.numpy()
    np.testing.assert_allclose(scale, [0.3, 2.0, 1e-4, 1.0], rtol=1e-9)


def test_the_likelihood_is_that_of_the_measured_targets() -> None:
    net = _trained(_linear())
    model = NeuralForward(net)
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(40, 5)), rng.normal(size=(40, 3))
    Y[rng.random(Y.shape) < 0.3] = np.nan
    left = (Y - _linear().mean(X)) / net.scale.numpy()
    seen = np.isfinite(Y)
    expected = -norm.logpdf(Y, model.mean(X), np.sqrt(model.variance))[seen].mean()
    for filler in (0.0, 7.0):
        found = net.nll(
            net.views(torch.tensor(X)),
            torch.tensor(np.where(seen, left, filler)).float(),
            torch.tensor(seen).float(),
        )
        assert float(found.detach()) == pytest.approx(expected, rel=1e-5)


def test_the_likelihood_of_nothing_is_zero() -> None:
    net = _start(_linear())
    nothing = torch.zeros(4, 3)
    assert float(net.nll(torch.ones(4, 5), nothing, nothing).detach()) == 0.0


def test_long_tables_are_predicted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    model = NeuralForward(_trained(_linear()))
    X = np.random.default_rng(3).normal(size=(50, 5))
    whole = model.mean(X)
    monkeypatch.setattr(neural, "_CHUNK", 7)
    np.testing.assert_allclose(model.mean(X), whole, atol=1e-5)


@given(seed=st.integers(0, 1000))
def test_a_stored_net_is_the_same_net(seed: int) -> None:
    model = NeuralForward(_trained(_linear(seed=seed), seed))
    spec, arrays = model.to_state()
    # what a file keeps: the sizes as JSON, the weights in double precision
    stored = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
    again = NeuralForward.from_state(json.loads(json.dumps(spec)), stored)
    X = np.random.default_rng(seed).normal(size=(20, 5))
    np.testing.assert_array_equal(again.mean(X), model.mean(X))
    np.testing.assert_array_equal(again.variance, model.variance)


def test_arrays_that_do_not_fit_are_named() -> None:
    net = _trained(_linear())
    arrays = net.state()
    lost = {name: array for name, array in arrays.items() if name != "tilt"}
    with pytest.raises(ArtifactError, match=r"\['tilt'\] do not fit .* 5 regressors, 3 channels and width 8"):
        ForwardNet.from_state(net.spec, lost)
    with pytest.raises(ArtifactError, match=r"\['bias', 'last.bias'"):
        ForwardNet.from_state(ForwardSpec(5, 4, 8), arrays)
    with pytest.raises(ArtifactError, match=r"\['extra'\]"):
        ForwardNet.from_state(net.spec, {**arrays, "extra": np.zeros(1)})


def test_a_state_is_a_copy() -> None:
    net = _start(_linear())
    arrays = net.state()
    with torch.no_grad():
        net.tilt.add_(1.0)
    assert not arrays["tilt"].any()


def test_nothing_is_drawn_from_the_global_generator() -> None:
    before = torch.get_rng_state()
    _start(_linear())
    assert torch.equal(torch.get_rng_state(), before)
