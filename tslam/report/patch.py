"""What to add to the contract, as an ODCS document: columns to log, and what was found about the logged ones.

Roles are written as ``tslam.contract`` writes them. What the audit adds has the prefix ``audit``: it is
evidence for a reader, not a part of the contract that tslam reads.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tslam.audit.gap import Gap, GapKind, Severity, Stamp
from tslam.contract.odcs_words import API_VERSION, camel
from tslam.contract.odcs_write import custom, logical_type
from tslam.contract.roles import Kind, Role
from tslam.contract.yaml_document import dump
from tslam.report.clock import Clock

if TYPE_CHECKING:
    from tslam.report.facts import LatentFacts
    from tslam.report.model import GapReport

__all__ = ["document"]

_ROLES = {GapKind.MISSING_ACTION: Role.ACTION, GapKind.MISSING_EXOGENOUS: Role.EXOGENOUS}
_MOST_WINDOWS = 20


def document(report: "GapReport") -> str:
    """The patch. Gaps that are only worth knowing, or undetermined, ask for no change."""
    gaps = [g for g in report.gaps if g.severity is not Severity.INFO and g.kind is not GapKind.UNDETERMINED]
    properties = list(_properties(report, gaps))
    contract = report.contract
    table = {"name": contract.name, "logicalType": "object", "properties": properties}
    return _comment(report, len(properties)) + dump(
        {
            "apiVersion": API_VERSION,
            "kind": "DataContract",
            "id": contract.name,
            "name": contract.name,
            "version": contract.version,
            "status": "proposed",
            "schema": [table] if properties else [],
        }
    )


def _comment(report: "GapReport", count: int) -> str:
    what = f"{count} column{'s' * (count != 1)} to add or to mend" if count else "nothing to add"
    return f"# Proposed by tslam {report.tslam_version}: {what}. Merge by column name.\n"


def _properties(report: "GapReport", gaps: list[Gap]) -> Iterator[dict[str, Any]]:
    clock = Clock.of(report.data.timezone)
    taken = {column.name for column in report.contract.columns}
    mended: dict[str, list[Gap]] = {}
    for gap in gaps:
        column = _declared(gap, taken)
        if column is not None:
            mended.setdefault(column, []).append(gap)
    for column, about in mended.items():
        yield {
            "name": column,
            "logicalType": logical_type(report.contract.column(column)),
            "customProperties": [p for gap in about for p in _evidence(gap, report, clock)],
        }
    for gap in gaps:
        if gap.kind in _ROLES and _declared(gap, taken) is None:
            name = _fresh(_wanted(gap), taken)
            taken.add(name)
            yield {
                "name": name,
                "logicalType": "number",
                "description": gap.recommendation or f"Proposed: {gap.title}.",
                "customProperties": [
                    *custom({"role": _ROLES[gap.kind].value, "kind": _kind(gap, report).value}),
                    *_evidence(gap, report, clock),
                ],
            }


def _declared(gap: Gap, known: set[str]) -> str | None:
    """The declared column that the gap is about, if there is one."""
    stands = gap.substitutes_for
    named = [gap.column, stands.column if stands and stands.declared else None]
    return next((name for name in named if name in known), None)


def _wanted(gap: Gap) -> str:
    if gap.substitutes_for is not None:
        return gap.substitutes_for.column
    if gap.column is not None:
        return gap.column
    what = "unlogged_action" if gap.kind is GapKind.MISSING_ACTION else "unmeasured_cause"
    return f"{what}_on_{gap.channels[0]}" if gap.channels else what


def _fresh(wanted: str, taken: set[str]) -> str:
    name, count = wanted, 2
    while name in taken:
        name, count = f"{wanted}_{count}", count + 1
    return name


def _kind(gap: Gap, report: "GapReport") -> Kind:
    """The kind of values that the latent moves like; numbers where it does not tell."""
    seen = _latent(gap, report)
    if gap.kind is not GapKind.MISSING_ACTION or seen is None:
        return Kind.CONTINUOUS
    return Kind.EVENT if seen.pulses else Kind.ORDINAL if seen.levels else Kind.CONTINUOUS


def _latent(gap: Gap, report: "GapReport") -> "LatentFacts | None":
    return next((seen for seen in report.latents if seen.name in gap.latents[:1]), None)


def _evidence(gap: Gap, report: "GapReport", clock: Clock) -> list[dict[str, Any]]:
    said: dict[str, Any] = {
        "gap": gap.kind.value,
        "severity": gap.severity.value,
        "score": round(gap.score, 3),
    }
    if gap.latents:
        said["replaces_latents"] = list(gap.latents)
    seen = _latent(gap, report)
    if seen is not None and seen.levels:
        said["latent_levels"] = [round(level, 3) for level in seen.levels]
    if report.data.cadence:
        said["cadence"] = report.data.cadence
    if gap.substitutes_for is not None:
        said["explained_share"] = round(gap.substitutes_for.share, 3)
    if gap.channels:
        said["drives"] = list(gap.channels)
    if gap.lag is not None:
        said["lag"] = gap.lag
    if gap.series is not None:
        said["series"] = list(gap.series)
    if gap.windows:
        said["windows"] = [
            {"start": _iso(start, clock), "end": _iso(end, clock)}
            for start, end in gap.windows[:_MOST_WINDOWS]
        ]
        said["window_count"] = len(gap.windows)
    return [{"property": camel(f"audit_{word}"), "value": value} for word, value in said.items()]


def _iso(stamp: Stamp, clock: Clock) -> str | float:
    if not isinstance(stamp, datetime):
        return float(stamp)
    return (stamp.astimezone(clock.zone) if stamp.tzinfo is not None and clock.zone else stamp).isoformat()
