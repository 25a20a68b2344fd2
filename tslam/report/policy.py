"""What fails a pipeline: thresholds, and gaps that somebody accepted, with a reason and until a day."""

import tomllib
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tslam.audit.gap import Gap, GapKind, Severity
from tslam.contract.model import Contract, SeverityRule
from tslam.errors import ConfigError

__all__ = ["Acceptance", "Policy", "Thresholds", "Verdict"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Acceptance(_Frozen):
    """A gap that is known and borne: by whom, why, and until when."""

    kind: GapKind = Field(description="Kind of the gap")
    column: str | None = Field(None, description="Column that the gap is about, or that it suggests")
    channels: tuple[str, ...] = Field((), description="Observations, one of which the gap drives most")
    owner: str = Field(min_length=1, description="Who answers for it")
    reason: str = Field(min_length=1, description="Why it is borne")
    expires: date = Field(description="Last day on which it is; from the next on the gap counts again")

    @model_validator(mode="after")
    def _names_a_gap(self) -> Self:
        if self.column is None and not self.channels:
            raise ValueError("say which gap: give its column or its channels")
        return self

    def covers(self, gap: Gap) -> bool:
        """Is this the gap that is accepted?"""
        stands_for = gap.substitutes_for.column if gap.substitutes_for else None
        if gap.kind is not self.kind or (self.column and self.column not in (gap.column, stands_for)):
            return False
        return not self.channels or bool(gap.channels and gap.channels[0] in self.channels)

    def __str__(self) -> str:
        """Who accepted the gap, until when and why."""
        return f"accepted by {self.owner} until {self.expires.isoformat()}: {self.reason}"


class Verdict(_Frozen):
    """What a policy says about the gaps of one report, by their position in it."""

    accepted: dict[int, Acceptance] = Field(description="Gaps that do not count")
    expired: dict[int, Acceptance] = Field(description="Gaps that count again, since nobody renewed")


class Thresholds(_Frozen):
    """From which certainty and effect on a gap is a warning, or critical; None: as the contract says."""

    warning_q: float | None = Field(
        None, gt=0, lt=1, description="False discovery rate below which a gap is a warning"
    )
    warning_share: float | None = Field(
        None, ge=0, le=1, description="Least share of some channel's held-out residual variance for a warning"
    )
    critical_q: float | None = Field(
        None, gt=0, lt=1, description="False discovery rate below which a gap is critical"
    )
    critical_share: float | None = Field(None, ge=0, le=1, description="Least share for a critical gap")

    def over(self, rule: SeverityRule) -> SeverityRule:
        """The contract's rule with what is said here in its place."""
        return SeverityRule(**(rule.model_dump() | self.model_dump(exclude_none=True)))


class Policy(_Frozen):
    """When an audit fails."""

    fail_on: Severity = Field(Severity.CRITICAL, description="Least severity that fails")
    severity: Thresholds = Field(Thresholds(), description="Thresholds in place of the contract's")
    columns: dict[str, Thresholds] = Field({}, description="The same for gaps of single columns")
    accept: tuple[Acceptance, ...] = Field((), description="Gaps that are known and borne")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a policy from a TOML file.

        Raises:
            ConfigError: the file is not there, is not TOML (with line and column), or says what cannot be.
        """
        try:
            said = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except UnicodeDecodeError as found:
            raise ConfigError(f"{path} is not UTF-8 text (byte {found.start}). Save it as UTF-8.") from found
        except tomllib.TOMLDecodeError as found:
            raise ConfigError(f"{path}: not TOML: {found}. Mend the text.") from found
        except (OSError, ValueError) as found:
            raise ConfigError(f"{str(path)!r} cannot be read: {found}. Give the path of a policy.") from found
        try:
            return cls.model_validate(said)
        except ValidationError as found:
            raise ConfigError(f"{path} is no policy: {_told(found)}. Correct these fields.") from found

    def over(self, contract: Contract) -> Contract:
        """The contract with these thresholds in place of its own; a column's own stay unless named here.

        Raises:
            ConfigError: the policy names a column that the contract does not have.
        """
        known = {column.name: column for column in contract.columns}
        unknown = [name for name in self.columns if name not in known]
        if unknown:
            close = get_close_matches(unknown[0], known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"The columns are {list(known)}."
            raise ConfigError(
                f"The policy has thresholds for the column {unknown[0]!r}, which is not there. {hint}"
            )
        whole = self.severity.over(contract.severity)
        judged = contract.model_copy(update={"severity": whole})
        named = [
            known[name].model_copy(update={"severity": own.over(known[name].severity or whole)})
            for name, own in self.columns.items()
        ]
        return judged.with_columns(named) if named else judged

    def judge(self, gaps: list[Gap], today: date) -> Verdict:
        """Which gaps are accepted today, and whose acceptance has expired."""
        accepted: dict[int, Acceptance] = {}
        expired: dict[int, Acceptance] = {}
        for position, gap in enumerate(gaps):
            for acceptance in (a for a in self.accept if a.covers(gap)):
                (accepted if today <= acceptance.expires else expired)[position] = acceptance
        return Verdict(accepted=accepted, expired={k: v for k, v in expired.items() if k not in accepted})


def _told(found: ValidationError) -> str:
    details: list[Any] = found.errors(include_url=False)
    return "; ".join(f"{'.'.join(map(str, d['loc'])) or 'the whole'}: {d['msg']}" for d in details)
