"""Several series, one model: what is usual for a series is no latent, and neither are its units.

A panel takes the observations of each series about their own mean, in units of their own spread, and the
inputs of all series about one mean. A shared model then owes each series a constant, which is the most
persistent latent of all; and where the same plant swung more in one series than in another, it owes each
series effects of its own size. So inputs are taken about the mean of their series as well, and observations
in units that all series share, unless the series predict each other better in units of their own.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from tslam.audit.ground import Ground, lay_ground
from tslam.panel.chain import Structure
from tslam.panel.panel import Panel

__all__ = ["common_ground"]


def common_ground(panel: Panel, structure: Structure) -> Ground:
    """The rich model of a panel, of several series in the units that predict better, held out.

    Args:
        panel: The data.
        structure: Of the fitted model.

    Raises:
        FrameError: too few rows for folds.
    """
    if len(panel.series_names) < 2:
        return lay_ground(panel, structure)
    panel = _centred(panel)
    scale = _to_common_units(panel)
    own = lay_ground(panel, structure)
    shared = lay_ground(replace(panel, obs=panel.obs * scale), structure)
    return shared if _loss(shared, shared.residual / scale[shared.rows]) <= _loss(own, own.residual) else own


def _centred(panel: Panel) -> Panel:
    """The panel with the inputs of each series about their own mean."""
    return replace(panel, actions=_within(panel, panel.actions), exog=_within(panel, panel.exog))


def _within(panel: Panel, values: Float[np.ndarray, "rows chan"]) -> Float[np.ndarray, "rows chan"]:
    out = values.copy()
    for i in range(len(panel.series_names)):
        rows = panel.series_of == i
        measured = np.isfinite(out[rows])
        out[rows] -= np.where(measured, out[rows], 0.0).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
    return out


def _to_common_units(panel: Panel) -> Float[np.ndarray, "rows chan"]:
    """Factor of each observation from the units of its series to the typical ones."""
    place = {name: i for i, name in enumerate(panel.scaling.series)}
    sd = panel.scaling.obs_sd[[place[name] for name in panel.series_names]]
    return np.asarray((sd / np.median(sd, axis=0))[panel.series_of])


def _loss(ground: Ground, residual: Float[np.ndarray, "n chan"]) -> float:
    """Mean over the channels of the log of their held-out error."""
    error = (residual**2).sum(axis=0) / np.maximum(ground.seen.sum(axis=0), 1)
    return float(np.log(error + 1e-12).mean())
