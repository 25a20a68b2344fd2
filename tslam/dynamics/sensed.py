"""What the state was, as far as the readings up to a row tell: cleared of sensor noise, holes bridged.

A regression on noisy readings is biased towards "nothing lasts" (errors in variables), and one on a last
value that is some rows old errs whenever the state moved meanwhile. A linear state with a sensor for each
observation (:mod:`tslam.dynamics.sensing`) tells how much of each reading is noise, and what a missing one
would have said. It looks back only: the estimate of a row takes in no reading after it.
"""

import numpy as np
from jaxtyping import Float

from tslam.dynamics.sensing import Readings, fit_sensed, known_inputs
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds

__all__ = ["sensed_state"]

_ITERATIONS = 15
_SETTLED = 2e-4
"""Gain in log-likelihood per row below which the fit has settled."""
_RIDGE = 1e-4
"""Penalty per row on the transition's distance from persistence, and on what inputs do."""
_WORK = 3e7
"""Rows times cubed channels that EM learns from; of longer records the first stretch is enough."""


def sensed_state(panel: Panel, within: frozenset[str] = frozenset()) -> Float[np.ndarray, "rows chan"] | None:
    """Causal estimate of each observation at each grid row, scaled; None where the fit does not converge.

    Args:
        panel: The data.
        within: Inputs that act within the interval.
    """
    first, _ = bounds(panel)
    readings = Readings.of(panel, first, known_inputs(panel, first, within))
    learn = max(200, min(panel.rows, int(_WORK / panel.obs.shape[1] ** 3)))
    fit = fit_sensed(
        readings.head(learn), _RIDGE, state_ridge=_RIDGE, iterations=_ITERATIONS, settled=_SETTLED
    )
    if fit is None:
        return None
    state = fit.causal(readings)
    return state if np.isfinite(state).all() else None
