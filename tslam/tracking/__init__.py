"""Experiment tracking with MLflow: runs, data sets, a loadable model. No other room imports MLflow."""

import os

# MLflow reads this when it is imported, which the modules of this room do: it then sends no usage data.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
