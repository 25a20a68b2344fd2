"""Randomness from one seed: independent streams by name, no global state."""

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

__all__ = ["generator", "torch_generator"]


def _entropy(seed: int, names: tuple[str, ...]) -> list[int]:
    return [int(seed) & 0xFFFFFFFF, *(zlib.crc32(name.encode()) for name in names)]


def generator(seed: int, *names: str) -> np.random.Generator:
    """A numpy generator for one named purpose; drawing from it shifts no other stream."""
    return np.random.default_rng(_entropy(seed, names))


def torch_generator(seed: int, *names: str, device: str = "cpu") -> "torch.Generator":
    """A torch generator for one named purpose."""
    import torch  # noqa: PLC0415 - torch loads only when used

    state = int(np.random.SeedSequence(_entropy(seed, names)).generate_state(1, np.uint32)[0])
    return torch.Generator(device=device).manual_seed(state)
