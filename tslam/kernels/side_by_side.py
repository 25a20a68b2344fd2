"""Independent pieces of work, side by side on the cores there are.

Threads, not processes: numba kernels and linear algebra let go of the interpreter, and nothing is copied.
Each piece is a function of what it is given, so that results do not depend on how many run at once.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["cores", "side_by_side"]

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(work: Callable[[Piece], Result], pieces: Sequence[Piece]) -> list[Result]:
    """Results of each piece of work, in the order of the pieces.

    Args:
        work: Done to each; must not change anything that another piece reads.
        pieces: What it is done to.

    Raises:
        Exception: the first that a piece raised, in the order of the pieces.
    """
    workers = min(len(pieces), cores())
    if workers < 2:
        return [work(piece) for piece in pieces]
    with ThreadPoolExecutor(workers, thread_name_prefix="tslam") as pool:
        return list(pool.map(work, pieces))
