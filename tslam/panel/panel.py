"""A frame on its grid: one flat array per role, masked, scaled, with the way back to the caller's rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int

from tslam.contract.model import Contract
from tslam.contract.roles import Kind, Role

__all__ = ["Code", "Encoding", "Feature", "Panel", "Scaling", "Segment"]


@dataclass(frozen=True)
class Feature:
    """One numeric channel and the column it was encoded from.

    ``part`` says which: ``value`` (numbers, booleans, events), ``sin`` / ``cos`` (circular), or
    ``=level`` for one level of a category.
    """

    column: str
    part: str = "value"

    @property
    def name(self) -> str:
        """Unique name of the channel."""
        return self.column if self.part == "value" else f"{self.column}[{self.part}]"


@dataclass(frozen=True)
class Code:
    """How one column becomes channels, as learnt from the frame that a model was fitted on.

    Args:
        column: Name of the column.
        role: Its role: observation, action or exogenous.
        kind: Its kind of values, given or seen.
        levels: Levels, in order: the ones with a channel, or of an ordinal text its order.
        reference: The level without a channel (a category's most frequent one).
        period: Period of a circular quantity.
        empty: The column held nothing at all: one channel that is never measured.
    """

    column: str
    role: Role
    kind: Kind
    levels: tuple[str, ...] = ()
    reference: str | None = None
    period: float | None = None
    empty: bool = False

    @property
    def one_hot(self) -> bool:
        """Has each level a channel of its own?"""
        return bool(self.levels) and self.kind in {Kind.CATEGORICAL, Kind.EVENT}

    def features(self) -> tuple[Feature, ...]:
        """The channels, in order."""
        if self.empty:
            return (Feature(self.column),)
        if self.one_hot:
            return tuple(Feature(self.column, f"={level}") for level in self.levels)
        if self.kind is Kind.CIRCULAR:
            return (Feature(self.column, "sin"), Feature(self.column, "cos"))
        return (Feature(self.column),)


@dataclass(frozen=True)
class Encoding:
    """How every column becomes channels. A fitted model keeps it, so that new frames get its layout."""

    codes: tuple[Code, ...] = ()

    def of(self, role: Role) -> tuple[Code, ...]:
        """The codes of the columns with one role."""
        return tuple(code for code in self.codes if code.role is role)

    def features(self, role: Role) -> tuple[Feature, ...]:
        """The channels of one role, in order."""
        return tuple(feature for code in self.of(role) for feature in code.features())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "codes": [
                vars(code) | {"role": code.role.value, "kind": code.kind.value, "levels": list(code.levels)}
                for code in self.codes
            ]
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The encoding that ``to_dict`` wrote."""
        return cls(
            tuple(
                Code(
                    **dict(code)
                    | {
                        "role": Role(code["role"]),
                        "kind": Kind(code["kind"]),
                        "levels": tuple(code["levels"]),
                    }
                )
                for code in data["codes"]
            )
        )


@dataclass(frozen=True)
class Segment:
    """A stretch of grid rows ``start:stop`` of one series, unbroken but for masked rows."""

    series: int
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Scaling:
    """Means and standard deviations. Observations per series, inputs over all series."""

    series: tuple[str, ...]
    obs_mean: Float[np.ndarray, "series chan"]
    obs_sd: Float[np.ndarray, "series chan"]
    act_mean: Float[np.ndarray, " act"]
    act_sd: Float[np.ndarray, " act"]
    exog_mean: Float[np.ndarray, " exog"]
    exog_sd: Float[np.ndarray, " exog"]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; floats survive the round trip exactly."""
        arrays = {name: value.tolist() for name, value in vars(self).items() if name != "series"}
        return {"series": list(self.series), **arrays}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The scaling that ``to_dict`` wrote."""
        arrays = {name: np.asarray(value, float) for name, value in data.items() if name != "series"}
        return cls(series=tuple(data["series"]), **arrays)


@dataclass(frozen=True, eq=False)
class Panel:
    """Telemetry of one or many series on a regular grid. Nothing in it is imputed: missing is NaN.

    Rows of all segments lie behind one another; a window is an index range inside one segment.
    ``row_of`` gives the grid row of each row of the caller's frame, in the caller's order, and is
    -1 where a row of the caller's has no place on the grid. ``scaling`` has one row per series of
    ``series_names``, so ``obs * scaling.obs_sd[series_of] + scaling.obs_mean[series_of]`` is in the
    units of the frame.
    """

    contract: Contract
    obs: Float[np.ndarray, "rows chan"]
    actions: Float[np.ndarray, "rows act"]
    exog: Float[np.ndarray, "rows exog"]
    channels: tuple[str, ...]
    action_features: tuple[Feature, ...]
    exog_features: tuple[Feature, ...]
    segments: tuple[Segment, ...]
    series_names: tuple[str, ...]
    series_of: Int[np.ndarray, " rows"]
    time: np.ndarray
    """Time stamps of the grid rows: datetime64[us] in UTC (or zoneless), or float64 for numeric time.
    The caller's own stamp where a row was there, between its neighbours where none was."""
    step: float
    """Cadence: seconds, or units of the numeric time."""
    row_of: Int[np.ndarray, " input"]
    scaling: Scaling
    notes: tuple[str, ...] = ()
    """What was found and handled on the way in, one plain sentence each."""
    transferred: tuple[str, ...] = ()
    """Series that the scaling had not seen before (their own scaling was estimated here)."""
    encoding: Encoding = Encoding()
    """How columns became channels."""
    timezone: str | None = None
    """Zone of the caller's time column; None where it has none."""
    digest: str = ""
    """SHA-256 of names, stamps, series and values as they were before scaling."""

    @property
    def rows(self) -> int:
        """Number of grid rows."""
        return int(self.obs.shape[0])

    @property
    def observed(self) -> Bool[np.ndarray, "rows chan"]:
        """Where an observation was measured."""
        return np.asarray(np.isfinite(self.obs))

    def action_columns(self) -> tuple[str, ...]:
        """Logged action columns, in order, without repeats."""
        return tuple(dict.fromkeys(f.column for f in self.action_features))

    def features_of(self, column: str) -> list[int]:
        """Positions of a logged action's channels in ``actions``."""
        return [i for i, f in enumerate(self.action_features) if f.column == column]

    def stamps(self, rows: Int[np.ndarray, " n"]) -> pl.Series:
        """Time stamps of grid rows as the caller writes them: in their zone, or as numbers."""
        stamps = pl.Series(self.contract.time, self.time[rows])
        if self.timezone is None:
            return stamps
        return stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(self.timezone)
