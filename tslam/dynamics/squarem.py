"""Faster EM: extrapolate from two steps, keep the jump only where the likelihood does not fall.

Source: Varadhan and Roland, "Simple and globally convergent methods for accelerating the convergence
of any EM algorithm", Scandinavian Journal of Statistics 35(2), 2008 (SQUAREM, step length S3).
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from jaxtyping import Float

__all__ = ["accelerate"]

State = TypeVar("State")
_Vector = Float[np.ndarray, " theta"]

_LEAST_STEPS = 6
"""EM may stand still for a step while it turns; no stop before this many."""


def accelerate(
    step: Callable[[State], tuple[State, float]],
    state: State,
    pack: Callable[[State], _Vector],
    unpack: Callable[[_Vector], State],
    *,
    iterations: int,
    tolerance: float,
) -> tuple[State, list[float]]:
    """Iterate EM with SQUAREM.

    Args:
        step: One EM step: the next state, and the objective of the state it was given.
        state: Where to start.
        pack: State to an unconstrained vector.
        unpack: The way back.
        iterations: Most calls of ``step``.
        tolerance: Stop when a round gains less.

    Returns:
        The last state, and the objective reached in each round.

    Raises:
        numpy.linalg.LinAlgError: a plain EM step met a singular system.
    """
    history: list[float] = []
    spent, last = 0, -np.inf
    while spent < iterations:
        one, _ = step(state)
        two, reached = step(one)
        spent += 2
        history.append(reached)
        if not np.isfinite(reached) or (reached - last < tolerance and spent > _LEAST_STEPS):
            return two, history
        last = reached
        a, b, c = pack(state), pack(one), pack(two)
        change, bend = b - a, c - 2.0 * b + a
        length = min(-float(np.linalg.norm(change)) / max(float(np.linalg.norm(bend)), 1e-30), -1.0)
        state = two
        while length < -1.01 and spent < iterations:
            spent += 1
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    jumped, there = step(unpack(a - 2.0 * length * change + length**2 * bend))
            except np.linalg.LinAlgError:
                there = -np.inf  # the jump left the feasible set: a shorter one follows
            if np.isfinite(there) and there >= reached:
                state, last = jumped, there
                break
            length = (length - 1.0) / 2.0 if length < -2.0 else -1.0
    return state, history
