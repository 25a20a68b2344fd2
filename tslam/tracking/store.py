"""Where runs go: the store behind an address, its experiments, and its complaints in plain words."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from urllib.parse import quote, urlsplit

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from tslam.errors import TrackingError

__all__ = ["complaints", "experiment_id", "quiet", "resolve", "shown"]

_SQLITE = "sqlite:///"
_BARS = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"


def resolve(uri: str | None) -> str:
    """The store to use: as given, else the one that MLflow was told of, else ``mlflow.db`` right here."""
    if uri:
        return uri
    if mlflow.is_tracking_uri_set():
        # one that was set and emptied again still hides the variable from MLflow itself
        return str(mlflow.get_tracking_uri() or os.environ["MLFLOW_TRACKING_URI"])
    return f"{_SQLITE}{Path.cwd() / 'mlflow.db'}"


def shown(uri: str) -> str:
    """The address without a password in it."""
    password = urlsplit(uri).password
    return uri.replace(f":{password}@", ":***@") if password else uri


def experiment_id(client: MlflowClient, uri: str, name: str) -> str:
    """The experiment of that name, made if need be.

    Raises:
        TrackingError: the experiment was deleted.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=_artefacts(uri, name)))
        except MlflowException:
            # Another process may have made it in between; if not, the complaint stands.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"The experiment {name!r} in {shown(uri)} was deleted. Expected an active one: restore it "
            f"(mlflow experiments restore --experiment-id {found.experiment_id}), or name another experiment."
        )
    return str(found.experiment_id)


def _artefacts(uri: str, name: str) -> str | None:
    """Beside a local SQLite file; a server knows its own place."""
    if not uri.startswith(_SQLITE):
        return None
    database = Path(uri.removeprefix(_SQLITE).partition("?")[0]).absolute()
    database.parent.mkdir(parents=True, exist_ok=True)
    return (database.parent / "mlartifacts" / quote(name, safe=" ")).as_uri()


@contextmanager
def complaints(uri: str) -> Iterator[None]:
    """Complaints of the store, as a TrackingError that says what to do."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        said = shorten(str(error), 300, placeholder=" ...") or type(error).__name__
        raise TrackingError(
            f"The experiment store at {shown(uri)} did not take the run: {said}. Expected "
            "a store that can be reached and written to. Check the address (a local one looks like "
            f"{_SQLITE}mlflow.db; plain folders are no longer stores), or fit without tracking."
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without what MLflow tells about its own housekeeping: tables made, bars drawn, examples wished for."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels, bars = [logger.level for logger in loggers], os.environ.get(_BARS)
    for logger in loggers:
        logger.setLevel(max(logger.level, logging.WARNING))
    os.environ[_BARS] = "false"
    try:
        with warnings.catch_warnings():
            # The signature is made from the contract; an example would only repeat it.
            warnings.filterwarnings("ignore", ".*An input example was not provided", UserWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars is None:
            del os.environ[_BARS]
        else:
            os.environ[_BARS] = bars
