"""The command line explains itself, and the documentation says the same."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from cli_cases import run

COMMANDS = [
    "demo",
    "fit",
    "audit",
    "contract lint",
    "contract infer",
    "contract check",
    "contract patch",
    "contract diff",
    "contract apply",
    "contract convert",
    "contract schema",
]
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_no_arguments_show_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys)
    for command in ("demo", "fit", "audit", "contract"):
        assert command in said.out + said.err


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"tslam {version('tslam')}\n", "")


def test_an_unknown_option_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "audit", "plant.parquet", "--fail-on", "anything")
    assert (said.code, said.out) == (2, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_stands_in_the_documentation(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    helped = run(capsys, *command.split(), "--help").out
    options = set(re.findall(r"--[a-z][a-z-]*", helped)) - {"--help"}
    page = PAGE.read_text()
    assert f"## `tslam {command}`" in page
    section = page.split(f"## `tslam {command}`")[1].split("\n## ")[0]
    shared = page.split("## Options that name the data")[1].split("\n## ")[0]
    assert {option for option in options if f"`{option}" not in section + shared} == set()


def test_every_example_names_commands_and_options_that_there_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    pages = ["", "fit", "audit", "contract", "contract check", "contract apply", "contract convert"]
    typed = []
    for page in pages:
        helped = run(capsys, *page.split(), "--help").out.partition("Examples:")[2]
        typed += re.findall(r"tslam ((?:contract )?[a-z]+)(.*(?:\\\n.*)?)", helped)
    assert len(typed) > 15
    for command, rest in typed:
        known = run(capsys, *command.split(), "--help").out
        assert [option for option in re.findall(r"--[a-z-]{2,}", rest) if option not in known] == []


def test_no_command_is_told_in_half_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for page in ((), ("contract",)):
        commands = run(capsys, *page, "--help").out.partition("Commands:")[2]
        assert commands
        assert "..." not in commands
