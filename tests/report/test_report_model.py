"""The report as a value: exact through JSON, written in one step, read by pipelines."""

import json
from pathlib import Path

import pytest
from any_findings import findings
from hypothesis import given, settings

from tslam.audit.gap import Findings, Severity
from tslam.errors import ArtifactError
from tslam.report import SCHEMA_VERSION, GapReport

WRITERS = ("to_html", "to_json", "to_markdown", "to_junit")


def test_json_gives_the_same_report_back(any_report: GapReport) -> None:
    assert GapReport.from_json(any_report.to_json()) == any_report


@given(found=findings)
def test_json_gives_any_findings_back(report: GapReport, found: Findings) -> None:
    given = report.model_copy(update={"findings": found})
    again = GapReport.from_json(given.to_json())
    assert again == given
    assert again.to_json() == given.to_json()


@settings(max_examples=10)
@given(found=findings)
def test_every_rendering_takes_any_findings(report: GapReport, found: Findings) -> None:
    given = report.model_copy(update={"findings": found})
    for render in (*WRITERS, "contract_patch"):
        assert getattr(given, render)()


def test_json_says_what_follows_from_the_facts(report: GapReport) -> None:
    said = json.loads(report.to_json())
    assert said["verdict"] == report.verdict
    assert said["worst"] == "critical"
    said["verdict"] = "All is well."
    assert GapReport.from_json(json.dumps(said)).verdict == report.verdict


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_is_replaced_in_one_step_and_its_folders_are_made(
    report: GapReport, writer: str, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "folder" / "report.out"
    for _ in range(2):
        text = getattr(report, writer)(path)
        assert path.read_bytes().decode() == text
    assert [p.name for p in path.parent.iterdir()] == ["report.out"]


def test_a_failed_write_leaves_the_old_file(
    report: GapReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(self: Path, _: bytes) -> int:
        self.touch()
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        report.to_json(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_report_is_read_from_its_file(report: GapReport, tmp_path: Path) -> None:
    report.to_json(tmp_path / "gaps.json")
    assert GapReport.from_json(tmp_path / "gaps.json") == report
    assert GapReport.from_json(str(tmp_path / "gaps.json")) == report


@pytest.mark.parametrize("text", ["{}", '{"schema_version": "1.0"}', '{"no json'])
def test_what_is_no_report_is_named(text: str) -> None:
    with pytest.raises(ArtifactError, match=r"no gap report of layout .* Give what GapReport.to_json wrote"):
        GapReport.from_json(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no file .*absent.json"):
        GapReport.from_json(tmp_path / "absent.json")


def test_a_later_layout_is_refused_and_a_later_minor_one_read(report: GapReport) -> None:
    major, minor = SCHEMA_VERSION.split(".")
    later = report.model_copy(update={"schema_version": f"{major}.{int(minor) + 1}"})
    assert GapReport.from_json(later.to_json()) == later
    other = report.model_copy(update={"schema_version": f"{int(major) + 1}.0"})
    with pytest.raises(ArtifactError, match=r"has layout '2\.0'"):
        GapReport.from_json(other.to_json())


def test_exit_codes_of_a_pipeline(report: GapReport, clean: GapReport, untested: GapReport) -> None:
    assert report.exit_code() == 1
    without_critical = report.model_copy(
        update={"findings": report.findings.model_copy(update={"gaps": tuple(report.gaps[2:])})}
    )
    assert without_critical.worst is Severity.WARNING
    assert without_critical.exit_code(Severity.CRITICAL) == 0
    assert without_critical.exit_code("warning") == 1
    assert clean.exit_code(Severity.INFO) == 0
    assert untested.exit_code(Severity.INFO) == 3


def test_gaps_are_a_list_strongest_first(report: GapReport) -> None:
    assert isinstance(report.gaps, list)
    assert [g.score for g in report.gaps] == sorted((g.score for g in report.gaps), reverse=True)


def test_the_representation_is_one_short_line(report: GapReport, untested: GapReport) -> None:
    said = "<GapReport district_heating 1.2.0: 2 critical, 1 warning, 1 info; 19 tested, 3 not tested>"
    assert repr(report) == str(report) == said
    assert repr(untested) == "<GapReport telemetry 0.1.0: untested; 0 tested, 0 not tested>"


def test_notebooks_get_html_markdown_and_text(report: GapReport) -> None:
    bundle = report._repr_mimebundle_()
    assert bundle["text/plain"] == repr(report)
    assert bundle["text/markdown"] == report.to_markdown()
    assert bundle["text/html"] == report._repr_html_()
