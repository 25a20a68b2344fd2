"""A random stable linear plant: the one whose every second moment is known exactly.

    o_{t+1} = A o_t + B a_t + E x_t + e_t

Actions are drawn anew, standard normal, with chance 1 / dwell per row and held in between, so that
their autocovariance is (1 - 1 / dwell)^k; exogenous variables are AR(1) with variance 1; e is white.
Each action drives about a quarter of the channels.
"""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from tslam.errors import ConfigError
from tslam.plants.blueprint import BURN, checked_rows
from tslam.plants.drive import autoregressive
from tslam.plants.plant import Record, Truth, moves, stamped
from tslam.seeding import generator

__all__ = ["LinearTruth", "linear"]

CADENCE = 1.0  # s
PERSISTENCE = 0.95  # of the exogenous variables, per row


@dataclass(frozen=True, eq=False)
class LinearTruth(Truth):
    """The matrices of a linear plant, and the constants of what drives it."""

    channels: tuple[str, ...]
    actions: tuple[str, ...]
    exogenous: tuple[str, ...]
    A: Float[np.ndarray, "chan chan"]
    B: Float[np.ndarray, "chan act"]
    E: Float[np.ndarray, "chan exog"]
    noise: float
    """Standard deviation of e."""
    sensor: float
    """Standard deviation of the reading errors."""
    dwell: float
    """Mean rows between moves; 1 for white actions."""
    phi: float
    """AR(1) coefficient of the exogenous variables."""


def linear(
    rows: int = 4000,
    seed: int = 0,
    *,
    d: int = 12,
    actions: int = 3,
    noise: float = 0.3,
    dwell: float = 50.0,
    exog: int = 1,
    white: bool = False,
    sensor: float = 0.0,
) -> Record:
    """A random stable linear plant with ``channel_i``, ``action_i`` and ``exog_i``, every second.

    Args:
        rows: Length of the record.
        seed: Draws the matrices, the moves, the world and the noise.
        d: Number of channels.
        actions: Number of actions; each has variance 1 and a column of B of norm 1.
        noise: Standard deviation of the process noise of each channel.
        dwell: Mean number of rows between two moves of an action.
        exog: Number of exogenous variables.
        white: Draw every action anew in every row.
        sensor: Standard deviation of the error of each reading.

    Returns:
        A record whose ``truth`` is a :class:`LinearTruth`.

    Raises:
        ConfigError: a size, a noise or the dwell is out of range.
    """
    checked_rows("linear", rows)
    if d < 1 or actions < 1 or exog < 0:
        raise ConfigError(
            f"d={d}, actions={actions}, exog={exog} for plant 'linear'; "
            "it needs at least one channel and one action. Ask for d >= 1, actions >= 1, exog >= 0."
        )
    if dwell < 1.0 or noise < 0.0 or sensor < 0.0:
        raise ConfigError(
            f"dwell={dwell}, noise={noise}, sensor={sensor} for plant 'linear'; "
            "an action is held for at least the row that it is set in. Ask for dwell >= 1, the others >= 0."
        )
    dwell = 1.0 if white else dwell
    A, B, E = _matrices(seed, d, actions, exog)
    total = rows + BURN
    acts = _held(seed, total, actions, dwell)
    world = autoregressive(generator(seed, "linear", "world"), total, *[PERSISTENCE] * exog)
    push = acts @ B.T + world @ E.T
    push += noise * generator(seed, "linear", "shocks").standard_normal((total, d))
    obs = _simulate(A, push)
    obs += sensor * generator(seed, "linear", "sensors").standard_normal((total, d))

    channels, levers, outside = _names("channel", d), _names("action", actions), _names("exog", exog)
    values = np.hstack([obs, acts, world])[BURN:].T
    columns = dict(zip((*channels, *levers, *outside), values, strict=True))
    frame = stamped(columns, CADENCE)
    constants = {"noise": noise, "sensor": sensor, "dwell": dwell, "phi": PERSISTENCE}
    return Record(
        name="linear",
        frame=frame,
        observations=channels,
        actions=levers,
        exogenous=outside,
        effects={a: tuple(channels[i] for i in np.flatnonzero(B[:, j])) for j, a in enumerate(levers)},
        moves={action: moves(columns[action]) for action in levers},
        cadence=CADENCE,
        seed=seed,
        truth=LinearTruth(
            frame, constants, channels, levers, outside, A, B, E, noise, sensor, dwell, PERSISTENCE
        ),
    )


def _names(kind: str, count: int) -> tuple[str, ...]:
    return tuple(f"{kind}_{i}" for i in range(count))


def _matrices(
    seed: int, d: int, actions: int, exog: int
) -> tuple[Float[np.ndarray, "chan chan"], Float[np.ndarray, "chan act"], Float[np.ndarray, "chan exog"]]:
    """A with spectral radius about .9, sparse B with columns of norm 1, dense E with columns of norm .5."""
    rng = generator(seed, "linear", "matrices")
    A = rng.standard_normal((d, d))
    A *= rng.uniform(0.87, 0.93) / np.abs(np.linalg.eigvals(A)).max()
    B = np.zeros((d, actions))
    for column in B.T:
        driven = rng.choice(d, size=max(1, round(d / 4)), replace=False)
        column[driven] = rng.uniform(0.5, 1.5, driven.size) * rng.choice([-1.0, 1.0], driven.size)
    B /= np.linalg.norm(B, axis=0)
    E = rng.standard_normal((d, exog))
    return A, B, 0.5 * E / np.linalg.norm(E, axis=0)


def _held(seed: int, rows: int, actions: int, dwell: float) -> Float[np.ndarray, "rows act"]:
    """Standard normal levels, each held for a geometric time."""
    moved = generator(seed, "linear", "moves").random((rows, actions)) < 1.0 / dwell
    moved[0] = True
    level = generator(seed, "linear", "levels").standard_normal((rows, actions))
    since = np.maximum.accumulate(np.where(moved, np.arange(rows)[:, None], 0), axis=0)
    return np.take_along_axis(level, since, axis=0)


@njit(cache=True)
@no_type_check
def _simulate(A: np.ndarray, push: np.ndarray) -> np.ndarray:
    """o_{t+1} = A o_t + push_t, from rest."""
    rows, chan = push.shape
    obs = np.zeros((rows, chan))
    for t in range(rows - 1):
        for i in range(chan):
            value = push[t, i]
            for j in range(chan):
                value += A[i, j] * obs[t, j]
            obs[t + 1, i] = value
    return obs
