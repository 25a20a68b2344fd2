"""The plant's model once the action is known: fitted anew, with the action among its logged inputs.

What tied the latent to its labels is lean, so that the latent has something to explain. To act through it
takes the best model that there is, and an action that can be read is an input like any other: labels say what
it was where they are, the decoder elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from tslam.contract.roles import Kind, Role
from tslam.dynamics.lam import LAM
from tslam.errors import FrameError, TrainingError
from tslam.panel.chain import Structure
from tslam.panel.panel import Code, Encoding, Panel

__all__ = ["Driven", "Fit", "drive"]

Fit = Callable[[Panel], tuple[LAM, Structure]]
"""Fits a model to a panel as ``tslam.fit`` does."""


@dataclass(frozen=True, eq=False)
class Driven:
    """A model of the plant of which the action is an input."""

    lam: LAM
    structure: Structure
    mean: float
    sd: float
    """Middle and spread of the action, for scaling."""

    def beside(self, panel: Panel, action: str, values: Float[np.ndarray, " rows"]) -> Panel:
        """The panel with the action as the last of its logged ones; NaN where nothing is known of it."""
        return _beside(panel, action, (values - self.mean) / self.sd, self.mean, self.sd)


def drive(panel: Panel, action: str, values: Float[np.ndarray, " rows"], fit: Fit) -> Driven | None:
    """Fit the plant's model anew, with the action as labelled or read among its inputs.

    Args:
        panel: The record.
        action: Name of the action.
        values: The action on the rows of the panel, NaN where nothing is known of it.
        fit: Fits a model to a panel.

    Returns:
        The model; None where the record is too short for one, or no fit has finite numbers: a plan then goes
        through the lean one.
    """
    known = values[np.isfinite(values)]
    mean, sd = float(known.mean()), float(max(known.std(), 1e-12))
    try:
        lam, structure = fit(_beside(panel, action, (values - mean) / sd, mean, sd))
    except (FrameError, TrainingError):
        return None
    return Driven(lam, structure, mean, sd)


def _beside(panel: Panel, action: str, scaled: Float[np.ndarray, " rows"], mean: float, sd: float) -> Panel:
    codes = tuple(code for code in panel.encoding.codes if code.column != action)
    encoding = Encoding((*codes, Code(action, Role.ACTION, Kind.CONTINUOUS)))
    kept = [i for i, feature in enumerate(panel.action_features) if feature.column != action]
    s = panel.scaling
    return replace(
        panel,
        actions=np.column_stack([panel.actions[:, kept], scaled]),
        action_features=encoding.features(Role.ACTION),
        encoding=encoding,
        scaling=replace(s, act_mean=np.append(s.act_mean[kept], mean), act_sd=np.append(s.act_sd[kept], sd)),
    )
