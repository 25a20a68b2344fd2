"""One fit, one run: everything that was sent is there again, and nothing else has changed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import polars as pl
import pytest
from mlflow.tracking import MlflowClient

from tslam.contract.model import Column, Contract
from tslam.errors import TrackingError
from tslam.tracking.runs import TrackedRun, log_run
from tslam.tracking.store import experiment_id

CONTRACT = Contract(
    name="loop",
    columns=(
        Column(name="ts", role="time"),
        Column(name="level", role="observation"),
        Column(name="pump", role="action"),
        Column(name="room", role="exogenous", required=False),
        Column(name="note", role="ignore"),
    ),
)
FRAME = pl.DataFrame(
    {
        "ts": pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 1, 3), "1h", eager=True),
        "level": [1.0, 2.0, None, 4.0],
        "pump": [0, 1, 1, 0],
        "room": [20.5, 20.0, 19.5, 19.0],
        "note": ["a", "b", "c", "d"],
    }
)
REPORT: Any = SimpleNamespace(
    to_html=lambda: "<html>gaps</html>", to_json=lambda: '{"gaps": []}', to_markdown=lambda: "# gaps"
)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store; making its tables takes a second or two, so these tests share one."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a saved model leaves it."""
    folder = tmp_path_factory.mktemp("saved") / "plant"
    folder.mkdir()
    (folder / "config.json").write_text('{"schema_version": 1}')
    return folder


@pytest.fixture
def _caller() -> Iterator[None]:
    """The caller's own settings of MLflow, to be found as they were."""
    yield
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


def _log(uri: str | None, saved: Path, **given: Any) -> TrackedRun:
    sent: dict[str, Any] = {
        "contract": CONTRACT,
        "digest": "sha256:" + "7" * 64,
        "model_dir": saved,
        "params": {"family": "linear", "config": {"lags": 3, "latents": None}},
        "metrics": {"skill/level": 0.5},
        "history": {"loss": [(0, 3.0), (1, 2.0), (2, 1.5)]},
        "dataset": FRAME,
        "report": REPORT,
        "run_name": "first",
        "tracking_uri": uri,
    }
    return log_run(**(sent | given))


def _run(done: TrackedRun) -> Any:
    return MlflowClient(done.uri).get_run(done.run_id)


def test_a_run_holds_what_was_sent(uri: str, saved: Path) -> None:
    done = _log(uri, saved)
    run = _run(done)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "first"
    assert run.data.params == {"family": "linear", "config.lags": "3", "config.latents": "None"}
    assert run.data.metrics == {"skill/level": 0.5, "loss": 1.5}
    assert run.data.tags["tslam.data_digest"] == "sha256:" + "7" * 64
    history = MlflowClient(uri).get_metric_history(done.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(0, 3.0), (1, 2.0), (2, 1.5)]


def test_a_final_score_stands_after_its_history(uri: str, saved: Path) -> None:
    done = _log(uri, saved, metrics={"loss": 1.0}, history={"loss": [(0, 3.0), (7, 2.0)]})
    assert _run(done).data.metrics == {"loss": 1.0}


def test_the_artefacts_lie_beside_the_database(uri: str, saved: Path) -> None:
    done = _log(uri, saved)
    folder = Path(uri.removeprefix("sqlite:///")).parent / "mlartifacts" / "tslam" / done.run_id / "artifacts"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        "contract.odcs.yaml",
        "report/report.html",
        "report/report.json",
        "report/report.md",
        "model/MLmodel",
        "model/artifacts/plant/config.json",
    } <= found
    assert not [name for name in found if name.endswith((".pkl", ".pickle"))]
    assert Contract.from_odcs(folder / "contract.odcs.yaml").actions == ("pump",)


def test_the_data_set_is_described_and_its_rows_stay_home(uri: str, saved: Path) -> None:
    (entry,) = _run(_log(uri, saved)).inputs.dataset_inputs
    tags = {tag.key: tag.value for tag in entry.tags}
    assert tags["mlflow.data.context"] == "training"
    assert (tags["tslam.role.pump"], tags["tslam.role.room"]) == ("action", "exogenous")
    columns = {c["name"]: c["type"] for c in json.loads(entry.dataset.schema)["mlflow_colspec"]}
    assert columns == {
        "ts": "datetime",
        "level": "double",
        "pump": "long",
        "room": "double",
    }
    assert json.loads(entry.dataset.profile)["num_rows"] == 4
    assert ("sha256:" + "7" * 64).startswith(entry.dataset.digest)


