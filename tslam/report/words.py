"""Plain words: names of kinds, numbers, lists, and the one sentence that sums a report up."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from tslam.audit.gap import Findings, Gap, GapKind, Severity

__all__ = [
    "KIND_WORDS",
    "MINUS",
    "NOTHING",
    "Status",
    "joined",
    "number",
    "percent",
    "probability",
    "status",
    "verdict",
]

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

Status = Literal["critical", "warning", "info", "clean", "untested"]

KIND_WORDS: dict[GapKind, str] = {
    GapKind.MISSING_ACTION: "Missing action",
    GapKind.LOG_OUTAGE: "Log outage",
    GapKind.MISALIGNED_LOG: "Misaligned log",
    GapKind.COARSE_LOG: "Coarse log",
    GapKind.INERT_ACTION: "Inert action",
    GapKind.UNEXCITED_ACTION: "Unexcited action",
    GapKind.MISSING_EXOGENOUS: "Missing exogenous variable",
    GapKind.UNDETERMINED: "Undetermined",
}

_CLAUSES: dict[GapKind, str] = {
    GapKind.MISSING_ACTION: "Something acts on {on} like a control that no column logs",
    GapKind.LOG_OUTAGE: "The log of {column} stood still while what it records went on",
    GapKind.MISALIGNED_LOG: "The log of {column} is {late}",
    GapKind.COARSE_LOG: "The log of {column} keeps less than what was done",
    GapKind.INERT_ACTION: "The logged {column} moves and nothing follows",
    GapKind.UNEXCITED_ACTION: "The logged {column} never moves by itself, so its effect cannot be known",
    GapKind.MISSING_EXOGENOUS: "An outside disturbance that no column measures acts on {on}",
    GapKind.UNDETERMINED: "Something unlogged acts on {on}, and the data cannot tell what it is",
}


def number(value: float | None) -> str:
    """Three significant digits, no exponent where it can be helped; a dash for nothing."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.2e}".replace("-", MINUS)
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def percent(share: float | None) -> str:
    """A share as a percentage: 14%, 0.4%, a dash for nothing."""
    if share is None or not math.isfinite(share):
        return NOTHING
    points = 100 * share
    digits = 1 if 0 < abs(points) < 1 else 0
    text = f"{points:.{digits}f}".replace("-", MINUS)
    return ("0" if text.lstrip(MINUS) in {"0", "0.0"} else text) + "%"


def probability(value: float | None) -> str:
    """A p-value: never zero, a dash for nothing."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return "< 0.0001" if value < 1e-4 else number(value)


def joined(names: Sequence[str], most: int = 3) -> str:
    """Names as a list in prose, the rest counted."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def status(findings: Findings) -> Status:
    """The worst severity; without a gap, whether anything was tested."""
    if findings.gaps:
        return max((g.severity for g in findings.gaps), key=lambda s: s.rank).value
    return "clean" if findings.tested else "untested"


def verdict(findings: Findings) -> str:
    """The findings in one plain sentence."""
    if not findings.gaps:
        return _verdict_without_gaps(findings)
    worst = max(findings.gaps, key=lambda g: (g.severity.rank, g.score))
    said = _clause(worst)
    if worst.kind is GapKind.MISSING_ACTION and (share := _latent_share(findings)):
        said += f", and latents carry {share} of what happened"
    rest = Counter(g.severity for g in findings.gaps)
    rest[worst.severity] -= 1
    counts = [_count(rest[s], s) for s in (Severity.CRITICAL, Severity.WARNING, Severity.INFO) if rest[s]]
    more = f"; {joined(counts)} follow{'s' * (sum(rest.values()) == 1)}" if counts else ""
    return f"{said}{more}."


def _verdict_without_gaps(findings: Findings) -> str:
    if not findings.tested:
        return "Nothing could be tested, so nothing can be said: “Not tested” gives the reasons."
    if not findings.adequate:
        return "No gap was found, and the forward model is too weak here to call anything an action."
    questions = "question" if findings.tested == 1 else "questions"
    said = "what was logged and measured accounts for what happened"
    return f"No gap was found in {findings.tested} {questions}: {said}."


def _clause(gap: Gap) -> str:
    on = joined(gap.channels, most=3) or "the system"
    column = gap.column or "a declared column"
    return _CLAUSES[gap.kind].format(on=on, column=column, late=_lateness(gap.lag))


def _lateness(lag: int | None) -> str:
    if not lag:
        return "out of step with its effect"
    return f"{abs(lag)} step{'s' * (abs(lag) != 1)} {'late' if lag > 0 else 'early'}"


def _latent_share(findings: Findings) -> str | None:
    overall = [a for a in findings.attribution if a.channel is None and a.window is None]
    return percent(overall[0].latents.value) if overall and overall[0].latents.value > 0 else None


def _count(count: int, severity: Severity) -> str:
    if severity is Severity.CRITICAL:
        return f"{count} more critical gap{'s' * (count != 1)}"
    noun = "warning" if severity is Severity.WARNING else "note"
    return f"{count} {noun}{'s' * (count != 1)}"
