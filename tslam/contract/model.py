"""The contract: the one place that says what each column of a frame is."""

from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tslam.contract.roles import INPUT_ROLES, Kind, Role, Timing
from tslam.errors import RoleError

__all__ = ["Column", "Contract", "SeverityRule"]


class SeverityRule(BaseModel):
    """From which certainty and effect on a gap is a warning, or critical."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    warning_q: float = Field(0.05, gt=0, lt=1, description="False discovery rate below which a gap is a warning")
    warning_share: float = Field(
        0.01, ge=0, le=1, description="Least share of some channel's held-out residual variance for a warning"
    )
    critical_q: float = Field(0.01, gt=0, lt=1, description="False discovery rate below which a gap is critical")
    critical_share: float = Field(0.05, ge=0, le=1, description="Least share for a critical gap")


class Column(BaseModel):
    """One column: its role and what is known about its values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="Column name in the frame", examples=["valve_2"])
    role: Role = Field(description="What the column is to the model")
    kind: Kind | None = Field(None, description="Kind of values; None: seen from the data")
    timing: Timing = Field(Timing.AUTO, description="When an input acts (actions and exogenous variables only)")
    unit: str | None = Field(None, description="Physical unit", examples=["degC", "%"])
    dead_time: int | None = Field(
        None, ge=0, description="Longest delay, in steps, from the log to the first effect that the plant allows"
    )
    minimum: float | None = Field(None, description="Smallest value that is physically possible")
    maximum: float | None = Field(None, description="Largest value that is physically possible")
    levels: tuple[str | float, ...] | None = Field(None, description="Values that may occur, where they are few")
    period: float | None = Field(None, gt=0, description="Period of a circular quantity, in its unit", examples=[360])
    known_in_future: bool = Field(False, description="Are the values known ahead (schedules, calendars, forecasts)?")
    actuator: str | None = Field(None, description="What the action moves", examples=["pump P-101"])
    source_of_truth: str | None = Field(None, description="Where the log comes from")
    required: bool = Field(True, description="Is a frame without the column in breach of the contract?")
    description: str | None = Field(None, description="What the column is, in words")
    severity: SeverityRule | None = Field(None, description="Thresholds for this column instead of the contract's")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise RoleError(
                f"Column {self.name!r}: minimum {self.minimum} is above maximum {self.maximum}. Swap or correct them."
            )
        if self.kind is Kind.CIRCULAR and self.period is None:
            raise RoleError(f"Column {self.name!r} is circular: give its period (360 for degrees).")
        if self.timing is not Timing.AUTO and self.role not in INPUT_ROLES:
            raise RoleError(
                f"Column {self.name!r} is {self.role.value!r} and has a timing; only actions and exogenous "
                "variables act, so only they have one. Remove the timing or change the role."
            )
        return self


class Contract(BaseModel):
    """Which column is what, and on which clock.

    A name stands once; exactly one column has the role ``time``, at most one the role ``series``.

    Raises:
        RoleError: a name stands twice, there are two time or series columns, or no observation is left.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("telemetry", min_length=1, description="Name of the contract")
    version: str = Field("0.1.0", description="Version of the contract (semantic versioning)")
    columns: tuple[Column, ...] = Field(description="The columns, in the order of the frame")
    freq: str | None = Field(
        None, description="Cadence: a duration such as '10s', '5m', '1h', or a number of units of a numeric time"
    )
    timezone: str | None = Field(None, description="Time zone of the source; None where the time has none")
    severity: SeverityRule = Field(default_factory=SeverityRule, description="When a gap is a warning, or critical")
    description: str | None = Field(None, description="What the table is, in words")

    @model_validator(mode="after")
    def _one_role_each(self) -> Self:
        names = [c.name for c in self.columns]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise RoleError(f"Columns {twice} stand more than once in the contract. Give each column one role.")
        for role in (Role.TIME, Role.SERIES):
            found = self.names(role)
            if len(found) > 1:
                raise RoleError(f"Columns {list(found)} all have the role {role.value!r}; there can be one. Name it.")
        if not self.names(Role.TIME):
            raise RoleError("No column has the role 'time'. Name the time column.")
        if not self.observations:
            raise RoleError(
                "No observation is left once time, actions, exogenous variables and ignored columns are taken. "
                "Leave at least one numeric column that shows how the system responds."
            )
        return self

    def names(self, role: Role) -> tuple[str, ...]:
        """Names of the columns with one role, in order."""
        return tuple(c.name for c in self.columns if c.role is role)

    @property
    def observations(self) -> tuple[str, ...]:
        """Columns that show how the system responds."""
        return self.names(Role.OBSERVATION)

    @property
    def actions(self) -> tuple[str, ...]:
        """Columns that log what was done."""
        return self.names(Role.ACTION)

    @property
    def exogenous(self) -> tuple[str, ...]:
        """Columns that measure the outside world."""
        return self.names(Role.EXOGENOUS)

    @property
    def time(self) -> str:
        """The time column."""
        return self.names(Role.TIME)[0]

    @property
    def series(self) -> str | None:
        """The column that tells one series from another, if there are several."""
        found = self.names(Role.SERIES)
        return found[0] if found else None

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            RoleError: the contract has no such column.
        """
        for c in self.columns:
            if c.name == name:
                return c
        raise RoleError.unknown_column(name, "any", (c.name for c in self.columns))

    def rule(self, column: str | None) -> SeverityRule:
        """The thresholds that hold for a column (None: the contract's own)."""
        if column is not None and any(c.name == column for c in self.columns):
            return self.column(column).severity or self.severity
        return self.severity

    def with_columns(self, columns: Iterable[Column]) -> "Contract":
        """A copy in which the given columns take the place of their namesakes, or come last."""
        new = {c.name: c for c in columns}
        kept = [new.pop(c.name, c) for c in self.columns]
        return self.model_validate(self.model_dump() | {"columns": (*kept, *new.values())})
