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

__all__ = ["runs_away", "sensed_state"]

_ITERATIONS = 15
_SETTLED = 2e-4
"""Gain in log-likelihood per row below which the fit has settled."""
_RIDGE = 1e-4
"""Penalty per row on the transition's distance from persistence, and on what inputs do."""
_FURTHEST = 10.0
"""Times the largest reading up to which a state is believed: over a long hole one that grows runs away."""
_WORK = 3e7
"""Rows times cubed channels that EM learns from; of longer records the first stretch is enough."""


def sensed_state(panel: Panel, within: frozenset[str] = frozenset()) -> Float[np.ndarray, "rows chan"] | None:
    """Causal estimate of each observation at each grid row, scaled; None where there is none to be believed.

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
    return None if runs_away(state, readings) else state


def runs_away(state: Float[np.ndarray, "n chan"], readings: Readings) -> bool:
    """Has a state left the numbers, or all that was ever read, by more than a hole excuses?"""
    largest = np.abs(readings.y[readings.seen]).max(initial=0.0)
    return not bool(np.abs(state).max() <= _FURTHEST * largest)  # NaN is on neither side
