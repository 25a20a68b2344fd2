"""When is the model at rest: nothing logged moves, and the state is one that is often visited?"""

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.panel.panel import Panel
from tslam.panel.windows import bounds, carry

__all__ = ["at_rest"]

_AFTER = 6
"""Rows after a logged move that are not at rest: the model errs most there."""
_BEFORE = 2
"""Rows before one: a path that was smoothed moves a little early."""
_ORDINARY = 0.8
"""Share of rows, by leverage, at which the model is not stretched."""


def at_rest(
    panel: Panel, rows: Int[np.ndarray, " n"], start: Bool[np.ndarray, " n"], X: Float[np.ndarray, "n feat"]
) -> Bool[np.ndarray, " n"]:
    """Transitions at which the model is at rest.

    Args:
        panel: The panel.
        rows: Grid row of each transition.
        start: True where an unbroken stretch begins.
        X: What the model sees.
    """
    first, _ = bounds(panel)
    logged = carry(panel.actions, first)[rows]
    moved = np.append(False, np.any(np.diff(logged, axis=0) != 0, axis=1)) & ~start
    moving = moved.astype(float)
    since = np.convolve(moving, np.ones(_AFTER + 1))[: len(rows)] > 0
    until = np.convolve(moving[::-1], np.ones(_BEFORE + 1))[: len(rows)][::-1] > 0
    wide = np.column_stack([X, np.ones(len(X))])
    gram = wide.T @ wide + 1e-3 * len(X) * np.eye(wide.shape[1])
    leverage = np.einsum("ti,ti->t", wide @ np.linalg.inv(gram), wide)
    return np.asarray(~since & ~until & (leverage < np.quantile(leverage, _ORDINARY)))
