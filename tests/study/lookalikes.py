"""What looks like an unlogged action and is none: a driver or a state not measured, a sensor that changes.

Each is done to a clean record; the question is how often it is called a missing action, critically.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from asked import report, said
from records import changed, keys, rows_of

from tslam.plants import PLANTS, Record
from tslam.seeding import generator

__all__ = ["LOOKALIKES", "cell", "group", "wanted"]

STATES = {
    "tank": "temp_1",
    "building": "slab_temp",
    "service": "memory",
    "rotor": "bearing_temp",
    "reactor": "temp",
    "linear": "channel_0",
}
"""An observation with memory of each plant: without it the others have a cause that nobody measures."""


def unmeasured_driver(record: Record) -> Record:
    """One exogenous variable is not measured; which one changes with the seed."""
    return record.drop(record.exogenous[record.seed % len(record.exogenous)])


def unmeasured_state(record: Record) -> Record:
    """A state with memory is not measured."""
    name = STATES[record.name]
    left = tuple(c for c in record.observations if c != name)
    return replace(record, frame=record.frame.drop(name), observations=left)


def recalibrated(record: Record) -> Record:
    """From some row on one sensor reads half to two standard deviations more or less."""
    rng = generator(record.seed, "study", "recalibrated")
    values = _sensor(record).copy()
    at = int(len(values) * rng.uniform(0.2, 0.8))
    values[at:] += values.std() * rng.uniform(0.5, 2.0) * rng.choice([-1.0, 1.0])
    return changed(record, [pl.Series(_name(record), values)])


def drifting(record: Record) -> Record:
    """One sensor drifts by one to three standard deviations over the record, along a smooth path."""
    rng = generator(record.seed, "study", "drifting")
    values = _sensor(record)
    way = np.cumsum(np.cumsum(rng.standard_normal(len(values))))
    way = (way - way.min()) / np.ptp(way)
    return changed(record, [pl.Series(_name(record), values + values.std() * rng.uniform(1.0, 3.0) * way)])


def _name(record: Record) -> str:
    return record.observations[record.seed % len(record.observations)]


def _sensor(record: Record) -> np.ndarray:
    return np.asarray(record.frame[_name(record)].to_numpy(), float)


LOOKALIKES: dict[str, Callable[[Record], Record]] = {
    "unmeasured driver": unmeasured_driver,
    "unmeasured state": unmeasured_state,
    "recalibrated sensor": recalibrated,
    "drifting sensor": drifting,
}


def wanted(count: int, first: int) -> list[str]:
    """``plant/seed/lookalike``, ``count`` of each; seeds that no clean record has."""
    records = keys(count, first + 1000, tuple(PLANTS))
    return [f"{record}/{name}" for record in records for name in LOOKALIKES]


def group(key: str) -> str:
    """What is counted together."""
    return key.split("/")[2]


def cell(key: str) -> dict[str, Any]:
    """One record with something that is no action."""
    plant, seed, name = key.split("/")
    record = PLANTS[plant](rows=rows_of(int(seed)), seed=int(seed))
    return {"gaps": said(report(LOOKALIKES[name](record)))}