def test_names_that_mlflow_refuses_are_spelled_so_that_it_takes_them(uri: str, saved: Path) -> None:
    done = _log(uri, saved, metrics={"skill/T [°C]": 1.0, "skill/T (°C)": 2.0, "../up": 3.0}, history={})
    assert _run(done).data.metrics == {"skill/T __C_": 1.0, "skill/T __C__2": 2.0, "up": 3.0}


def test_more_than_one_request_holds(uri: str, saved: Path) -> None:
    steps = [(step, float(step)) for step in range(1200)]
    params = {f"p{n}": n for n in range(130)}
    done = _log(uri, saved, params=params, history={"loss": steps})
    assert len(_run(done).data.params) == 130
    assert len(MlflowClient(uri).get_metric_history(done.run_id, "loss")) == 1200


@pytest.mark.usefixtures("_caller")
def test_the_callers_mlflow_stays_as_it_was(
    uri: str, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri("http://elsewhere.invalid")
    before = dict(os.environ)
    _log(uri, saved)
    assert mlflow.get_tracking_uri() == "http://elsewhere.invalid"
    assert mlflow.active_run() is None
    assert dict(os.environ) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_caller")
def test_a_setting_that_was_emptied_leaves_the_variable_its_say(
    uri: str, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow.set_tracking_uri("")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert _log(None, saved, experiment="emptied").uri == uri


@pytest.mark.usefixtures("_caller")
def test_the_store_is_the_callers_own_where_none_is_named(uri: str, saved: Path) -> None:
    mlflow.set_tracking_uri(uri)
    assert _log(None, saved, experiment="mine").uri == uri


def test_the_store_is_a_file_right_here_otherwise(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = _log(None, saved)
    assert done.uri == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", "mlartifacts"}
    assert capfd.readouterr() == ("", "")


def test_a_failure_is_told_in_words_and_leaves_a_failed_run(uri: str, saved: Path) -> None:
    with pytest.raises(TrackingError, match=r"did not take the run: .*absent.*Check the address"):
        _log(uri, saved / "absent", experiment="breaks")
    client = MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("breaks").experiment_id])
    assert run.info.status == "FAILED"


def test_a_run_stopped_from_the_keyboard_says_so(uri: str, saved: Path) -> None:
    def stopped() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _log(uri, saved, experiment="stopped", report=SimpleNamespace(**vars(REPORT) | {"to_html": stopped}))
    client = MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("stopped").experiment_id])
    assert run.info.status == "KILLED"


def test_two_that_make_one_experiment_at_once_both_find_it(uri: str) -> None:
    client = MlflowClient(uri)
    made = client.create_experiment("raced")

    class Late(MlflowClient):
        """Asks before the other has made it, and makes it after."""

        asked = 0

        def get_experiment_by_name(self, name: str) -> Any:
            self.asked += 1
            return None if self.asked == 1 else super().get_experiment_by_name(name)

    assert experiment_id(Late(uri), uri, "raced") == made


def test_an_error_of_the_callers_is_not_dressed_up(uri: str, saved: Path) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        _log(uri, saved, metrics={"loss": "much"})


@pytest.mark.parametrize("address", ["./mlruns", "sqlite:////proc/none/mlflow.db", "nonsense://here"])
def test_a_store_that_cannot_be_is_refused_with_the_next_step(
    address: str, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrackingError, match=r"sqlite:///mlflow\.db"):
        _log(address, saved)


def test_a_deleted_experiment_says_how_to_get_it_back(uri: str, saved: Path) -> None:
    client = MlflowClient(uri)
    gone = client.create_experiment("gone")
    client.delete_experiment(gone)
    with pytest.raises(TrackingError, match=f"restore --experiment-id {gone}"):
        _log(uri, saved, experiment="gone")


def test_a_password_is_never_shown() -> None:
    run = TrackedRun("1f", "tslam", "https://me:secret@host/mlflow")
    assert "secret" not in run.where + repr(run)
    assert "me:***@host" in run.where


def test_mlflow_is_told_to_send_nothing_before_it_is_imported() -> None:
    code = (
        "import tslam.tracking, os, sys; assert 'mlflow' not in sys.modules; "
        "print(os.environ['MLFLOW_DISABLE_TELEMETRY'])"
    )
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in {"MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"}
    }
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "true"
