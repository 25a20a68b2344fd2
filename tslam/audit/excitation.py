"""How much does a logged action move by itself? What never moves, or only follows, cannot be judged."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.panel.chain import Chain, Structure, chain
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds, carry

__all__ = ["Excitation", "excitation"]

FEWEST_MOVES = 2
"""Moves up to which an action's effect is known from next to nothing."""
_RIDGE = 1e-6


@dataclass(frozen=True)
class Excitation:
    """How one logged action is excited."""

    column: str
    measured: int
    """Grid rows with a logged value."""
    moves: int
    """Changes from one logged value to the next, whether or not values are lost in between."""
    free: float
    """Share of the action's variance that the observations of the same and the last rows leave open."""
    empty_series: tuple[str, ...]
    """Series in which nothing was logged."""

    @property
    def still(self) -> bool:
        """Does it move too seldom for its effect to be known?"""
        return self.moves <= FEWEST_MOVES


def excitation(panel: Panel, lags: int = 2) -> list[Excitation]:
    """Excitation of every logged action.

    ``free`` is the residual share of a linear regression on the observations at the same stamp and the
    ``lags`` before: a column written by a controller from the same sample has none.
    """
    start, _ = bounds(panel)
    c = chain(panel, Structure(lags)) if panel.rows > lags + 1 else None
    out = []
    for column in panel.action_columns():
        at = panel.features_of(column)
        values = panel.actions[:, at]
        seen = np.isfinite(values).all(axis=1)
        moves = _moves(values, seen, start)
        empty = tuple(
            name for i, name in enumerate(panel.series_names) if not seen[panel.series_of == i].any()
        )
        free = 1.0 if c is None else _free(c, values)
        out.append(Excitation(column, int(seen.sum()), moves, free, empty))
    return out


def _moves(
    values: Float[np.ndarray, "rows feat"], seen: Bool[np.ndarray, " rows"], start: Int[np.ndarray, " rows"]
) -> int:
    """Changes of what was logged last, inside segments."""
    held = carry(values, start)
    known = np.maximum.accumulate(np.where(seen, np.arange(len(seen)), -1)) >= start
    changed = np.any(held[1:] != held[:-1], axis=1)
    return int((changed & known[:-1] & (start[1:] == start[:-1])).sum())


def _free(c: Chain, values: np.ndarray) -> float:
    """Largest residual share over the channels of a column."""
    rows = c.rows[c.usable]
    F = np.column_stack([c.X[c.usable][:, c.history], np.ones(len(rows))])
    target = values[rows]
    seen = np.isfinite(target).all(axis=1)
    if seen.sum() < 2 * F.shape[1]:
        return 1.0
    F, target = F[seen], target[seen]
    spread = target.var(axis=0)
    if not (spread > 1e-12).any():
        return 0.0
    W = np.linalg.solve(F.T @ F + _RIDGE * len(F) * np.eye(F.shape[1]), F.T @ target)
    left = (target - F @ W).var(axis=0)
    return float((left / np.maximum(spread, 1e-12)).max())
