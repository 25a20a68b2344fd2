"""What a simulated plant hands out: telemetry with its roles, and the truth behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self, TypedDict

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from tslam.errors import RoleError

__all__ = ["START", "TIME", "Record", "Roles", "Truth", "moves", "stamped"]

TIME = "time"
START = datetime(2024, 1, 1)  # noqa: DTZ001 - UTC without a zone, as the records say; a Monday at midnight
MICROSECONDS = 1_000_000


class Roles(TypedDict):
    """The roles of a record's columns, as keyword arguments."""

    actions: tuple[str, ...]
    exog: tuple[str, ...]
    time: str


@dataclass(frozen=True, eq=False)
class Truth:
    """What really happened.

    ``frame`` has every column, logged or not; ``parameters`` are the plant's constants as its seed
    drew them.
    """

    frame: pl.DataFrame
    parameters: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Record:
    """Telemetry of a plant whose every cause is known.

    Row t of ``frame`` holds the observations sampled at t and the inputs in force from t to t + 1:
    an input of row t is first seen in the observations of row t + 1. ``time`` counts in UTC without
    a zone. ``effects`` names the channels that an action drives directly, which are those that its
    move can change in the very next row; ``moves`` gives the rows whose action differs from the row
    before. Both keep the actions that :meth:`drop` took out of the log.
    """

    name: str
    frame: pl.DataFrame
    observations: tuple[str, ...]
    actions: tuple[str, ...]
    exogenous: tuple[str, ...]
    effects: Mapping[str, tuple[str, ...]]
    moves: Mapping[str, Int[np.ndarray, " move"]]
    cadence: float
    """Seconds from row to row."""
    seed: int
    truth: Truth

    @property
    def hidden(self) -> tuple[str, ...]:
        """Columns that happened and are not in the log."""
        return tuple(name for name in self.truth.frame.columns if name not in self.frame.columns)

    def drop(self, *inputs: str) -> Self:
        """The same history, but nobody logged these actions or measured these exogenous variables.

        Args:
            inputs: Names of logged actions or exogenous variables.

        Returns:
            A record whose frame lacks the columns; ``truth``, ``effects`` and ``moves`` keep them.

        Raises:
            RoleError: the record has no such input.
        """
        for name in inputs:
            if name not in (*self.actions, *self.exogenous):
                raise RoleError.unknown_column(name, "input to drop", (*self.actions, *self.exogenous))
        return replace(
            self,
            frame=self.frame.drop(inputs),
            actions=tuple(name for name in self.actions if name not in inputs),
            exogenous=tuple(name for name in self.exogenous if name not in inputs),
        )

    def roles(self) -> Roles:
        """Keyword arguments that tell a fit which column is what; the rest are observations."""
        return Roles(actions=self.actions, exog=self.exogenous, time=TIME)


def stamped(columns: Mapping[str, Float[np.ndarray, " rows"]], cadence: float) -> pl.DataFrame:
    """A frame of these columns behind a regular clock that starts at ``START``.

    Args:
        columns: Values by column name, all of one length.
        cadence: Seconds from row to row.
    """
    rows = len(next(iter(columns.values())))
    ticks = np.arange(rows, dtype=np.int64) * round(cadence * MICROSECONDS)
    clock = (np.datetime64(START, "us") + ticks).astype("datetime64[us]")
    return pl.DataFrame({TIME: pl.Series(clock, dtype=pl.Datetime("us")), **columns})


def moves(action: Float[np.ndarray, " rows"]) -> Int[np.ndarray, " move"]:
    """Rows whose value differs from the row before."""
    return np.flatnonzero(np.diff(action) != 0.0) + 1
