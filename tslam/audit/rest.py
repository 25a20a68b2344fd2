"""When is the model at rest: nothing logged moves, and the state is one that is often visited?

Elsewhere it errs most, so that what it leaves over says more of the model than of the plant.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.panel.panel import Panel
from tslam.panel.windows import bounds, carry

__all__ = ["at_rest", "undisturbed"]

_ORDINARY = 0.8
"""Share of rows, by leverage, at which the model is not stretched."""


def at_rest(
    panel: Panel,
    rows: Int[np.ndarray, " n"],
    start: Bool[np.ndarray, " n"],
    F: Float[np.ndarray, "n wide"],
    penalty: float | Float[np.ndarray, " wide"],
    *,
    after: int,
    before: int = 0,
) -> Bool[np.ndarray, " n"]:
    """Transitions at which the model is at rest.

    Args:
        panel: The panel.
        rows: Grid row of each transition.
        start: True where an unbroken stretch begins.
        F: What the model regresses on, a constant among it.
        penalty: Ridge penalty per row, one number or one per regressor.
        after: Rows after a logged move that are not at rest.
        before: Rows before one that are not.
    """
    still = undisturbed(panel, rows, start, after=after, before=before)
    gram = F.T @ F + len(rows) * np.diag(np.broadcast_to(penalty, (F.shape[1],)))
    leverage = np.einsum("ti,ti->t", F @ np.linalg.inv(gram), F)
    return np.asarray(still & (leverage < np.quantile(leverage, _ORDINARY)))


def undisturbed(
    panel: Panel,
    rows: Int[np.ndarray, " n"],
    start: Bool[np.ndarray, " n"],
    *,
    after: int,
    before: int = 0,
) -> Bool[np.ndarray, " n"]:
    """Transitions near which no logged action moves.

    Args:
        panel: The panel.
        rows: Grid row of each transition.
        start: True where an unbroken stretch begins.
        after: Rows after a logged move that it disturbs.
        before: Rows before one, for what was smoothed moves a little early.
    """
    first, _ = bounds(panel)
    logged = carry(panel.actions, first)[rows]
    moved = (np.append(False, np.any(np.diff(logged, axis=0) != 0, axis=1)) & ~start).astype(float)
    since = np.convolve(moved, np.ones(after + 1))[: len(rows)] > 0
    until = np.convolve(moved[::-1], np.ones(before + 1))[: len(rows)][::-1] > 0
    return np.asarray(~since & ~until)
