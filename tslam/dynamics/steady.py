"""The same bits with any number of threads: sums in one order."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and the linear algebra of numpy count on one thread of the CPU, and give back what they had.

    Threads share out a sum, and its last bit then hangs on how many there are. Where an encoding lies on the
    border of two entries of a codebook, or a fit goes on for hundreds of rounds, or two candidates are nearly
    as good, that bit decides, and everything goes another way from there on. The matrices here are so small
    that more threads would hardly make anything faster.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
