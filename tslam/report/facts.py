"""What the report states about data and model, beside the findings: typed facts, no rendering."""

from pydantic import BaseModel, ConfigDict, Field

from tslam.audit.gap import Stamp
from tslam.contract.roles import Kind, Role, Timing

__all__ = ["ChannelSkill", "ColumnFacts", "DataFacts", "LatentFacts", "ModelFacts", "Timeline", "Track"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ColumnFacts(_Frozen):
    """One column: the role it was given, and what was seen in it."""

    name: str
    role: Role = Field(description="What the column is to the model")
    kind: Kind | None = Field(None, description="Kind of values, where the contract states it")
    timing: Timing | None = Field(None, description="When an input acts; None for anything that is no input")
    unit: str | None = None
    missing: float | None = Field(
        None, description="Share of grid rows without a value; None: not in the data"
    )
    low: float | None = Field(None, description="Smallest value")
    high: float | None = Field(None, description="Largest value")
    moves: int | None = Field(None, description="Times that a logged action changed its value")


class DataFacts(_Frozen):
    """The telemetry that the report speaks of."""

    rows: int = Field(description="Rows of the caller's frame")
    grid_rows: int = Field(description="Rows of the regular grid, masked ones included")
    series: tuple[str, ...] = Field((), description="Names of the series")
    segments: int = Field(1, description="Unbroken stretches")
    start: Stamp | None = Field(None, description="First stamp")
    end: Stamp | None = Field(None, description="Last stamp")
    timezone: str | None = Field(None, description="Time zone in which times are shown")
    cadence: str = Field("", description="Step of the grid, in words", examples=["10 s"])
    channels: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    exogenous: tuple[str, ...] = ()
    columns: tuple[ColumnFacts, ...] = Field((), description="The role table")
    missing: float = Field(0.0, description="Share of observation cells without a value")
    carried: float = Field(0.0, description="Share of regressor cells that hold an older value, or the mean")
    digest: str = Field("", description="SHA-256 of the data, hexadecimal")
    transferred: tuple[str, ...] = Field((), description="Series that the model had not seen")
    notes: tuple[str, ...] = Field((), description="What was found and handled on the way in")


class ChannelSkill(_Frozen):
    """Held-out one-step skill of one channel: 1 - error / error of persistence."""

    channel: str
    skill: float = Field(description="1 is perfect, 0 is no better than the last value")
    without_actions: float | None = Field(None, description="The same without the logged actions")


class ModelFacts(_Frozen):
    """The model behind the findings, and why it was chosen."""

    family: str = Field(examples=["held"])
    lags: int = Field(description="Past samples that the forward model sees")
    latents: int = Field(description="Number of latent actions")
    seed: int = 0
    trace: tuple[str, ...] = Field((), description="What was tried and why, one sentence each")
    skill: tuple[ChannelSkill, ...] = ()


class LatentFacts(_Frozen):
    """One latent: how it was seen to move, in its own scale, which has no unit."""

    name: str
    levels: tuple[float, ...] | None = Field(
        None, description="Levels that it holds; None: graded, or too unsure to tell them apart"
    )
    pulses: bool = Field(False, description="Does it leave its usual value only briefly, and to one side?")


class Track(_Frozen):
    """One line of the timeline. A value of None breaks the line."""

    name: str
    role: Role
    series: str | None = Field(None, description="The series; None where there is only one")
    unit: str | None = None
    levels: tuple[str, ...] | None = Field(None, description="Labels of a category: value i means levels[i]")
    times: tuple[Stamp, ...]
    values: tuple[float | None, ...]
    thinned: bool = Field(False, description="Are only the extremes of each stretch kept?")


class Timeline(_Frozen):
    """Latents against logged actions, thinned for drawing."""

    tracks: tuple[Track, ...] = ()
    left_out: tuple[str, ...] = Field((), description="Series, actions and channels that are not drawn")
