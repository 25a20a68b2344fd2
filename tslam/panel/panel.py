"""A frame on its grid: one flat array per role, masked, scaled, with the way back to the caller's rows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.contract.model import Contract

__all__ = ["Feature", "Panel", "Scaling", "Segment"]


@dataclass(frozen=True)
class Feature:
    """One numeric input channel and the column it was encoded from.

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


@dataclass(frozen=True, eq=False)
class Panel:
    """Telemetry of one or many series on a regular grid. Nothing in it is imputed: missing is NaN.

    Rows of all segments lie behind one another; a window is an index range inside one segment.
    ``row_of`` gives the grid row of each row of the caller's frame, in the caller's order, and is
    -1 where a row of the caller's has no place on the grid.
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
    """Time stamps of the grid rows: datetime64[us] in UTC (or zoneless), or float64 for numeric time."""
    step: float
    """Cadence: seconds, or units of the numeric time."""
    row_of: Int[np.ndarray, " input"]
    scaling: Scaling
    notes: tuple[str, ...] = ()
    """What was found and handled on the way in, one plain sentence each."""
    transferred: tuple[str, ...] = ()
    """Series that the scaling had not seen before (their own scaling was estimated here)."""

    @property
    def rows(self) -> int:
        """Number of grid rows."""
        return int(self.obs.shape[0])

    @property
    def observed(self) -> Bool[np.ndarray, "rows chan"]:
        """Where an observation was measured."""
        return np.isfinite(self.obs)

    def action_columns(self) -> tuple[str, ...]:
        """Logged action columns, in order, without repeats."""
        return tuple(dict.fromkeys(f.column for f in self.action_features))

    def features_of(self, column: str) -> list[int]:
        """Positions of a logged action's channels in ``actions``."""
        return [i for i, f in enumerate(self.action_features) if f.column == column]
