"""`tslam audit` and `tslam fit`: options reach the library, findings reach terminal, files and pipe."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_cases import CRITICAL, WARNING, Model, report, run

import tslam
from tslam.audit.gap import NotTested
from tslam.errors import FrameError
from tslam.report import GapReport

Answer = Callable[[GapReport], list[tuple[tuple[Any, ...], dict[str, Any]]]]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Let `fit` and `load` answer at once; returns the calls that reach them."""

    def set_answer(found: GapReport) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

        def called(*given: Any, **named: Any) -> Model:
            calls.append((given, named))
            return Model(found)

        monkeypatch.setitem(vars(tslam), "fit", called)
        monkeypatch.setitem(vars(tslam), "load", called)
        return calls

    return set_answer


@pytest.mark.parametrize(
    ("gaps", "fail_on", "code"),
    [
        ([], "info", 0),
        ([WARNING], "critical", 0),
        ([WARNING], "warning", 1),
        ([WARNING, CRITICAL], "critical", 1),
    ],
)
def test_the_exit_code_is_1_from_the_threshold_on(
    answer: Answer, capsys: pytest.CaptureFixture[str], gaps: list[Any], fail_on: str, code: int
) -> None:
    answer(report(gaps))
    assert run(capsys, "audit", "plant.parquet", "--fail-on", fail_on).code == code


def test_the_exit_code_is_3_where_nothing_could_be_tested(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(report(tested=0, not_tested=[NotTested(question="missing_action", reason="too few rows")]))
    said = run(capsys, "audit", "plant.parquet")
    assert said.code == 3
    assert "Not tested: 1 question; the report gives the reasons." in said.out


def test_options_reach_the_library(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    (call,) = [answer(report())]
    options = (
        "--actions pump_1 --actions valve_2 --exog ambient --ignore note --time ts --series unit --freq 10s"
    )
    run(
        capsys,
        "audit",
        "plant.parquet",
        *options.split(),
        "--config",
        "linear",
        "--seed",
        "7",
        "--device",
        "cpu",
    )
    assert call == [
        (
            ("plant.parquet",),
            {
                "actions": ("pump_1", "valve_2"),
                "exog": ("ambient",),
                "observations": None,
                "ignore": ("note",),
                "time": "ts",
                "series": "unit",
                "freq": "10s",
                "contract": None,
                "config": "linear",
                "seed": 7,
                "device": "cpu",
            },
        )
    ]


def test_a_saved_model_is_used_as_it_is(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    calls = answer(report())
    assert run(capsys, "audit", "plant.parquet", "--model", "runs/plant").code == 0
    assert calls == [((Path("runs/plant"),), {"device": "auto"})]


def test_a_saved_model_and_roles_are_refused_together(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "audit", "plant.parquet", "--model", "runs/plant", "--actions", "pump")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(
        "tslam: The model in runs/plant knows its roles, and --actions would give others."
    )
    assert "Traceback" not in said.err


def test_gaps_are_told_in_plain_whole_lines(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answer(report([CRITICAL, WARNING]))
    said = run(capsys, "audit", "plant.parquet")
    assert "\x1b" not in said.out
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0].startswith("Something acts on level [m] and flow like a control that no column logs")
    assert "CRITICAL  missing action" in lines
    assert "          Log what moves level [m]." in lines
    assert "drives    level [m], flow" in lines
    assert "when      1 → 2 and 1 more" in lines
    assert "WARNING   inert action of pump" in lines


def test_a_terminal_gets_colour_and_lines_that_fit(
    answer: Answer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    answer(report([CRITICAL.model_copy(update={"series": ("unit_1",), "recommendation": "Log it. " * 20})]))
    said = run(capsys, "audit", "plant.parquet").out
    assert "\x1b[1;31mCRITICAL" in said
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines()
    assert max(map(len, plain)) <= 40
    assert [line for line in plain if line.startswith("          Log it.")]
    assert "series    unit_1" in [line.rstrip() for line in plain]


def test_reports_go_to_their_files(
    answer: Answer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answer(report([CRITICAL]))
    kinds = {"html": "<!doctype html", "json": "{", "markdown": "#", "junit": "<?xml", "patch": "# Proposed"}
    files = {kind: tmp_path / "out" / f"gaps.{kind}" for kind in kinds}
    arguments = [part for kind, path in files.items() for part in (f"--{kind}", str(path))]
    said = run(capsys, "audit", "plant.parquet", *arguments)
    assert said.code == 1
    for kind, start in kinds.items():
        assert files[kind].read_text().lower().lstrip().startswith(start.lower()), kind
        assert str(files[kind]) in said.out


def test_one_report_fits_a_pipe_and_the_words_step_aside(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(report([CRITICAL]))
    said = run(capsys, "audit", "plant.parquet", "--json", "-")
    assert json.loads(said.out)["findings"]["gaps"][0]["kind"] == "missing_action"
    assert "CRITICAL" in said.err
    refused = run(capsys, "audit", "plant.parquet", "--json", "-", "--junit", "-")
    assert (refused.code, refused.out) == (2, "")


def test_fit_says_what_it_learned_and_where_it_went(
    answer: Answer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    calls = answer(report())
    folder = tmp_path / "plant"
    said = run(capsys, "fit", "plant.parquet", "--actions", "pump", "--out", str(folder), "--track", "site")
    assert said.code == 0
    assert calls[0][1]["track"] == "site"
    assert folder.is_dir()
    assert "family: held" in said.out
    assert f"tslam audit plant.parquet --model {folder}" in said.out


def test_an_error_of_the_library_is_one_plain_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise FrameError("No file at 'x'. Give the path of one that exists.")

    monkeypatch.setitem(vars(tslam), "fit", fails)
    said = run(capsys, "fit", "x")
    assert said == (2, "", "tslam: No file at 'x'. Give the path of one that exists.\n")


def test_a_crash_never_looks_like_a_gap(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crashes(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by accident")

    monkeypatch.setitem(vars(tslam), "fit", crashes)
    said = run(capsys, "audit", "plant.parquet")
    assert said.code == 2
    assert "ZeroDivisionError: by accident" in said.err


def test_an_accepted_gap_passes_and_an_expired_one_fails_and_github_is_told(
    answer: Answer, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(report([CRITICAL]))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    policy, junit = tmp_path / "tslam.toml", tmp_path / "junit.xml"
    text = '[[accept]]\nkind = "missing_action"\nchannels = ["level [m]"]\nowner = "team"\nreason = "known"\n'
    arguments = ("audit", "plant.parquet", "--policy", str(policy), "--junit", str(junit))
    policy.write_text(f"{text}expires = 2999-01-01\n")
    said = run(capsys, *arguments)
    assert said.code == 0
    assert "accepted  by team until 2999-01-01: known" in said.out
    assert "::notice title=missing action::Log what moves level [m]. (accepted by team" in said.out
    assert 'skipped="1"' in junit.read_text()
    policy.write_text(f"{text}expires = 2000-01-01\n")
    said = run(capsys, *arguments)
    assert said.code == 1
    assert "EXPIRED   accepted by team until 2000-01-01: known" in said.out
    assert "::error title=missing action::Log what moves level [m]." in said.out
    assert "that has expired" in junit.read_text()
