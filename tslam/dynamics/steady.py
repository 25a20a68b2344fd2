"""The same bits with any number of threads: sums in one order."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch count on one thread of the CPU, and give it back what it had.

    Threads share out a sum, and its last bit then hangs on how many there are. Where an encoding lies on the
    border of two entries of a codebook, that bit decides, and training goes another way from there on. The
    networks here are so small that more threads would hardly make them faster.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
