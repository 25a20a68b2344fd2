"""What holds for every test: no telemetry, one clock, few threads, checked shapes."""

import os

# Before anything is imported: libraries read these once.
os.environ.update(
    TZ="UTC",
    MLFLOW_DISABLE_TELEMETRY="true",
    DO_NOT_TRACK="true",
    OMP_NUM_THREADS="1",
    RAY_USAGE_STATS_ENABLED="0",
    MPLBACKEND="agg",
)
for ours in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID"):
    os.environ.pop(ours, None)

import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

time.tzset()

# Times on a shared machine say nothing, and few examples find what these properties can break on.
settings.register_profile(
    "tslam", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("tslam")

# Kernels stay as they are: numba compiles plain functions only.
ROOMS = {path.stem for path in (Path(__file__).parents[1] / "tslam").glob("[a-z]*")} - {"kernels"}
install_import_hook([f"tslam.{room}" for room in ROOMS], "shape_checks.checked")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on the path: .ci/run installs it, or apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def cuda() -> str:
    """The name of a CUDA device."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: make check-gpu, on a machine that has one")
    return "cuda"
