"""The report as JUnit XML, which CI systems show as test results."""

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tslam.audit.gap import Gap, NotTested, Severity
from tslam.report.clock import Clock
from tslam.report.policy import Verdict
from tslam.report.words import KIND_WORDS, joined, number, probability

if TYPE_CHECKING:
    from tslam.report.model import GapReport

__all__ = ["document"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(report: "GapReport", fail_on: Severity, verdict: Verdict | None = None) -> str:
    """One case for the audit, one per gap (failed from ``fail_on`` on), one skipped per open question."""
    clock = Clock.of(report.data.timezone)
    judged = verdict or Verdict(accepted={}, expired={})
    name = f"{report.contract.name} {report.contract.version}"
    cases = [
        _audit(report),
        *(_gap(i, gap, fail_on, clock, judged) for i, gap in enumerate(report.gaps)),
        *(_skipped(question) for question in report.findings.not_tested),
    ]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    root = _element("testsuites", name="tslam", **counts)
    suite = ET.SubElement(root, "testsuite", _clean({"name": name, **counts}))
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(report).items():
        ET.SubElement(properties, "property", _clean({"name": key, "value": value}))
    suite.extend(cases)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _properties(report: "GapReport") -> dict[str, str]:
    return {
        "tslam.version": report.tslam_version,
        "tslam.schema": report.schema_version,
        "data.sha256": report.data.digest,
        "data.rows": str(report.data.rows),
        "model.family": report.model.family,
        "verdict": report.verdict,
    }


def _audit(report: "GapReport") -> ET.Element:
    """The audit itself, so that a clean one is a passed test and one that asked nothing a skipped one."""
    case = _element("testcase", classname="tslam.audit", name=f"audit ({report.findings.tested} questions)")
    if report.findings.tested:
        _say(case, "system-out", report.verdict)
    else:
        _say(case, "skipped", "", message=report.verdict)
    return case


def _gap(index: int, gap: Gap, fail_on: Severity, clock: Clock, judged: Verdict) -> ET.Element:
    position = index + 1
    about = gap.column or joined(gap.latents) or joined(gap.channels)
    name = f"{position} {KIND_WORDS[gap.kind]}: {about}" if about else f"{position} {KIND_WORDS[gap.kind]}"
    case = _element("testcase", classname=f"tslam.{gap.kind.value}", name=name)
    details = "\n".join(_details(gap, clock))
    if index in judged.accepted:
        _say(case, "skipped", details, message=str(judged.accepted[index]))
    elif gap.severity.rank >= fail_on.rank:
        message = gap.recommendation or gap.title
        if index in judged.expired:
            message = f"{message} ({judged.expired[index]}; that has expired)"
        _say(case, "failure", details, message=f"{gap.severity.value}: {message}", type=gap.kind.value)
    else:
        _say(case, "system-out", details)
    return case


def _details(gap: Gap, clock: Clock) -> list[str]:
    lines = [
        gap.recommendation,
        f"severity {gap.severity.value}, score {number(gap.score)} nats per 1,000 rows",
    ]
    if gap.p_value is not None:
        lines.append(f"p {probability(gap.p_value)}")
    if gap.channels:
        lines.append(f"drives {joined(gap.channels, most=6)}")
    if gap.substitutes_for:
        lines.append(f"{joined(gap.latents)} stands in for {gap.substitutes_for.column}")
    if gap.lag is not None:
        lines.append(f"lag {gap.lag} steps")
    lines += [f"window {clock.window(*window)}" for window in gap.windows[:20]]
    lines += [f"{e.name} {number(e.value)}: {e.reading}" for e in gap.evidence]
    return [line for line in lines if line]


def _skipped(question: NotTested) -> ET.Element:
    about = f": {question.subject}" if question.subject else ""
    case = _element("testcase", classname="tslam.not_tested", name=f"{question.question}{about}")
    _say(case, "skipped", "", message=question.reason)
    return case


def _say(case: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(case, tag, _clean(attributes)).text = _NOT_XML.sub("\ufffd", text) or None


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, _clean(attributes))


def _clean(attributes: dict[str, str]) -> dict[str, str]:
    return {key: _NOT_XML.sub("\ufffd", value) for key, value in attributes.items()}
