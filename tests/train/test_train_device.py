"""Devices by name, and the same fit on CPU and GPU."""

import numpy as np
import pytest
import torch
from train_cases import QUICK, problem

from tslam.dynamics.neural import NeuralForward
from tslam.errors import ConfigError
from tslam.train.checkpoint import Checkpoint
from tslam.train.device import resolve
from tslam.train.loop import train_forward


def _cards(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(
    ("name", "cards", "expected"),
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda:0"),
        ("cpu", 2, "cpu"),
        ("cuda", 2, "cuda:0"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_a_name_finds_its_device(
    monkeypatch: pytest.MonkeyPatch, name: str, cards: int, expected: str
) -> None:
    _cards(monkeypatch, cards)
    assert resolve(name) == torch.device(expected)


@pytest.mark.parametrize(("name", "cards"), [("cuda", 0), ("cuda:2", 2), ("gpu", 2), ("", 0), ("mps", 0)])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch, name: str, cards: int
) -> None:
    _cards(monkeypatch, cards)
    with pytest.raises(ConfigError, match=f"no device {name!r} here") as info:
        resolve(name)
    assert "'auto', 'cpu'" in str(info.value)
    assert ("cuda:1" in str(info.value)) is (cards == 2)


@pytest.mark.gpu
def test_a_fit_on_the_gpu_is_the_fit_on_the_cpu(cuda: str) -> None:
    p = problem(1500)
    fits = [
        train_forward(p.X, p.Y, p.train, p.stop, start=p.start, config=QUICK, seed=0, device=device)
        for device in ("cpu", cuda)
    ]
    # the same batches in another order of summing: rounding grows over the epochs, the answer does not move
    np.testing.assert_allclose(fits[1].history[:3], fits[0].history[:3], rtol=1e-4)
    errors = [p.error(fit.forward.mean(p.X)) for fit in fits]
    assert errors[1] == pytest.approx(errors[0], rel=0.05)
    assert errors[1] < 0.5 * p.error(p.start.mean(p.X))


@pytest.mark.gpu
def test_a_model_of_the_gpu_loads_on_the_cpu(cuda: str) -> None:
    p = problem(400)
    config = QUICK.model_copy(update={"epochs": 5})
    fit = train_forward(p.X, p.Y, p.train, p.stop, start=p.start, config=config, seed=0, device=cuda)
    spec, arrays = fit.forward.to_state()
    again = NeuralForward.from_state(spec, arrays, device="cpu")
    np.testing.assert_allclose(again.mean(p.X), fit.forward.mean(p.X), rtol=1e-4, atol=1e-5)


@pytest.mark.gpu
def test_a_run_on_the_gpu_repeats_and_resumes(cuda: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    p = problem(400)
    checkpoint = Checkpoint(tmp_path_factory.mktemp("gpu") / "course.safetensors", every=5)
    short = QUICK.model_copy(update={"epochs": 10})

    def run(epochs: int, keep: Checkpoint | None) -> dict[str, np.ndarray]:
        config = short.model_copy(update={"epochs": epochs})
        fit = train_forward(
            p.X, p.Y, p.train, p.stop, start=p.start, config=config, seed=0, device=cuda, checkpoint=keep
        )
        return fit.forward.net.state()

    whole, again = run(10, None), run(10, None)
    run(5, checkpoint)
    resumed = run(10, checkpoint)
    for name, weights in whole.items():
        np.testing.assert_array_equal(weights, again[name])
        np.testing.assert_array_equal(weights, resumed[name])
