"""At which lag does a logged action show? Late logs, dead time, and columns that nothing follows.

The action is taken out of the rich model and put back shifted by s steps, for every s in range; its
held-out gain as a function of s peaks where the log and the effect meet. s > 0 means that the effect
comes before the log: earlier than any physical cause, so the log is late. s < 0 is dead time.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import cho_factor, cho_solve

from tslam.audit.ground import Ground, student_score
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.windows import bounds, carry

__all__ = ["EARLIEST", "LATEST", "LagScan", "scan_lags"]

LATEST = 32
"""Latest log looked for, in steps."""
EARLIEST = -12
"""Longest dead time looked for, in steps."""
BANDWIDTH = 50
"""Autocovariances in the HAC error of a gain: the effect of a held action lasts."""

AFTER = 3
"""Rows after a move that count as just after it."""
_WIDEST = 16
"""Most signals whose products with the shifted action are tried; more would only cost time."""
_RIDGE = 3e-3


@dataclass(frozen=True, eq=False)
class LagScan:
    """Held-out gain of one action column at each shift, over the model without it."""

    column: str
    shifts: tuple[int, ...]
    gains: Float[np.ndarray, "shift n"]
    """Nats per transition; in time order."""
    moved: Bool[np.ndarray, "shift n"]
    """Rows just after a move of the shifted log."""
    explained: Float[np.ndarray, "shift chan"]
    """Share of each channel's held-out residual variance that the shifted action takes off."""

    def test(self, shift: int, against: int | None = None) -> MeanTest:
        """HAC test of the gain at one shift, over nothing or over another shift."""
        gain = self.gains[self.shifts.index(shift)]
        other = 0.0 if against is None else self.gains[self.shifts.index(against)]
        return mean_test(gain - other, BANDWIDTH)

    def at_moves(self, shift: int) -> MeanTest:
        """HAC test of the gain just after the moves of the shifted log.

        A log that was frozen or coarse for long misleads between its moves; the moves that it does hold
        are followed by their effect all the same. Behind a column that drives nothing, nothing follows.
        """
        k = self.shifts.index(shift)
        return mean_test(self.gains[k][self.moved[k]], AFTER)

    def best(self, lowest: int, highest: int) -> int:
        """The shift in a range with the largest mean gain."""
        within = [s for s in self.shifts if lowest <= s <= highest]
        means = {s: float(self.gains[self.shifts.index(s)].mean()) for s in within}
        return max(within, key=lambda s: (means[s], -abs(s)))

    def largest_t(self) -> float:
        """The surest gain at any shift, over all rows."""
        return max(self.test(s).t for s in self.shifts)

    def largest_at_moves(self) -> float:
        """The surest gain at any shift just after moves."""
        return max(self.at_moves(s).t for s in self.shifts)


def scan_lags(ground: Ground, column: str) -> LagScan:
    """Scan one logged action.

    Args:
        ground: The cross-fitted rich model.
        column: Name of a logged action column.
    """
    panel = ground.panel
    own = panel.features_of(column)
    names = {panel.action_features[i].name for i in own}
    keep = ground.regressors.without(names)
    start, stop = bounds(panel)
    values = carry(panel.actions[:, own], start)
    shifts = tuple(range(EARLIEST, LATEST + 1))
    first, last = start[ground.rows], stop[ground.rows] - 1
    base = np.zeros_like(ground.Y)
    solved = []
    for split, gram in zip(ground.splits, ground.gram, strict=True):
        count = int(split.train.sum())
        Ft = ground.F[split.train][:, keep]
        factor = cho_factor(gram[np.ix_(keep, keep)] + np.diag(ground.penalty[keep] * count))
        W = cho_solve(factor, Ft.T @ ground.Y[split.train])
        base[split.held] = ground.Y[split.held] - ground.F[split.held][:, keep] @ W
        solved.append(
            (split, count, Ft, factor, ground.Y[split.train] - Ft @ W, ground.F[split.held][:, keep])
        )
    # holes say nothing: their residual is the rich model's own, zero, whatever the shift
    base *= ground.seen
    without = student_score(base, ground.cov)
    rest = np.maximum((base**2).sum(axis=0), 1e-30)
    scans = []
    for mixed in _mixers(ground):
        after = np.zeros((len(shifts), ground.n), bool)
        gains = np.zeros((len(shifts), ground.n))
        explained = np.zeros((len(shifts), ground.Y.shape[1]))
        for k, shift in enumerate(shifts):
            moved = values[np.clip(ground.rows + shift, first, last)]
            changed = np.append(False, np.any(np.diff(moved, axis=0) != 0, axis=1)) & ~ground.start
            after[k] = np.convolve(changed, np.ones(AFTER))[: ground.n] > 0
            Z = (moved[:, :, None] * mixed[:, None, :]).reshape(ground.n, -1)
            left_over = base.copy()
            for split, count, Ft, factor, left, Fh in solved:
                Zt = Z[split.train]
                V = cho_solve(factor, Ft.T @ Zt)
                inner = Zt.T @ Zt - (Ft.T @ Zt).T @ V + _RIDGE * count * np.eye(Z.shape[1])
                D = np.linalg.solve(inner, Zt.T @ left)
                left_over[split.held] -= (Z[split.held] - Fh @ V) @ D
            left_over *= ground.seen
            gains[k] = student_score(left_over, ground.cov) - without
            explained[k] = 1.0 - (left_over**2).sum(axis=0) / rest
        scans.append(LagScan(column, shifts, gains, after, explained))
    return max(scans, key=lambda s: float(s.gains.mean(axis=1).max()))


def _mixers(ground: Ground) -> list[Float[np.ndarray, "n mixer"]]:
    """What the shifted action is multiplied with: one; and where they are few, the state and the drivers."""
    drivers = carry(ground.panel.exog, bounds(ground.panel)[0])[ground.rows]
    signals = np.column_stack([ground.X[:, : ground.Y.shape[1]], drivers])
    ones = np.ones((ground.n, 1))
    if signals.shape[1] > _WIDEST:
        return [ones]
    return [ones, np.column_stack([ones, 3.0 * np.tanh(signals / 3.0)])]
