"""tslam: latent action models for telemetry. What acted on your system that nobody logged?

>>> import tslam
>>> model = tslam.fit(df, actions=["pump_1", "valve_2"], exog=["ambient"])  # doctest: +SKIP
>>> report = model.audit(df)  # doctest: +SKIP
>>> report.gaps  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tslam.align.alignment import Alignment
    from tslam.align.certificate import Certificate, Experiment
    from tslam.align.labels import Label
    from tslam.audit.gap import Gap, GapKind, Severity
    from tslam.config import FitConfig
    from tslam.contract import Column, Contract
    from tslam.contract.event import ActionEvent
    from tslam.contract.event_columns import events_to_columns
    from tslam.fitting import fit, load
    from tslam.model import LatentActionModel
    from tslam.plan.dials import Limits
    from tslam.plan.guard import Override
    from tslam.report.model import GapReport

__all__ = [
    "ActionEvent",
    "Alignment",
    "Certificate",
    "Column",
    "Contract",
    "Experiment",
    "FitConfig",
    "Gap",
    "GapKind",
    "GapReport",
    "Label",
    "LatentActionModel",
    "Limits",
    "Override",
    "Severity",
    "errors",
    "events_to_columns",
    "fit",
    "load",
    "plants",
]

_HOMES = {
    "ActionEvent": "tslam.contract.event",
    "Alignment": "tslam.align.alignment",
    "Certificate": "tslam.align.certificate",
    "Experiment": "tslam.align.certificate",
    "Label": "tslam.align.labels",
    "Limits": "tslam.plan.dials",
    "Override": "tslam.plan.guard",
    "Column": "tslam.contract",
    "Contract": "tslam.contract",
    "FitConfig": "tslam.config",
    "Gap": "tslam.audit.gap",
    "GapKind": "tslam.audit.gap",
    "GapReport": "tslam.report.model",
    "LatentActionModel": "tslam.model",
    "Severity": "tslam.audit.gap",
    "events_to_columns": "tslam.contract.event_columns",
    "fit": "tslam.fitting",
    "load": "tslam.fitting",
}


def __getattr__(name: str) -> Any:
    """Names load the room they live in when they are first used: ``import tslam`` stays light (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in {"errors", "plants"}:
        return import_module(f"tslam.{name}")
    raise AttributeError(f"module 'tslam' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
