"""The audit of a record through the public door, told in a few fields."""

from collections.abc import Callable, Iterable
from typing import Any

import tslam
from tslam.plants import Record
from tslam.report import GapReport

FAMILY = "linear"
"""The audit lays its own ground; of the fit it takes the timing and the latents' names."""


def report(record: Record, **roles: Any) -> GapReport:
    """Fit and audit, as a user would."""
    model = tslam.fit(record.frame, **(dict(record.roles()) | roles), config=FAMILY, progress=False)
    return model.audit(record.frame)


def said(found: GapReport) -> list[dict[str, Any]]:
    """The gaps, as far as the study looks at them."""
    return [
        {
            "kind": gap.kind.value,
            "severity": gap.severity.value,
            "column": gap.column,
            "p": gap.p_value,
            "score": round(gap.score, 3),
            "stands_for": None if gap.substitutes_for is None else gap.substitutes_for.column,
            "evidence": {e.name: e.value for e in gap.evidence},
        }
        for gap in found.gaps
    ]


def alarms(gaps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those at warning or above."""
    return [g for g in gaps if g["severity"] != "info"]


def critical_action(gaps: list[dict[str, Any]]) -> bool:
    """Is an action called missing, with the highest severity?"""
    return any(g["kind"] == "missing_action" and g["severity"] == "critical" for g in gaps)


def tally(group: Callable[[str], str], cells: Iterable[dict[str, Any]]) -> dict[str, list[int]]:
    """Per group of keys: records, those with any alarm, those with a missing action called critical."""
    out: dict[str, list[int]] = {}
    for cell in cells:
        for name in (group(cell["key"]), "all"):
            counts = out.setdefault(name, [0, 0, 0])
            counts[0] += 1
            counts[1] += bool(alarms(cell["gaps"]))
            counts[2] += critical_action(cell["gaps"])
    if out:
        out["all"] = out.pop("all")  # sums stand last
    return out
