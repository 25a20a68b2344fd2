"""One thread or two: the same model."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import tslam
from tslam import plants
from tslam.dynamics.steady import one_thread


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _latents(threads: int, **config: object) -> np.ndarray:
    torch.set_num_threads(threads)
    record = plants.simulate("tank", 2500, 0).drop("pump_1")
    settings = tslam.FitConfig.model_validate({"epochs": 12} | config)
    model = tslam.fit(record.frame, **record.roles(), config=settings)
    assert torch.get_num_threads() == threads
    return np.asarray(model.infer(record.frame).select(model.latent_names).to_numpy(), float)


@pytest.mark.parametrize("name", ["paper:lapo", "paper:residual"])
def test_presets_with_codes_are_the_same_bits_with_one_thread_and_with_two(name: str) -> None:
    one, two = (_latents(n, preset=name) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("family", ["neural", "linear"])
def test_families_agree_with_one_thread_and_with_two(family: str) -> None:
    one, two = (_latents(n, family=family, lags=2) for n in (1, 2))
    assert np.nanmax(np.abs(one - two)) <= 1e-5 * np.nanmax(np.abs(one))


def test_threads_are_given_back_also_after_an_error() -> None:
    torch.set_num_threads(2)

    @one_thread()
    def fails() -> None:
        raise ZeroDivisionError(torch.get_num_threads())

    with pytest.raises(ZeroDivisionError, match="1"):
        fails()
    assert torch.get_num_threads() == 2
