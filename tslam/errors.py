"""Everything tslam raises on purpose: what was found, what was expected, what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "AlignmentError",
    "ArtifactError",
    "CadenceError",
    "ConfigError",
    "ContractError",
    "FrameError",
    "PlanError",
    "RoleError",
    "TrackingError",
    "TrainingError",
    "TslamError",
    "UnvalidatedLatentError",
]


class TslamError(ValueError):
    """Base of every error that tslam raises on purpose."""


class ContractError(TslamError):
    """A contract cannot be read, or a frame does not meet it."""


class RoleError(TslamError):
    """Columns and roles do not fit together: unknown, overlapping, or none left."""

    @classmethod
    def unknown_column(cls, name: str, role: str, available: Iterable[str]) -> "RoleError":
        """A column was given a role and is not in the frame."""
        names = list(available)
        close = get_close_matches(name, names, n=3, cutoff=0.6)
        hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"The frame has {names}."
        return cls(f"Column {name!r} was given the role {role!r} and is not in the frame. {hint}")


class FrameError(TslamError):
    """The values of a frame cannot be used as they are."""


class CadenceError(FrameError):
    """The time column is not a usable clock: duplicates, no order, no common step."""


class ConfigError(TslamError):
    """A configuration contradicts itself or the data."""


class TrainingError(TslamError):
    """A fit did not arrive at finite numbers."""


class ArtifactError(TslamError):
    """A saved model cannot be read or written."""


class TrackingError(TslamError):
    """The experiment store did not take what was sent."""


class AlignmentError(TslamError):
    """Labels cannot be used as they are: outside the data, contradicting, or too few."""


class UnvalidatedLatentError(TslamError):
    """A latent was to be acted on, and no valid certificate covers it."""


class PlanError(TslamError):
    """A goal or a limit that no plan can meet."""
