"""Origins: from where a forecast starts, and what is known there."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tslam.dynamics.lam import LAM
from tslam.errors import FrameError
from tslam.panel.chain import Chain, Structure
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds, carry
from tslam.plan.simulate import Inputs, before

__all__ = ["Origins", "gather", "latest", "past", "steps_ahead"]


@dataclass(frozen=True, eq=False)
class Origins:
    """Rows T, what was measured up to them, and their latents as known at T."""

    rows: Int[np.ndarray, " n"]
    history: Float[Tensor, "n lags chan"]
    inputs: Inputs
    """As logged, and held at the segment's last row where the log ends."""
    latents: Float[Tensor, "n steps latent"]
    """As known at T, decaying by their persistence."""


def latest(panel: Panel, structure: Structure) -> Int[np.ndarray, " series"]:
    """The last row of each series.

    Raises:
        FrameError: the last stretch of a series is shorter than the history that the model sees.
    """
    start, _ = bounds(panel)
    rows = np.array(
        [np.flatnonzero(panel.series_of == code)[-1] for code in range(len(panel.series_names))], np.int64
    )
    short = [panel.series_names[i] for i in np.flatnonzero(rows - start[rows] + 1 < structure.lags)]
    if short:
        raise FrameError(
            f"The last unbroken stretch of series {short} has fewer rows than the {structure.lags} that the "
            "model sees. Give a longer history, or one without a long gap at its end."
        )
    return rows


def past(
    panel: Panel, structure: Structure, allowed: Bool[np.ndarray, " rows"], most: int
) -> Int[np.ndarray, " n"]:
    """Rows from which a first step is allowed, evenly thinned.

    Args:
        panel: The panel.
        structure: Lags and timing.
        allowed: Transitions (by the row that they leave) whose truth may be looked at.
        most: Most rows to return.
    """
    start, stop = bounds(panel)
    row = np.arange(panel.rows)
    rows = np.flatnonzero((row - structure.lags + 1 >= start) & (row + 1 < stop) & allowed)
    return rows if rows.size <= most else rows[np.linspace(0, rows.size - 1, most).astype(np.int64)]


def gather(
    panel: Panel, chain: Chain, structure: Structure, lam: LAM, rows: Int[np.ndarray, " n"], steps: int
) -> Origins:
    """Histories, inputs and latents of origins."""
    start, stop = bounds(panel)
    lags = np.arange(structure.lags)
    history = carry(panel.obs, start)[rows[:, None] - lags]
    span = np.arange(-before(structure), steps + 1)
    wanted = rows[:, None] + span
    at = np.clip(wanted, start[rows][:, None], stop[rows][:, None] - 1)
    early = wanted < start[rows][:, None]
    inputs = []
    for values in (panel.actions, panel.exog):
        taken = carry(values, start)[at]
        taken[early] = 0.0
        inputs.append(torch.from_numpy(taken))
    return Origins(
        rows, torch.from_numpy(history), Inputs(*inputs), _latents(panel, chain, lam, rows, start, steps)
    )


def steps_ahead(
    allowed: Bool[np.ndarray, " rows"], stop: Int[np.ndarray, " rows"]
) -> Int[np.ndarray, " rows"]:
    """How many transitions from each row on, itself included, are allowed and in its segment."""
    row = np.arange(allowed.size)
    blocked = np.append(np.flatnonzero(~(allowed & (row + 1 < stop))), allowed.size)
    return np.asarray(blocked[np.searchsorted(blocked, row)] - row)


def _latents(
    panel: Panel,
    chain: Chain,
    lam: LAM,
    rows: Int[np.ndarray, " n"],
    start: Int[np.ndarray, " rows"],
    steps: int,
) -> Float[Tensor, "n steps latent"]:
    """What is known at T of the step that leaves T, and of the steps after it."""
    if lam.inverse is None:
        return torch.zeros(rows.size, steps, 0, dtype=torch.float64)
    path = lam.inverse.path(chain.Y - lam.forward.mean(chain.X), chain.start, "filtered")
    known = np.zeros((panel.rows, lam.latents))
    known[chain.rows] = path.mean
    last = np.where((rows > start[rows])[:, None], known[np.maximum(rows - 1, 0)], 0.0)
    decay = lam.inverse.phi ** np.arange(1, steps + 1)[:, None]
    return torch.from_numpy(last[:, None] * decay)
