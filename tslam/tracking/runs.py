"""One fit as one MLflow run: settings, scores, contract, data, model, report."""

import posixpath
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from tslam.contract.model import Contract
from tslam.panel.ingest import read
from tslam.tracking.dataset import dataset_input
from tslam.tracking.pyfunc import save_pyfunc
from tslam.tracking.store import complaints, experiment_id, quiet, resolve, shown

if TYPE_CHECKING:
    from tslam.report.model import GapReport

__all__ = ["EXPERIMENT", "TrackedRun", "log_run"]

EXPERIMENT = "tslam"
"""The experiment where none is named."""

_PARAMS_AT_ONCE, _METRICS_AT_ONCE, _KEY_LENGTH = (
    100,
    1000,
    240,
)  # what MLflow takes in one request, in one name


@dataclass(frozen=True)
class TrackedRun:
    """Where a fit was logged."""

    run_id: str
    experiment: str
    uri: str = field(repr=False)
    """Address of the store, as MLflow takes it (it may hold a password)."""

    @property
    def model_uri(self) -> str:
        """What ``mlflow.pyfunc.load_model`` takes, once MLflow's tracking URI is ``uri``."""
        return f"runs:/{self.run_id}/model"

    @property
    def where(self) -> str:
        """The run in words."""
        return f"run {self.run_id} of experiment {self.experiment!r} in {shown(self.uri)}"


def log_run(
    *,
    contract: Contract,
    digest: str,
    model_dir: Path,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    history: Mapping[str, Sequence[tuple[int, float]]] | None = None,
    dataset: Any = None,
    report: "GapReport | None" = None,
    certificates: Mapping[str, str] | None = None,
    experiment: str | None = None,
    run_name: str | None = None,
    tracking_uri: str | None = None,
) -> TrackedRun:
    """Log one fit. No run stays active, and MLflow's own settings stay as the caller left them.

    Args:
        contract: what each column is; kept as an ODCS document.
        digest: of the data the model was fitted on.
        model_dir: folder of the saved model; logged under ``model/`` in the pyfunc flavour.
        params: settings; nested ones get dotted names.
        metrics: final scores.
        history: scores over the fit, as (step, value) pairs.
        dataset: what the model was fitted on (a frame of any kind, or a path); its columns and size are
            logged, never its rows.
        report: the audit, logged as HTML, JSON and Markdown under ``report/``.
        certificates: of alignments, by action, as JSON; logged under ``certificates/``.
        experiment: its name; None: ``tslam``.
        run_name: None lets MLflow make one up.
        tracking_uri: the store; None: MLflow's own setting or ``MLFLOW_TRACKING_URI``, else
            ``mlflow.db`` in the working directory, with the artefacts beside it.

    Returns:
        Where it was logged.

    Raises:
        TrackingError: the store could not be reached, read or written.
    """
    uri, name = resolve(tracking_uri), experiment or EXPERIMENT
    frame = None if dataset is None else read(dataset, contract)[0]
    with complaints(uri), quiet():
        client = MlflowClient(tracking_uri=uri)
        tags = {
            "tslam.data_digest": digest,
            "tslam.contract": contract.name,
            "tslam.contract_version": contract.version,
        }
        with _run(client, experiment_id(client, uri, name), run_name, tags) as run_id:
            _log_numbers(client, run_id, params, metrics, history or {})
            if frame is not None:
                client.log_inputs(run_id, [dataset_input(frame, contract, digest, context="training")])
            client.log_text(run_id, contract.to_odcs(), "contract.odcs.yaml")
            if report is not None:
                client.log_text(run_id, report.to_html(), "report/report.html")
                client.log_text(run_id, report.to_json(), "report/report.json")
                client.log_text(run_id, report.to_markdown(), "report/report.md")
            for action, text in (certificates or {}).items():
                client.log_text(run_id, text, f"certificates/{_keys([action])[action]}.json")
            with TemporaryDirectory() as folder:
                save_pyfunc(model_dir, Path(folder) / "model", contract=contract, frame=frame)
                client.log_artifacts(run_id, str(Path(folder) / "model"), "model")
    return TrackedRun(run_id, name, uri)


@contextmanager
def _run(client: MlflowClient, experiment: str, name: str | None, tags: Mapping[str, str]) -> Iterator[str]:
    """A run that ends as it went: finished, failed, or killed from the keyboard."""
    run_id = str(client.create_run(experiment, run_name=name, tags=tags).info.run_id)
    status = "FAILED"
    try:
        yield run_id
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        client.set_terminated(run_id, status)


def _log_numbers(
    client: MlflowClient,
    run_id: str,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    history: Mapping[str, Sequence[tuple[int, float]]],
) -> None:
    now = int(time.time() * 1000)
    keys = _keys([*history, *metrics])
    values = [
        Metric(keys[name], float(value), now, step)
        for name, steps in history.items()
        for step, value in steps
    ]
    # A final score comes after its own history: MLflow shows the value of the last step.
    after = {name: 1 + max(step for step, _ in steps) for name, steps in history.items() if steps}
    values += [Metric(keys[name], float(value), now, after.get(name, 0)) for name, value in metrics.items()]
    settings = dict(_flat(params))
    names = _keys(settings)
    entries = [Param(names[name], str(value)) for name, value in settings.items()]
    for start in range(0, len(entries), _PARAMS_AT_ONCE):
        client.log_batch(run_id, params=entries[start : start + _PARAMS_AT_ONCE])
    for start in range(0, len(values), _METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=values[start : start + _METRICS_AT_ONCE])


def _flat(params: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _keys(names: Iterable[str]) -> dict[str, str]:
    """A name that MLflow takes for each: other characters become underscores, twins get a number."""
    keys: dict[str, str] = {}
    for name in dict.fromkeys(names):
        plain = posixpath.normpath(re.sub(r"[^\w\-. /]", "_", name)).strip("./ ")[:_KEY_LENGTH] or "_"
        candidates = chain([plain], (f"{plain}_{n}" for n in count(2)))
        keys[name] = next(key for key in candidates if key not in keys.values())
    return keys
