"""How a nonlinear plant is described, and the one way from a description to a record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from tslam.errors import ConfigError
from tslam.plants.drive import Actuator, Drive, policy, schedule
from tslam.plants.plant import Record, Truth, moves, stamped
from tslam.seeding import generator

__all__ = ["BURN", "Blueprint", "World", "checked_rows", "draw", "operate", "parameters", "run"]

BURN = 300
"""Rows simulated and thrown away before row 0, so that a record does not begin with a start-up."""

World = Callable[[np.random.Generator, Float[np.ndarray, " rows"]], Float[np.ndarray, "rows exog"]]
"""Exogenous variables at given seconds since midnight of the first day."""


Constants = Any
"""A plant's constants: a named tuple of floats, of a class of its own, which the kernel reads by name."""

Kernel = Callable[[Constants, Drive, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""A compiled simulation: constants, drive and habits to observations and actions. It draws nothing."""


@dataclass(frozen=True)
class Blueprint:
    """A plant: its channels, what is done to it, what happens around it, and its equations."""

    name: str
    cadence: float
    """Seconds from row to row, which is the time step of the equations too."""
    sensors: Mapping[str, float]
    """Standard deviation of each observation's sensor error, in its unit."""
    actuators: tuple[Actuator, ...]
    exogenous: tuple[str, ...]
    effects: Mapping[str, tuple[str, ...]]
    """Channels that each action changes within one row."""
    shocks: int
    """Number of process noises."""
    nominal: Constants
    """Constants of the plant of the docstring; a seed varies them."""
    world: World
    simulate: Kernel
    spread: float = 0.14
    """Largest change of the logarithm of a constant over seeds."""

    @property
    def observations(self) -> tuple[str, ...]:
        """Names of the channels."""
        return tuple(self.sensors)


def parameters(blueprint: Blueprint, seed: int) -> Constants:
    """The constants of one plant of the kind: another seed, another plant."""
    rng = generator(seed, blueprint.name, "parameters")
    factors = np.exp(rng.uniform(-blueprint.spread, blueprint.spread, len(blueprint.nominal)))
    return blueprint.nominal._make((np.array(blueprint.nominal) * factors).tolist())


def draw(blueprint: Blueprint, rows: int, seed: int) -> Drive:
    """Everything that acts on the plant, burn-in first. More rows only add to fewer."""
    total = rows + BURN
    moved, level = schedule(blueprint.actuators, total, seed, blueprint.name)
    seconds = (np.arange(total) - BURN) * blueprint.cadence
    noise = generator(seed, blueprint.name, "sensors").standard_normal((total, len(blueprint.sensors)))
    return Drive(
        moved=moved,
        level=level,
        exog=blueprint.world(generator(seed, blueprint.name, "world"), seconds),
        shock=generator(seed, blueprint.name, "shocks").standard_normal((total, blueprint.shocks)),
        sensor=noise * np.array(list(blueprint.sensors.values())),
    )


def run(
    blueprint: Blueprint, constants: Constants, drive: Drive, feedback: float = 0.0
) -> tuple[Float[np.ndarray, "rows chan"], Float[np.ndarray, "rows act"]]:
    """Observations and actions of every row of the drive, burn-in included."""
    habits = policy(blueprint.actuators, blueprint.observations, feedback)
    return blueprint.simulate(constants, drive, habits)


def operate(blueprint: Blueprint, rows: int, seed: int, feedback: float) -> Record:
    """Run a plant and write down what happened.

    Args:
        blueprint: The plant.
        rows: Length of the record.
        seed: Draws the plant's constants, its moves, its world and its noise.
        feedback: How far a move answers the state: 0 not at all, 1 as a careful operator would.

    Raises:
        ConfigError: too few rows, or feedback outside [0, 1].
    """
    checked_rows(blueprint.name, rows)
    if not 0.0 <= feedback <= 1.0:
        raise ConfigError(
            f"feedback={feedback} for plant {blueprint.name!r}; it goes from 0 (moves ignore the state) to 1."
        )
    constants, drive = parameters(blueprint, seed), draw(blueprint, rows, seed)
    obs, acts = run(blueprint, constants, drive, feedback)
    names = (*blueprint.observations, *(a.name for a in blueprint.actuators), *blueprint.exogenous)
    columns = dict(zip(names, np.hstack([obs, acts, drive.exog])[BURN:].T, strict=True))
    frame = stamped(columns, blueprint.cadence)
    actions = tuple(a.name for a in blueprint.actuators)
    return Record(
        name=blueprint.name,
        frame=frame,
        observations=blueprint.observations,
        actions=actions,
        exogenous=blueprint.exogenous,
        effects=blueprint.effects,
        moves={action: moves(columns[action]) for action in actions},
        cadence=blueprint.cadence,
        seed=seed,
        truth=Truth(frame, constants._asdict()),
    )


def checked_rows(name: str, rows: int) -> None:
    """Refuse a record too short to hold a transition."""
    if rows < 2:
        raise ConfigError(f"rows={rows} for plant {name!r}; a transition takes two rows. Ask for at least 2.")
