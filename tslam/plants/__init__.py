"""Simulated plants whose every cause is known: for the demo, the docs and the tests.

Each takes ``rows`` and ``seed``; another seed is another plant of the kind.
"""

from collections.abc import Callable
from difflib import get_close_matches

from tslam.errors import ConfigError
from tslam.plants.building import building
from tslam.plants.linear import LinearTruth, linear
from tslam.plants.plant import Record, Roles, Truth
from tslam.plants.reactor import reactor
from tslam.plants.rotor import rotor
from tslam.plants.service import service
from tslam.plants.shares import LinearShares, linear_shares
from tslam.plants.tank import tank

__all__ = [
    "PLANTS",
    "LinearShares",
    "LinearTruth",
    "Record",
    "Roles",
    "Truth",
    "building",
    "linear",
    "linear_shares",
    "reactor",
    "rotor",
    "service",
    "simulate",
    "tank",
]

PLANTS: dict[str, Callable[..., Record]] = {
    "tank": tank,
    "building": building,
    "service": service,
    "rotor": rotor,
    "reactor": reactor,
    "linear": linear,
}
"""The plants by name."""


def simulate(name: str, rows: int = 4000, seed: int = 0) -> Record:
    """Run the plant of that name as it comes.

    Raises:
        ConfigError: there is no such plant.
    """
    if name not in PLANTS:
        close = get_close_matches(name, PLANTS, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Ask for one of {list(PLANTS)}."
        raise ConfigError(f"There is no plant {name!r}. {hint}")
    return PLANTS[name](rows=rows, seed=seed)
