"""Clean records of many kinds: the library's own plants as they come, and as telemetry often is."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from tslam.plants import Record, building, linear, reactor, rotor, service, tank
from tslam.seeding import generator

FIRST_SEED = 320_000
"""Seeds of the page begin here: no test and no threshold was looked at on them."""

Make = Callable[[int, int], Record]
"""From rows and seed to a record."""


def changed(record: Record, columns: list[pl.Series]) -> Record:
    """The record with some columns of its frame replaced."""
    return replace(record, frame=record.frame.with_columns(columns))


def quantised(record: Record, levels: int = 60) -> Record:
    """Sensors of so many levels within the range of the record."""
    columns = []
    for name in record.observations:
        values = record.frame[name].to_numpy()
        step = float(np.ptp(values)) / levels
        columns.append(pl.Series(name, np.round(values / step) * step))
    return changed(record, columns)


def holed(record: Record, share: float = 0.03) -> Record:
    """Samples of observations that are missing, each by chance."""
    rng = generator(record.seed, "study", "holes")
    columns = []
    for name in record.observations:
        values = record.frame[name].to_numpy().copy()
        values[rng.random(len(values)) < share] = np.nan
        columns.append(pl.Series(name, values).fill_nan(None))
    return changed(record, columns)


def noisy(record: Record, share: float = 0.1) -> Record:
    """More reading error, heavy-tailed (Student, 4 degrees), a share of each channel's spread."""
    rng = generator(record.seed, "study", "noise")
    columns = []
    for name in record.observations:
        values = record.frame[name].to_numpy()
        error = rng.standard_t(4.0, len(values)) / np.sqrt(2.0)
        columns.append(pl.Series(name, values + share * values.std() * error))
    return changed(record, columns)


def delayed(record: Record, steps: int = 3) -> Record:
    """The same plant with dead time: every effect comes so many rows later after its log."""
    frame = record.frame
    acts = [frame[name].slice(steps) for name in record.actions]
    return replace(record, frame=frame.head(frame.height - steps).with_columns(acts))


def mixed(rows: int, seed: int, **settings: float) -> Record:
    """A linear plant of six channels."""
    return linear(rows, seed, d=6, exog=2, **settings)


KINDS: dict[str, Make] = {
    "tank": tank,
    "building": building,
    "service": service,
    "rotor": rotor,
    "reactor": reactor,
    "linear": linear,
    "tank, feedback": lambda rows, seed: tank(rows, seed, feedback=0.7),
    "building, feedback": lambda rows, seed: building(rows, seed, feedback=0.7),
    "service, feedback": lambda rows, seed: service(rows, seed, feedback=0.7),
    "linear, sensor noise": lambda rows, seed: mixed(rows, seed, sensor=0.5),
    "rotor, heavy-tailed noise": lambda rows, seed: noisy(rotor(rows, seed)),
    "linear, dead time": lambda rows, seed: delayed(mixed(rows, seed)),
    "tank, dead time": lambda rows, seed: delayed(tank(rows, seed)),
    "reactor, quantised": lambda rows, seed: quantised(reactor(rows, seed)),
    "building, missing samples": lambda rows, seed: holed(building(rows, seed)),
    "linear, short": lambda _, seed: mixed(800, seed),
    "tank, short": lambda _, seed: tank(1000, seed),
}
"""Kinds of clean record by name."""


def rows_of(seed: int) -> int:
    """1,500 to 3,000 rows, by seed."""
    return 1500 + 500 * (seed % 4)


def keys(count: int, first: int, kinds: tuple[str, ...] = tuple(KINDS)) -> list[str]:
    """``kind/seed`` of so many records, the kinds by turns, seeds from ``first`` on."""
    return [f"{kinds[i % len(kinds)]}/{first + i // len(kinds)}" for i in range(count)]


def record_of(key: str) -> Record:
    """The clean record of a key."""
    kind, seed = key.split("/")[:2]
    return KINDS[kind](rows_of(int(seed)), int(seed))
