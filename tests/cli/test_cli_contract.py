"""`tslam contract`: drafted, read, held against data, patched."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from cli_cases import CONTRACT, CRITICAL, report, run

from tslam.contract import CheckResult, Column, Contract


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A file of telemetry: a held action and what it moves."""
    path = tmp_path / "plant.parquet"
    pump = [float(row // 40 % 3) for row in range(400)]
    level = [0.1 * row % 7.3 + value for row, value in enumerate(pump)]
    clock = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 1, 6, 39), "1m", eager=True)
    pl.DataFrame({"ts": clock, "level": level, "pump": pump}).write_parquet(path)
    return str(path)


@pytest.fixture
def contract(tmp_path: Path) -> str:
    """A contract that the data meet."""
    path = tmp_path / "loop.odcs.yaml"
    CONTRACT.to_odcs(path)
    return str(path)


def test_a_draft_goes_to_a_file_or_into_a_pipe_and_the_reasons_beside_it(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piped = run(capsys, "contract", "infer", data)
    assert piped.code == 0
    assert "pump   action:" in piped.err
    written = run(capsys, "contract", "infer", data, "--out", str(tmp_path / "draft.yaml"))
    assert written.out == ""
    assert (tmp_path / "draft.yaml").read_text() == piped.out
    assert Contract.from_odcs(piped.out).actions == ("pump",)


def test_lint_reads_a_contract_out(contract: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "contract", "lint", contract)
    assert said.code == 0
    assert "loop 0.1.0: 3 columns, and it reads well." in said.out
    assert "action       pump" in said.out


def test_lint_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yaml").write_text("kind: DataContract\nschema: 3\n")
    said = run(capsys, "contract", "lint", str(tmp_path / "bad.yaml"))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("tslam: ")
    assert "Traceback" not in said.err


def test_data_are_held_against_a_contract(
    data: str,
    contract: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    met = run(capsys, "contract", "check", data, contract)
    assert (met.code, met.out) == (0, "400 rows meet the contract 'loop'.\n")
    CONTRACT.with_columns([Column(name="pump", role="action", maximum=1.5)]).to_odcs(tmp_path / "tight.yaml")
    broken = run(capsys, "contract", "check", data, str(tmp_path / "tight.yaml"))
    assert broken.code == 1
    assert "FAILED    pump: found 2.0 in row 80, expected at most 1.5" in broken.out
    assert broken.out.endswith("120 failures in all.\n")
    tight = str(tmp_path / "tight.yaml")
    piped = run(capsys, "contract", "check", data, tight, "--json", "--limit", "7")
    assert piped.code == 1
    result = CheckResult.model_validate_json(piped.out)
    assert (len(result.failures), result.total) == (7, 120)
    assert run(capsys, "contract", "check", data, contract, "--json").code == 0
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    told = run(capsys, "contract", "check", data, str(tmp_path / "tight.yaml"))
    assert "::error title=contract loop::pump: found 2.0 in row 80, expected at most 1.5\n" in told.out
    changed = run(capsys, "contract", "diff", contract, str(tmp_path / "tight.yaml"))
    assert "::error title=breaking change of the contract::pump: maximum unsaid -> 1.5" in changed.out


def test_a_file_that_is_not_whole_is_an_error(
    contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(b"PAR1")
    for words in (("contract", "infer", str(torn)), ("contract", "check", str(torn), contract)):
        said = run(capsys, *words)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("tslam: The frame cannot be read")


def test_data_that_are_not_there_are_an_error(contract: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "contract", "check", "absent.parquet", contract)
    assert said.code == 2
    assert said.err.startswith("tslam: No file at 'absent.parquet'.")


def test_a_patch_is_made_from_a_saved_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = report([CRITICAL])
    saved.to_json(tmp_path / "gaps.json")
    said = run(capsys, "contract", "patch", str(tmp_path / "gaps.json"))
    assert (said.code, said.out) == (0, saved.contract_patch())
    run(capsys, "contract", "patch", str(tmp_path / "gaps.json"), "--out", str(tmp_path / "patch.yaml"))
    assert (tmp_path / "patch.yaml").read_text() == said.out


def test_a_diff_is_breaking_where_an_action_becomes_exogenous(
    contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "contract", "diff", contract, contract) == (
        0,
        "loop 0.1.0 to loop 0.1.0: no change.\n",
        "",
    )
    other = str(tmp_path / "other.yaml")
    CONTRACT.with_columns([Column(name="pump", role="exogenous")]).to_odcs(other)
    said = run(capsys, "contract", "diff", contract, other)
    assert said.code == 1
    assert "BREAKING    pump: role action -> exogenous; " in said.out
    piped = run(capsys, "contract", "diff", contract, other, "--json")
    assert json.loads(piped.out)["changes"][0]["impact"] == "breaking"


def test_a_patch_is_applied_under_a_better_name(
    contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patch = tmp_path / "patch.yaml"
    patch.write_text(report([CRITICAL]).contract_patch())
    name = "unlogged_action_on_level [m]"
    out = str(tmp_path / "new.yaml")
    said = run(capsys, "contract", "apply", contract, str(patch), "--rename", f"{name}=valve", "--out", out)
    assert (said.code, said.out) == (0, "")
    assert Contract.from_odcs(out).actions == ("pump", "valve")
    assert name in run(capsys, "contract", "apply", contract, str(patch)).out
    assert run(capsys, "contract", "apply", contract, str(patch), "--rename", "x").code == 2
    refused = run(capsys, "contract", "apply", contract, str(patch), "--rename", "x=y", "--out", out)
    assert refused.code == 2
    assert Contract.from_odcs(out).actions == ("pump", "valve")


def test_a_contract_is_said_in_another_version_and_back(
    contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = str(tmp_path / "newer.yaml")
    assert run(capsys, "contract", "convert", contract, "--to", "v3.2.0", "--out", newer) == (0, "", "")
    assert "vendor: tslam" in Path(newer).read_text()
    assert Contract.from_odcs(newer) == CONTRACT
    back = run(capsys, "contract", "convert", newer, "--to", "v3.1.0")
    assert (back.code, back.out) == (0, Path(contract).read_text())
    assert run(capsys, "contract", "convert", contract).out == Path(contract).read_text()


def test_a_faulty_contract_is_an_error_with_its_place_and_nothing_is_written(
    contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patch, out = tmp_path / "patch.yaml", tmp_path / "out.yaml"
    patch.write_text(report([CRITICAL]).contract_patch().replace("value: action", "value: acton"))
    said = run(capsys, "contract", "apply", contract, str(patch), "--out", str(out))
    assert (said.code, said.out) == (2, "")
    assert "did you mean 'action'" in said.err
    assert re.search(r"line \d+, column \d+", said.err)
    assert not out.exists()


FAULTS = {
    "no contract": (b"- a\n- b\n", "line 1, column 1: found a list"),
    "nothing": (b"", "line 1, column 1: found nothing"),
    "no YAML": (b"a: [1\n", "line 2, column 1: not YAML"),
    "unknown role": (b"value: acton", "'acton' is not known; did you mean 'action'?"),
    "range": (
        (
            b"value: action\n          - {property: tslamUnit, value: '%'}\n"
            b"          - {property: tslamMaximum, value: 1}"
        ),
        "percent",
    ),
    "twice": (b"name: level", "stand more than once"),
    "bomb": (
        b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 12)),
        "once its aliases are written out",
    ),
    "outside": (b"$ref: ../../other.yaml\n", "line 1, column 1: '$ref' refers to a place outside"),
    "include": (b"schema: !include /etc/passwd\n", "line 1, column 9: '!include' refers to a place outside"),
    "latin": (b"name: caf\xe9\n", "line 1, column 10: not UTF-8"),
}
REPLACED = {"unknown role": b"value: action", "range": b"value: action", "twice": b"name: pump"}


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (command, fault)
        for command in ("lint", "check", "diff", "apply", "convert", "audit")
        for fault in FAULTS
        if command != "convert" or fault not in REPLACED  # which is about documents, not about columns
    ],
)
def test_every_command_says_where_the_fault_is_and_writes_nothing(
    command: str, fault: str, contract: str, data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, said = FAULTS[fault]
    if fault in REPLACED:
        text = Path(contract).read_bytes().replace(REPLACED[fault], text)
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(text)
    out = ("--out", str(tmp_path / "out.yaml"))
    words = {
        "lint": ("contract", "lint", str(bad)),
        "check": ("contract", "check", data, str(bad)),
        "diff": ("contract", "diff", contract, str(bad)),
        "apply": ("contract", "apply", contract, str(bad), *out),
        "convert": ("contract", "convert", str(bad), *out),
        "audit": ("audit", data, "--contract", str(bad), "--html", str(tmp_path / "out.html")),
    }[command]
    before = sorted(tmp_path.iterdir())
    done = run(capsys, *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert re.search(r"bad\.yaml, line \d+, column \d+", done.err)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("of", "title"), [("contract", "Contract"), ("report", "GapReport"), ("event", "ActionEvent")]
)
def test_schemas_are_printed(of: str, title: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capsys, "contract", "schema", of).out)["title"] == title
