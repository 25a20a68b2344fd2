"""The contract: the one place that says what each column of a frame is."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, FiniteFloat, PrivateAttr, model_validator

from tslam.contract.frozen import Frozen
from tslam.contract.latents import is_latent_name, is_read_name
from tslam.contract.roles import INPUT_ROLES, ExogenousVariable, Kind, LoggedAction, Role, Timing
from tslam.contract.units import contradiction
from tslam.errors import RoleError

if TYPE_CHECKING:
    import pyarrow as pa

    from tslam.contract.check import CheckResult
    from tslam.contract.diff import ContractDiff

__all__ = ["Column", "Contract", "SeverityRule"]


class SeverityRule(Frozen):
    """From which certainty and effect on a gap is a warning, or critical."""

    warning_q: float = Field(
        0.05, gt=0, lt=1, description="False discovery rate below which a gap is a warning"
    )
    warning_share: float = Field(
        0.01, ge=0, le=1, description="Least share of some channel's held-out residual variance for a warning"
    )
    critical_q: float = Field(
        0.01, gt=0, lt=1, description="False discovery rate below which a gap is critical"
    )
    critical_share: float = Field(0.05, ge=0, le=1, description="Least share for a critical gap")


class Column(Frozen):
    """One column: its role and what is known about its values.

    Raises:
        RoleError: what is said about the column does not hold together.
    """

    name: str = Field(min_length=1, description="Column name in the frame", examples=["valve_2"])
    role: Role = Field(description="What the column is to the model")
    kind: Kind | None = Field(None, description="Kind of values; None: seen from the data")
    timing: Timing = Field(
        Timing.AUTO, description="When an input acts (actions and exogenous variables only)"
    )
    unit: str | None = Field(None, description="Physical unit", examples=["degC", "%"])
    dead_time: int | None = Field(
        None,
        ge=0,
        description="Longest delay, in steps, from the log to the first effect that the plant allows",
    )
    minimum: FiniteFloat | None = Field(None, description="Smallest value that is physically possible")
    maximum: FiniteFloat | None = Field(None, description="Largest value that is physically possible")
    max_rate: FiniteFloat | None = Field(
        None, gt=0, description="Largest change of an action from one row to the next that is allowed"
    )
    min_dwell: int | None = Field(None, ge=1, description="Fewest rows between two moves of an action")
    move_cost: FiniteFloat | None = Field(
        None, ge=0, description="Cost of moving an action through its whole range, for plans"
    )
    levels: tuple[str | FiniteFloat, ...] | None = Field(
        None, description="Values that may occur, where they are few"
    )
    period: FiniteFloat | None = Field(
        None, gt=0, description="Period of a circular quantity, in its unit", examples=[360]
    )
    known_in_future: bool = Field(
        False, description="Are the values known ahead (schedules, calendars, forecasts)?"
    )
    actuator: str | None = Field(None, description="What the action moves", examples=["pump P-101"])
    source_of_truth: str | None = Field(None, description="Where the log comes from")
    required: bool = Field(True, description="Is a frame without the column in breach of the contract?")
    description: str | None = Field(None, description="What the column is, in words")
    severity: SeverityRule | None = Field(
        None, description="Thresholds for this column instead of the contract's"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise RoleError(
                f"Column {self.name!r}: minimum {self.minimum} is above maximum {self.maximum}. Swap or "
                "correct them."
            )
        if (wrong := contradiction(self.unit, self.minimum, self.maximum)) is not None:
            raise RoleError(f"Column {self.name!r}: {wrong}. Correct the unit or the range.")
        if self.levels is not None and len(set(self.levels)) < max(1, len(self.levels)):
            raise RoleError(
                f"Column {self.name!r} has the levels {list(self.levels)}. Name each level once, at least "
                "one, or leave levels away."
            )
        if self.kind is Kind.CIRCULAR and self.period is None:
            raise RoleError(f"Column {self.name!r} is circular: give its period (360 for degrees).")
        if self.timing is not Timing.AUTO and self.role not in INPUT_ROLES:
            raise RoleError(
                f"Column {self.name!r} is {self.role.value!r} and has a timing; only actions and exogenous "
                "variables act, so only they have one. Remove the timing or change the role."
            )
        return self


class Contract(Frozen):
    """Which column is what, and on which clock.

    A name stands once; exactly one column has the role ``time``, at most one the role ``series``.
    Inferred latents are not columns of the measured table, and no other column carries their names.

    Raises:
        RoleError: a name stands twice, there are two time or series columns, no observation is left, or a
            column is, or is called like, an inferred latent.
    """

    name: str = Field("telemetry", min_length=1, description="Name of the contract")
    version: str = Field("0.1.0", description="Version of the contract (semantic versioning)")
    columns: tuple[Column, ...] = Field(description="The columns, in the order of the frame")
    freq: str | None = Field(
        None,
        description="Cadence: a duration such as '10s', '5m', '1h', or a number of units of a numeric time",
    )
    timezone: str | None = Field(None, description="Time zone of the source; None where the time has none")
    severity: SeverityRule = Field(
        default_factory=SeverityRule, description="When a gap is a warning, or critical"
    )
    description: str | None = Field(None, description="What the table is, in words")
    _document: tuple[str, str | None] | None = PrivateAttr(None)

    def __eq__(self, other: object) -> bool:
        """Two contracts are equal that say the same, wherever they were read."""
        return isinstance(other, Contract) and self.__dict__ == other.__dict__

    __hash__ = Frozen.__hash__

    @model_validator(mode="after")
    def _one_role_each(self) -> Self:
        names = [c.name for c in self.columns]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise RoleError(
                f"Columns {twice} stand more than once in the contract. Give each column one role."
            )
        for role in (Role.TIME, Role.SERIES):
            found = self.names(role)
            if len(found) > 1:
                raise RoleError(
                    f"Columns {list(found)} all have the role {role.value!r}; there can be one. Name it."
                )
        if self.names(Role.LATENT):
            raise RoleError(
                f"Columns {list(self.names(Role.LATENT))} have the role 'latent'. Latents are inferred and "
                "stand in a table of their own, never among the measured columns. Remove them."
            )
        reserved = [c.name for c in self.columns if is_latent_name(c.name) and c.role is not Role.IGNORE]
        if reserved:
            raise RoleError(
                f"Columns {reserved} are called like inferred latents; the names latent_0, latent_1, ... are "
                "reserved for those. Rename the columns, or ignore them."
            )
        if read := [name for name in self.names(Role.ACTION) if is_read_name(name)]:
            raise RoleError(
                f"Actions {read} are called like actions that a model read out of a record; nobody logged "
                "those, and nobody can set them. Leave them out, or plan through a certificate (model.align)."
            )
        if not self.names(Role.TIME):
            raise RoleError("No column has the role 'time'. Name the time column.")
        if not self.observations:
            raise RoleError(
                "No observation is left once time, actions, exogenous variables and ignored columns are "
                "taken. Leave at least one numeric column that shows how the system responds."
            )
        return self

    def names(self, role: Role) -> tuple[str, ...]:
        """Names of the columns with one role, in order."""
        return tuple(c.name for c in self.columns if c.role is role)

    @property
    def document(self) -> tuple[str, str | None] | None:
        """Text of the ODCS document that the contract was read from, and the table that was asked for."""
        return self._document

    @property
    def observations(self) -> tuple[str, ...]:
        """Columns that show how the system responds."""
        return self.names(Role.OBSERVATION)

    @property
    def actions(self) -> tuple[LoggedAction, ...]:
        """Columns that log what was done."""
        return tuple(LoggedAction(name) for name in self.names(Role.ACTION))

    @property
    def exogenous(self) -> tuple[ExogenousVariable, ...]:
        """Columns that measure the outside world."""
        return tuple(ExogenousVariable(name) for name in self.names(Role.EXOGENOUS))

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
        grown = self.model_validate(self.model_dump() | {"columns": (*kept, *new.values())})
        return grown if self._document is None else grown.read_from(*self._document)

    def read_from(self, text: str, table: str | None = None) -> Self:
        """A copy that remembers the document it is written in, which ``to_odcs`` changes and keeps.

        Args:
            text: an ODCS document.
            table: name of the schema object, where the document has several.
        """
        copy = self.model_copy()
        copy._document = text, table  # noqa: SLF001 - a copy of this class
        return copy

    @classmethod
    def from_odcs(cls, path_or_text: str | Path, *, table: str | None = None) -> "Contract":
        """The contract in an Open Data Contract Standard document (v3).

        Args:
            path_or_text: path of a YAML (or JSON) file, or its text.
            table: name of the schema object, where the document has several.

        Raises:
            ContractError: the document cannot be read, or says what cannot be.
        """
        from tslam.contract.odcs import read  # noqa: PLC0415 - YAML is loaded when a file is read, not before

        return read(path_or_text, table=table)

    def to_odcs(
        self, path: str | Path | None = None, *, latents: Iterable[str] = (), version: str | None = None
    ) -> str:
        """The contract as an Open Data Contract Standard document (v3.1.0 unless it was read from another).

        A contract that was read from a document is written into that: keys and properties that tslam does
        not know, other tables and comments stay.

        Args:
            path: file to write, if any; it is replaced in one step.
            latents: names of inferred latents to describe, in a schema object of their own.
            version: version of the standard, ``"v3.1.0"`` or ``"v3.2.0"``.

        Returns:
            The YAML text.
        """
        from tslam.contract.odcs import write  # noqa: PLC0415 - YAML is loaded when a file is written

        return write(self, path, latents=latents, version=version)

    def diff(self, other: "Contract") -> "ContractDiff":
        """What changes when ``other`` takes this contract's place, and what of it breaks data or models."""
        from tslam.contract.diff import diff  # noqa: PLC0415 - that module imports this one

        return diff(self, other)

    def apply(self, patch: str | Path, *, rename: Mapping[str, str] | None = None) -> "Contract":
        """The contract with an audit's patch applied, and a new minor version.

        Args:
            patch: path or text of what ``GapReport.contract_patch`` wrote.
            rename: better names for columns that the patch adds.

        Raises:
            ContractError: the patch cannot be read, or adds a column without a role.
            RoleError: the columns do not go together.
        """
        from tslam.contract.patching import apply  # noqa: PLC0415 - YAML is loaded when a file is patched

        return apply(self, patch, rename)

    def check(self, frame: Any) -> "CheckResult":
        """Hold a frame against the contract: every failure, with its row and value.

        Args:
            frame: polars or pandas frame, Arrow table, LazyFrame, or a path or glob of Parquet files (the
                last two are read a column at a time).
        """
        from tslam.contract.check import check  # noqa: PLC0415 - pandera takes most of a second to import

        return check(frame, self)

    def to_arrow(self, frame: Any) -> "pa.Table":
        """A frame as an Arrow table whose field metadata say what each column is (``tslam.role``).

        Args:
            frame: polars or pandas frame, LazyFrame (collected) or Arrow table: measured columns, or the time
                and nothing but latents.

        Raises:
            RoleError: a measured column holds an inferred latent, or latents stand among measured columns.
            FrameError: this is not a frame.
        """
        from tslam.contract.arrow import to_arrow  # noqa: PLC0415 - that module imports this one

        return to_arrow(self, frame)

    def write_parquet(self, frame: Any, path: str | Path) -> None:
        """Write a frame as ``to_arrow`` makes it to a Parquet file, whole or not at all.

        Raises:
            ContractError: the file cannot be written.
        """
        from tslam.contract.arrow import write_parquet  # noqa: PLC0415 - that module imports this one

        write_parquet(self, frame, path)

    @classmethod
    def infer(cls, frame: Any, *, time: str | None = None) -> "tuple[Contract, dict[str, str]]":
        """A draft of a contract for a frame, and the reason for each column's role.

        Args:
            frame: polars or pandas frame, LazyFrame (collected), or anything narwhals reads.
            time: the time column, where several could be it.

        Raises:
            RoleError: there is no time column, or no observation is left.
        """
        from tslam.contract.infer import infer  # noqa: PLC0415 - that module imports this one

        return infer(frame, time=time)
