"""The pipeline of the examples: it fails for the lost log, and passes once contract and log are mended."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tslam.contract import Contract
from tslam.report.policy import Policy

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "pipeline"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runpy.run_path(str(FOLDER / "prepare.py"))["main"](tmp_path)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "tslam").write_text(
        f"#!/bin/sh\nexec {sys.executable} -c "
        "'from tslam.cli import main; import sys; main(sys.argv[1:])' \"$@\"\n"
    )
    (bin_ / "tslam").chmod(0o755)
    return tmp_path


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=folder)


def test_the_pipeline_fails_for_the_lost_log_and_passes_once_it_is_back(folder: Path) -> None:
    done = run(folder, str(FOLDER / "run.sh"), str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    before = ET.parse(folder / "junit.xml").getroot()
    after = ET.parse(folder / "junit_after.xml").getroot()
    assert (before.get("failures"), after.get("failures")) == ("1", "0")
    new = (folder / "plant_new.odcs.yaml").read_text()
    assert new.startswith("# Kept by team tanks.")
    assert Contract.from_odcs(new).actions[-1] == "valve"
    assert "0 breaking" in done.stdout

    policy = folder / "tslam.toml"
    policy.write_text((FOLDER / "tslam.toml").read_text().replace("2026-12-31", "2999-12-31"))
    audit = ["tslam", "audit", "plant.parquet", "--contract", "plant.odcs.yaml", "--config", "linear"]
    accepted = run(folder, *audit, "--policy", str(policy))
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert "accepted  by team-tanks until 2999-12-31" in accepted.stdout


def test_the_policy_of_the_example_reads() -> None:
    assert Policy.read(FOLDER / "tslam.toml").accept[0].owner == "team-tanks"
