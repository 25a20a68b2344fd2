"""What the audit says: gaps, the evidence behind them, attribution, and what was not tested."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Attribution",
    "Evidence",
    "Findings",
    "Gap",
    "GapKind",
    "LatentInfo",
    "NotTested",
    "Severity",
    "Share",
    "Stamp",
    "Substitution",
]

Stamp = datetime | float
"""A time stamp of the caller's: a datetime, or a number where time is numeric."""


class GapKind(StrEnum):
    """The kinds of gap between a contract and the system it describes."""

    MISSING_ACTION = "missing_action"
    LOG_OUTAGE = "log_outage"
    MISALIGNED_LOG = "misaligned_log"
    COARSE_LOG = "coarse_log"
    INERT_ACTION = "inert_action"
    UNEXCITED_ACTION = "unexcited_action"
    MISSING_EXOGENOUS = "missing_exogenous"
    UNDETERMINED = "undetermined"


class Severity(StrEnum):
    """How much a gap matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return ("info", "warning", "critical").index(self.value)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Evidence(_Frozen):
    """One number behind a gap, with the null or reference that it is held against."""

    name: str = Field(description="What was measured", examples=["causal_gain_t"])
    value: float | None = Field(description="The number")
    reference: float | None = Field(None, description="Its threshold, null value or reference")
    p_value: float | None = Field(
        None, description="Share of the null at least as extreme, where there is one"
    )
    reading: str = Field("", description="One sentence: what the number says")


class Substitution(_Frozen):
    """The column that a latent stands in for, and how much of the transitions it then explains."""

    column: str = Field(description="Declared or suggested column")
    declared: bool = Field(description="Is the column in the contract already?")
    share: float = Field(description="Share of the explained transitions that the latent carries")


class Gap(_Frozen):
    """One gap between what the contract says and what the system shows."""

    kind: GapKind
    severity: Severity
    column: str | None = Field(None, description="The logged column concerned")
    series: tuple[str, ...] | None = Field(None, description="Series concerned; None: all")
    latents: tuple[str, ...] = Field((), description="Latents that carry the evidence")
    channels: tuple[str, ...] = Field((), description="Observations that are driven, strongest first")
    windows: tuple[tuple[Stamp, Stamp], ...] = Field(
        (), description="When: first and last stamp, both included"
    )
    lag: int | None = Field(None, description="Steps; positive when the log is late")
    p_value: float | None = Field(None, description="Against the null of the question that found it")
    score: float = Field(0.0, description="Held-out nats per 1,000 rows that mending the gap would gain")
    substitutes_for: Substitution | None = None
    evidence: tuple[Evidence, ...] = ()
    recommendation: str = Field("", description="One sentence that a data owner can act on")

    @property
    def title(self) -> str:
        """The gap in a few words."""
        about = f" of {self.column}" if self.column else ""
        return f"{self.kind.value.replace('_', ' ')}{about}"


class NotTested(_Frozen):
    """A question that could not be asked, and why."""

    question: str
    subject: str | None = Field(None, description="Column, channel or series concerned")
    reason: str


class LatentInfo(_Frozen):
    """One inferred latent: how it behaves, and whether it has earned its place."""

    name: str
    earned: bool = Field(description="Does it improve causal, held-out prediction?")
    gain: float = Field(description="Causal held-out gain, nats per 1,000 rows")
    t_value: float = Field(description="The gain over its standard error (HAC)")
    p_value: float = Field(description="One-sided, against no gain")
    persistence: float = Field(description="AR(1) coefficient per step: near 1 is held, near 0 is white")
    channels: tuple[str, ...] = Field((), description="Observations it drives most")


class Share(_Frozen):
    """Share of one channel's transition variance, with an interval (90%)."""

    value: float
    low: float
    high: float


class Attribution(_Frozen):
    """Held-out predictive shares of one channel (None: mean of all) in one window (None: all rows).

    Shares are of E[(o_{t+1} - o_t)^2]: what each part, added in turn, takes off the held-out error. That of
    latents is cautious: a log would nearly always explain as much or more (docs/calibration.md).
    """

    channel: str | None
    window: tuple[Stamp, Stamp] | None
    history: Share
    actions: Share
    exogenous: Share
    latents: Share
    rows: int

    @property
    def unexplained(self) -> float:
        """What is left: noise, and whatever the model cannot express."""
        return 1.0 - self.history.value - self.actions.value - self.exogenous.value - self.latents.value


class Findings(_Frozen):
    """Everything the audit found; the report renders it and adds nothing."""

    gaps: tuple[Gap, ...] = Field((), description="Strongest first")
    attribution: tuple[Attribution, ...] = ()
    latents: tuple[LatentInfo, ...] = ()
    not_tested: tuple[NotTested, ...] = ()
    tested: int = Field(0, description="Questions that were asked")
    adequate: bool = Field(True, description="Is the forward model good enough to call anything an action?")
    notes: tuple[str, ...] = ()
