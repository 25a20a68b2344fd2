"""What each column of a frame is, and what its values may be: the contract."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tslam.contract.arguments import from_arguments
from tslam.contract.latents import is_latent_name, latent_names
from tslam.contract.merging import merge
from tslam.contract.model import Column, Contract, SeverityRule
from tslam.contract.roles import (
    INPUT_ROLES,
    ExogenousVariable,
    InferredLatent,
    Kind,
    LoggedAction,
    Role,
    Timing,
)

if TYPE_CHECKING:
    from tslam.contract.check import CheckResult
    from tslam.contract.odcs import read, read_with_notes

__all__ = [
    "INPUT_ROLES",
    "CheckResult",
    "Column",
    "Contract",
    "ExogenousVariable",
    "InferredLatent",
    "Kind",
    "LoggedAction",
    "Role",
    "SeverityRule",
    "Timing",
    "from_arguments",
    "is_latent_name",
    "latent_names",
    "merge",
    "read",
    "read_with_notes",
]

_LATER = {
    "CheckResult": "tslam.contract.check",
    "read": "tslam.contract.odcs",
    "read_with_notes": "tslam.contract.odcs",
}
"""Names whose modules take other libraries along: imported when they are first used."""


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
