"""All transitions of a panel in time order: what a path of latents runs along."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.panel.panel import Panel
from tslam.panel.windows import Design, bounds, design, transitions

__all__ = ["Chain", "Structure", "chain"]


@dataclass(frozen=True)
class Structure:
    """What the forward model sees."""

    lags: int
    """Samples of history, o_t .. o_{t-lags+1}."""
    input_lags: int = 1
    """Samples of each input, a_t .. a_{t-input_lags+1}."""
    within: frozenset[str] = frozenset()
    """Inputs that act within the interval: a_{t+1} is seen too."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Every transition inside a segment, usable or not, so that a latent persists across holes.

    ``rows`` are the grid rows t; ``usable`` tells where history is long enough and something was
    measured at t + 1. Elsewhere ``X`` is 0 and ``Y`` NaN. ``parts`` names the columns of ``X``.
    """

    rows: Int[np.ndarray, " n"]
    start: Bool[np.ndarray, " n"]
    usable: Bool[np.ndarray, " n"]
    X: Float[np.ndarray, "n feat"]
    Y: Float[np.ndarray, "n chan"]
    history: slice
    actions: slice
    exog: slice
    terms: tuple[tuple[str, int], ...]


def chain(panel: Panel, structure: Structure, past: Float[np.ndarray, "rows chan"] | None = None) -> Chain:
    """Transitions of all segments behind one another, with regressors and targets.

    Args:
        panel: The panel.
        structure: Lags and timing.
        past: What stands for each observation in the history; None: its last measured value.

    Raises:
        FrameError: no segment is long enough for one transition.
    """
    _, stop = bounds(panel)
    row = np.arange(panel.rows)
    rows = row[row + 1 < stop]
    start = np.append(True, np.diff(rows) != 1)[: rows.size]
    good = transitions(panel, structure.lags)
    d: Design = design(
        panel, good, structure.lags, input_lags=structure.input_lags, within=structure.within, past=past
    )
    at = np.searchsorted(rows, good)
    usable = np.zeros(rows.size, bool)
    usable[at] = True
    X = np.zeros((rows.size, d.X.shape[1]))
    X[at] = d.X
    Y = np.full((rows.size, d.Y.shape[1]), np.nan)
    Y[at] = d.Y
    return Chain(rows, start, usable, X, Y, d.history, d.actions, d.exog, d.terms)
