"""Pieces come back in order, run at the same time where there are cores, and fail as they would alone."""

import os
from threading import Barrier, get_ident

import pytest

from tslam.kernels import side_by_side as room
from tslam.kernels.side_by_side import cores, side_by_side


def test_results_are_in_the_order_of_the_pieces() -> None:
    assert side_by_side(lambda n: n * n, list(range(20))) == [n * n for n in range(20)]
    assert side_by_side(lambda n: n, []) == []


@pytest.mark.skipif(cores() < 2, reason="one core")
def test_two_pieces_run_at_the_same_time() -> None:
    barrier = Barrier(2)  # each waits for the other: one after the other they would wait for ever
    assert sorted(side_by_side(lambda _: barrier.wait(timeout=60), [0, 1])) == [0, 1]


def test_on_one_core_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "cores", lambda: 1)
    own = os.getpid(), get_ident()
    assert set(side_by_side(lambda _: (os.getpid(), get_ident()), [0, 1])) == {own}


def test_the_first_error_is_raised() -> None:
    def work(n: int) -> int:
        if n:
            raise ValueError(f"piece {n}")
        return n

    with pytest.raises(ValueError, match="piece 1"):
        side_by_side(work, [0, 1, 2])
