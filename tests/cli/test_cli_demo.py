"""`tslam demo`: from nothing to a report, and the truth beside it."""

from pathlib import Path

import polars as pl
import pytest
from cli_cases import run
from mlflow.tracking import MlflowClient

import tslam


def test_the_demo_finds_the_action_whose_log_was_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    said = run(capsys, "demo", "--out", str(out), "--rows", "3000")
    assert said.code == 0
    assert "valve was moved as well" in said.out
    assert "valve truly drives level_2, flow_out." in said.out
    assert "valve" not in pl.read_parquet(out / "telemetry.parquet").columns
    report = tslam.GapReport.from_json(out / "report.json")
    gap = report.gaps[0]
    assert (gap.kind, set(gap.channels)) == ("missing_action", {"level_2", "flow_out"})
    assert report.verdict in said.out
    assert "<html" in (out / "report.html").read_text()
    assert tslam.load(out / "model").latent_names

    store = f"sqlite:///{out / 'mlflow.db'}"
    assert f"mlflow ui --backend-store-uri {store}" in said.out
    client = MlflowClient(store)
    (tracked,) = client.search_runs([client.get_experiment_by_name("tslam-demo").experiment_id])
    assert tracked.info.status == "FINISHED"


def test_an_unknown_plant_or_action_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "demo", "--plant", "tanc", "--out", str(tmp_path))
    assert said == (2, "", "tslam: There is no plant 'tanc'. Did you mean 'tank'?\n")
    said = run(capsys, "demo", "--drop", "valv", "--out", str(tmp_path))
    assert said.code == 2
    assert "'valve'" in said.err
    assert list(tmp_path.iterdir()) == []
