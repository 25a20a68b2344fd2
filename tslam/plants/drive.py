"""What acts on a plant and is drawn before it runs: moves, the outside world, noise.

Drawing it all first keeps the kernels free of randomness: the same drive gives the same history to
the last bit, and two drives that differ in one move show what that move did.
"""

from dataclasses import dataclass
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from tslam.seeding import generator

__all__ = ["Actuator", "Drive", "autoregressive", "hold", "policy", "schedule"]


@dataclass(frozen=True)
class Actuator:
    """An input that somebody sets and leaves, and what they look at when they set it.

    With feedback, a move goes ``gain * (target - watched)`` beyond the level it would have had.
    """

    name: str
    low: float
    high: float
    step: float
    """Distance between neighbouring levels."""
    dwell: float
    """Mean number of rows between moves."""
    watches: str
    """Observation that the operator looks at."""
    target: float
    """Where the operator wants that observation to be."""
    gain: float
    """Change of the action per unit of observation below target, at full feedback."""

    @property
    def levels(self) -> int:
        """Number of levels."""
        return round((self.high - self.low) / self.step) + 1


class Drive(NamedTuple):
    """Everything that acts on a plant and does not depend on it.

    ``level`` is what each action would be set to without feedback, held from move to move;
    ``shock`` is standard normal process noise, ``sensor`` the error of each reading in its unit.
    """

    moved: Bool[np.ndarray, "rows act"]
    level: Float[np.ndarray, "rows act"]
    exog: Float[np.ndarray, "rows exog"]
    shock: Float[np.ndarray, "rows noise"]
    sensor: Float[np.ndarray, "rows chan"]


def schedule(
    actuators: tuple[Actuator, ...], rows: int, seed: int, name: str
) -> tuple[Bool[np.ndarray, "rows act"], Float[np.ndarray, "rows act"]]:
    """When each actuator moves, and to which level.

    Moves come with a constant chance per row (geometric dwell, the memoryless one) and go to any
    other level with equal chance.
    """
    dwell = np.array([a.dwell for a in actuators])
    moved = generator(seed, name, "moves").random((rows, len(actuators))) < 1.0 / dwell
    moved[0] = True
    draws = generator(seed, name, "levels").random((rows, len(actuators)))
    level = np.empty((rows, len(actuators)))
    for j, actuator in enumerate(actuators):
        index = int(draws[0, j] * actuator.levels)
        for t in range(rows):
            if moved[t, j] and t > 0:
                other = int(draws[t, j] * (actuator.levels - 1))
                index = other + (other >= index)
            level[t, j] = actuator.low + actuator.step * index
    return moved, level


def policy(
    actuators: tuple[Actuator, ...], observations: tuple[str, ...], feedback: float
) -> Float[np.ndarray, "act 6"]:
    """The operators' habits as numbers, one row per actuator, as :func:`hold` reads them."""
    return np.array(
        [
            (a.low, a.high, a.step, observations.index(a.watches), a.target, feedback * a.gain)
            for a in actuators
        ]
    )


def autoregressive(
    rng: np.random.Generator, rows: int, *persistence: float
) -> Float[np.ndarray, "rows count"]:
    """Independent stationary AR(1) series with mean 0 and variance 1, one per ``persistence`` (per row)."""
    shock = rng.standard_normal((rows, len(persistence)))
    out: Float[np.ndarray, "rows count"] = _filtered(shock, np.array(persistence, dtype=float))
    return out


@njit(cache=True)
@no_type_check
def _filtered(shock: np.ndarray, persistence: np.ndarray) -> np.ndarray:
    out = np.empty_like(shock)
    out[0] = shock[0]
    scale = np.sqrt(1.0 - persistence * persistence)
    for t in range(1, shock.shape[0]):
        out[t] = persistence * out[t - 1] + scale * shock[t]
    return out


@njit(cache=True)
@no_type_check
def hold(t: int, drive: Drive, policy: np.ndarray, seen: np.ndarray, acts: np.ndarray) -> None:
    """Set the actions of row t: where nobody moves, what they were; else what the operator wants.

    Args:
        t: Row.
        drive: Who moves, and to which level without feedback.
        policy: ``[act, 6]`` low, high, step, watched channel, target, gain of each actuator.
        seen: ``[chan]`` observations of row t.
        acts: ``[rows, act]`` actions; row t is written.
    """
    for j in range(acts.shape[1]):
        if t > 0 and not drive.moved[t, j]:
            acts[t, j] = acts[t - 1, j]
            continue
        low, high, step, watched, target, gain = policy[j]
        wanted = drive.level[t, j] + gain * (target - seen[int(watched)])
        wanted = low + step * round((wanted - low) / step)
        acts[t, j] = min(max(wanted, low), high)
