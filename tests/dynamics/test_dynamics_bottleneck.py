"""Bottlenecks: what goes through, what it costs, and that nothing but training is random."""

import pytest
import torch

from tslam.dynamics.bottleneck import bottleneck
from tslam.dynamics.composition import Composition


def _raw(width: int, rows: int = 256, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", ["none", "sparse", "noisy", "vq", "fsq", "residual"])
def test_outside_training_the_same_goes_in_and_out(kind: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        squeeze = bottleneck(Composition(bottleneck=kind, codes=8, books=2), 3)
        raw = _raw(int(squeeze.width))
        squeeze.train()
        squeeze(raw)
        squeeze.eval()
        first, again = squeeze(raw), squeeze(raw)
    assert first.z.shape == (256, 3)
    assert torch.equal(first.z, again.z)
    assert (first.codes is not None) == (kind in {"vq", "fsq", "residual"})


def test_codes_are_used_and_few() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        squeeze = bottleneck(Composition(bottleneck="vq", codes=8), 2).train()
        for seed in range(5):
            squeeze(_raw(2, seed=seed))
        squeeze.eval()
        found = squeeze(_raw(2))
    assert len(found.codes.unique()) >= 6
    assert len(found.z.unique(dim=0)) == len(found.codes.unique())


def test_what_is_sparse_pays_for_collapse_and_for_size() -> None:
    squeeze = bottleneck(Composition(bottleneck="sparse", sparsity=0.1), 4)
    raw = _raw(4)
    assert float(squeeze(0.0 * raw).cost) > 0.2
    assert float(squeeze(10.0 * raw).cost) > float(squeeze(raw).cost)


def test_what_is_noisy_pays_for_what_it_tells() -> None:
    squeeze = bottleneck(Composition(bottleneck="noisy", beta=1.0), 2).eval()
    silent, telling = torch.zeros(8, 4), torch.full((8, 4), 2.0)
    assert float(squeeze(silent).cost) == 0.0
    assert float(squeeze(telling).cost) > 1.0
