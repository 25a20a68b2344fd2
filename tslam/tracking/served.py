"""What MLflow runs when it loads a logged model: frame in, latents out.

This file is copied into the logged model and run as its entry; no room of the library imports it.
"""

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

import tslam


class LatentActions(PythonModel):  # type: ignore[misc] # MLflow's classes are not typed
    """A saved model that infers latents, on the CPU."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the saved model that was logged along."""
        self._model = tslam.load(context.artifacts["tslam"], device="cpu")

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Latents of each row; inferred, never logged."""
        del context, params  # MLflow hands them to every model
        latents: pd.DataFrame = self._model.infer(model_input)
        return latents


set_model(LatentActions())
