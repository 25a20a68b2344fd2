"""A tracked fit is a run in a real store: settings, scores, audit, data set, and the model itself."""

import json
from pathlib import Path

import mlflow
import mlflow.pyfunc
import pandas as pd
import polars as pl
import pytest
from mlflow.tracking import MlflowClient
from model_cases import SITE, fleet, fleet_model, record
from polars.testing import assert_frame_equal

import tslam
from tslam.errors import TrackingError
from tslam.report.model import GapReport

ROLES = record().roles()


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store; making its tables takes a second or two, so these tests share one."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def client(uri: str, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """The store, named as a caller names it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return MlflowClient(tracking_uri=uri)


def only_run(client: MlflowClient, experiment: str) -> mlflow.entities.Run:
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    (run,) = client.search_runs([found.experiment_id])
    return run


def fetched(client: MlflowClient, run: mlflow.entities.Run, path: str, folder: Path) -> Path:
    return Path(client.download_artifacts(run.info.run_id, path, str(folder)))


@pytest.fixture(scope="module")
def tracked(uri: str) -> tuple[tslam.LatentActionModel, mlflow.entities.Run]:
    """A fit that was tracked, and its run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        model = tslam.fit(record().frame, **ROLES, config="linear", seed=3, track="asked", progress=False)
    return model, only_run(MlflowClient(tracking_uri=uri), "asked")


def test_a_run_tells_settings_scores_and_data(
    tracked: tuple[tslam.LatentActionModel, mlflow.entities.Run], client: MlflowClient
) -> None:
    model, run = tracked
    assert run.info.status == "FINISHED"
    assert run.data.params["family"] == "linear"
    assert run.data.params["chosen_family"] == "linear"
    assert run.data.params["seed"] == "3"
    told = {s.channel: s.skill for s in model._fitted.parts[0].skill}
    for channel, skill in told.items():
        assert run.data.metrics[f"skill/{channel}"] == pytest.approx(skill)
    assert run.data.metrics["gain/latent_0"] == pytest.approx(model.latents[0].gain)
    assert run.data.metrics["skill_median"] == pytest.approx(pl.Series(told.values()).median())
    assert run.data.tags["tslam.data_digest"] == model._fitted.digest
    (dataset,) = run.inputs.dataset_inputs
    assert json.loads(dataset.dataset.profile)["num_rows"] == record().frame.height
    # the lags that were tried, as a curve
    assert len(client.get_metric_history(run.info.run_id, "lags")) > 1


def test_a_run_holds_the_audit_and_the_model(
    tracked: tuple[tslam.LatentActionModel, mlflow.entities.Run], client: MlflowClient, tmp_path: Path
) -> None:
    model, run = tracked
    text = fetched(client, run, "report/report.json", tmp_path).read_text()
    assert GapReport.model_validate_json(text).gaps == model.audit(record().frame).gaps
    served = mlflow.pyfunc.load_model(str(fetched(client, run, "model", tmp_path)))
    frame = record().frame.to_pandas()
    pd.testing.assert_frame_equal(served.predict(frame), model.infer(frame))


def test_true_tracks_under_the_name_of_the_library(client: MlflowClient) -> None:
    tslam.fit(record().frame, **ROLES, config="linear", track=True, progress=False)
    assert only_run(client, "tslam").info.status == "FINISHED"


def test_nothing_is_tracked_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for asked in (None, False):
        tslam.fit(record().frame, **ROLES, config="linear", track=asked, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_each_series_fitted_alone_has_scores_of_its_own(client: MlflowClient, tmp_path: Path) -> None:
    model, frame = fleet_model(per_series=True), fleet("north", "south")
    report = fleet_model().audit(frame)
    done = model.track(frame, experiment="fleet", report=report)
    assert "experiment 'fleet'" in done.where
    run = client.get_run(done.run_id)
    # a report that was made already is taken as it is
    assert fetched(client, run, "report/report.json", tmp_path).read_text() == report.to_json()
    for part in model._fitted.parts:
        for s in part.skill:
            assert run.data.metrics[f"{part.series}/skill/{s.channel}"] == pytest.approx(s.skill)
    assert run.data.tags["tslam.contract"] == model.contract.name
    assert model.contract.series == SITE


def test_a_store_that_cannot_be_is_said_and_the_model_is_sound(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    model, frame = fleet_model(), fleet("north", "south")
    before = model.infer(frame)
    with pytest.raises(TrackingError, match="did not take the run"):
        model.track(frame, tracking_uri=f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")
    assert_frame_equal(model.infer(frame), before)
