"""One thread or two: the same model."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

import tslam
from tslam import plants
from tslam.dynamics.steady import one_thread


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _model(threads: int, **config: object) -> tuple[np.ndarray, tslam.GapReport]:
    torch.set_num_threads(threads)
    record = plants.simulate("tank", 1200, 0).drop("pump_1")
    settings = tslam.FitConfig.model_validate({"epochs": 12} | config)
    with threadpool_limits(threads, user_api="blas"):
        model = tslam.fit(record.frame, **record.roles(), config=settings)
        assert torch.get_num_threads() == threads
        assert {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"} == {threads}
        latents = np.asarray(model.infer(record.frame).select(model.latent_names).to_numpy(), float)
        return latents, model.audit(record.frame)


@pytest.mark.parametrize("config", [{"preset": "paper:lapo"}, {"family": "neural", "lags": 2}, {}])
def test_latents_are_the_same_bits_and_the_verdict_the_same_with_one_thread_and_with_two(
    config: dict[str, object],
) -> None:
    (one, said), (two, again) = (_model(n, **config) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert [gap.model_dump() for gap in said.gaps] == [gap.model_dump() for gap in again.gaps]


def test_threads_are_given_back_also_after_an_error() -> None:
    torch.set_num_threads(2)

    @one_thread()
    def fails() -> None:
        raise ZeroDivisionError(torch.get_num_threads())

    with pytest.raises(ZeroDivisionError, match="1"):
        fails()
    assert torch.get_num_threads() == 2
