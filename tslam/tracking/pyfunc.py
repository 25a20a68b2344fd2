"""A saved model in MLflow's generic flavour: code and files, no pickle."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mlflow.pyfunc
import polars as pl

from tslam.contract.model import Contract
from tslam.tracking.dataset import signature

__all__ = ["save_pyfunc"]

_ENTRY = Path(__file__).with_name("served.py")


def save_pyfunc(
    model_dir: Path, target: Path, *, contract: Contract, frame: pl.DataFrame | None = None
) -> None:
    """Wrap a saved model so that ``mlflow.pyfunc.load_model`` reads it.

    ``predict`` then takes a pandas frame and returns the latents of each row. MLflow hands on pandas
    only: convert a polars frame with ``to_pandas`` first.

    Args:
        model_dir: folder of a saved model; it is copied.
        target: folder to write, which does not exist yet.
        contract: says which columns the model takes.
        frame: frame like the ones to come, for the signature; None leaves the signature out.
    """
    mlflow.pyfunc.save_model(
        target,
        python_model=_ENTRY,
        artifacts={"tslam": str(model_dir)},
        signature=None if frame is None else signature(frame, contract),
        pip_requirements=[_requirement()],
        metadata={"contract": contract.name, "contract_version": contract.version},
    )


def _requirement() -> str:
    try:
        return f"tslam=={version('tslam')}"
    except PackageNotFoundError:  # run from a source tree
        return "tslam"
