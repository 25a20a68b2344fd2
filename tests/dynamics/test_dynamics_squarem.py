"""Accelerated fixed-point iteration: faster, and never down."""

import numpy as np
import pytest

from tslam.dynamics.squarem import accelerate

A = np.diag([0.999, 0.9, 0.5])
B = np.array([0.001, 1.0, 2.0])
TRUTH = np.linalg.solve(np.eye(3) - A, B)


def step(x: np.ndarray) -> tuple[np.ndarray, float]:
    """A slow contraction, and the objective that it climbs."""
    return A @ x + B, -float((x - TRUTH) @ (x - TRUTH))


def run(iterations: int, tolerance: float = 0.0) -> tuple[np.ndarray, list[float], int]:
    calls = 0

    def counted(x: np.ndarray) -> tuple[np.ndarray, float]:
        nonlocal calls
        calls += 1
        return step(x)

    state, history = accelerate(
        counted, np.zeros(3), np.asarray, np.asarray, iterations=iterations, tolerance=tolerance
    )
    return state, history, calls


def test_it_arrives_where_plain_iteration_crawls() -> None:
    plain = np.zeros(3)
    for _ in range(120):
        plain, _ = step(plain)
    fast, history, _ = run(120)
    assert np.linalg.norm(fast - TRUTH) < 1e-3 * np.linalg.norm(plain - TRUTH)
    assert np.diff(history).min() >= 0


@pytest.mark.parametrize("iterations", [1, 2, 7, 50])
def test_it_keeps_to_its_budget_up_to_a_round(iterations: int) -> None:
    _, history, calls = run(iterations)
    assert calls <= iterations + 1
    assert history


def test_it_stops_once_a_round_gains_little() -> None:
    _, _, patient = run(500, tolerance=1e-12)
    _, _, hasty = run(500, tolerance=1e-1)
    assert hasty < patient < 500


def test_a_jump_out_of_the_feasible_set_is_taken_back() -> None:
    def fragile(x: np.ndarray) -> tuple[np.ndarray, float]:
        if np.any(x > TRUTH + 1e-9):  # where plain steps never lead
            raise np.linalg.LinAlgError
        return step(x)

    state, history = accelerate(fragile, np.zeros(3), np.asarray, np.asarray, iterations=40, tolerance=0.0)
    assert np.isfinite(state).all()
    assert np.diff(history).min() >= 0
