"""JUnit XML as CI systems read it."""

from xml.etree import ElementTree as ET

import pytest

from tslam.audit.gap import Severity
from tslam.report import GapReport


def suite_of(text: str) -> ET.Element:
    root = ET.fromstring(text.encode())
    assert root.tag == "testsuites"
    (suite,) = root
    return suite


def test_the_counts_are_those_of_the_cases(any_report: GapReport) -> None:
    suite = suite_of(any_report.to_junit(fail_on=Severity.INFO))
    cases = suite.findall("testcase")
    assert suite[0].tag == "properties"
    assert len(cases) == 1 + len(any_report.gaps) + len(any_report.findings.not_tested)
    assert suite.get("tests") == str(len(cases))
    assert suite.get("failures") == str(len(suite.findall("testcase/failure"))) == str(len(any_report.gaps))
    assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))
    for case in cases:
        assert case.get("name")
        assert case.get("classname", "").startswith("tslam.")
        assert len(case) == 1
        assert case[0].tag in {"failure", "skipped", "system-out"}


@pytest.mark.parametrize(("fail_on", "failures"), [("critical", 2), ("warning", 3), ("info", 4)])
def test_gaps_fail_from_the_threshold_on(report: GapReport, fail_on: str, failures: int) -> None:
    assert suite_of(report.to_junit(fail_on=fail_on)).get("failures") == str(failures)


def test_a_failure_says_what_to_do(report: GapReport) -> None:
    failure = suite_of(report.to_junit()).find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "missing_action"
    assert failure.get("message", "").startswith("critical: Log the position of whatever moves return_temp")
    assert "latent_0 stands in for bypass_valve" in (failure.text or "")


def test_a_clean_audit_is_a_passed_test_and_an_empty_one_a_skipped_one(
    clean: GapReport, untested: GapReport
) -> None:
    assert suite_of(clean.to_junit()).get("skipped") == "0"
    suite = suite_of(untested.to_junit())
    assert (suite.get("tests"), suite.get("skipped")) == ("1", "1")


def test_characters_that_xml_cannot_hold_are_replaced(report: GapReport) -> None:
    gap = report.gaps[0].model_copy(update={"column": "a\x00b\x1bc\uffff", "recommendation": "x\x07"})
    findings = report.findings.model_copy(update={"gaps": (gap,)})
    suite = suite_of(report.model_copy(update={"findings": findings}).to_junit())
    assert suite.findall("testcase")[1].get("name") == "1 Missing action: a\ufffdb\ufffdc\ufffd"
