"""At which lag does a logged action show? Late logs, dead time, and columns that nothing follows.

The action is taken out of the rich model and put back shifted by s steps, for every s in range; its
held-out gain as a function of s peaks where the log and the effect meet. s > 0 means that the effect
comes before the log: earlier than any physical cause, so the log is late. s < 0 is dead time.

An action drives a few channels, and what is learnt of its effect on all others is noise that costs as much
held out. So what was learnt on each channel is shrunk by as much as chance would explain there. What is
learnt of its products with the state is not: with them nearly every shift explains much, and shrunk they
would be taken for the plain effect more often, and blur the peak.

Source: positive-part shrinkage, James and Stein, Proceedings of the Fourth Berkeley Symposium 1, 1961; Efron
and Morris, Journal of the American Statistical Association 68(341), 1973.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import cho_factor, cho_solve

from tslam.audit.ground import Ground
from tslam.audit.student import student_centre, student_score
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.windows import bounds, carry

__all__ = ["EARLIEST", "LATEST", "SHIFTS", "LagScan", "scan_lags", "transferred"]

LATEST = 32
"""Latest log looked for, in steps."""
EARLIEST = -12
"""Longest dead time looked for, in steps."""
BANDWIDTH = 50
"""Autocovariances in the HAC error of a gain: the effect of a held action lasts."""
SHIFTS = tuple(range(EARLIEST, LATEST + 1))

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

    def bound(self) -> float:
        """Upper 95% bound of the gain at the best shift, nats per 1,000 rows."""
        test = self.test(self.best(EARLIEST, LATEST))
        return 1000.0 * (test.mean + 1.645 * test.error)


def scan_lags(ground: Ground, column: str) -> LagScan:
    """Scan one logged action.

    Args:
        ground: The cross-fitted rich model.
        column: Name of a logged action column.
    """
    bare = _Bare(ground, column)
    scans = []
    for mixed in _mixers(ground):
        after = np.zeros((len(SHIFTS), ground.n), bool)
        gains = np.zeros((len(SHIFTS), ground.n))
        explained = np.zeros((len(SHIFTS), ground.Y.shape[1]))
        for k, shift in enumerate(SHIFTS):
            moved = bare.moved(shift)
            changed = np.append(False, np.any(np.diff(moved, axis=0) != 0, axis=1)) & ~ground.start
            after[k] = np.convolve(changed, np.ones(AFTER))[: ground.n] > 0
            Z = _times(moved, mixed)
            left = bare.left_by(Z, bare.learn(Z))
            gains[k] = bare.gain(left)
            explained[k] = 1.0 - (left**2).sum(axis=0) / bare.energy
        scans.append(LagScan(column, SHIFTS, gains, after, explained))
    return max(scans, key=lambda s: float(s.gains.mean(axis=1).max()))


def transferred(ground: Ground, column: str, learnt_at: int) -> Float[np.ndarray, "shift n"]:
    """Gain of an action at each shift by the effect it has at one of them.

    Where most series of a fleet log an action in time, what it does is learnt there; in a series that logs
    it late that effect fits at another shift, which the series' own few rows could not tell.

    Args:
        ground: The cross-fitted rich model.
        column: Name of a logged action column.
        learnt_at: Shift at which the effect is learnt.
    """
    bare = _Bare(ground, column)
    found = []
    for mixed in _mixers(ground):
        effect = bare.learn(_times(bare.moved(learnt_at), mixed))
        found.append(
            np.array([bare.gain(bare.left_by(_times(bare.moved(s), mixed), effect)) for s in SHIFTS])
        )
    at = SHIFTS.index(learnt_at)
    return max(found, key=lambda gains: float(gains[at].mean()))


class _Bare:
    """The rich model without one action, and what it takes to put the action back, shifted."""

    def __init__(self, ground: Ground, column: str) -> None:
        panel = ground.panel
        own = panel.features_of(column)
        self._features = len(own)
        keep = ground.regressors.without({panel.action_features[i].name for i in own})
        start, stop = bounds(panel)
        self._values = carry(panel.actions[:, own], start)
        self._first, self._last = start[ground.rows], stop[ground.rows] - 1
        self._ground = ground
        self._folds = []
        base = np.zeros_like(ground.Y)
        for split, gram in zip(ground.splits, ground.gram, strict=True):
            count = int(split.train.sum())
            Ft, Fh = ground.F[split.train][:, keep], ground.F[split.held][:, keep]
            factor = cho_factor(gram[np.ix_(keep, keep)] + np.diag(ground.penalty[keep] * count))
            W = cho_solve(factor, Ft.T @ ground.Y[split.train])
            base[split.held] = ground.Y[split.held] - Fh @ W
            self._folds.append((split, Ft, Fh, factor, ground.Y[split.train] - Ft @ W))
        # holes say nothing: their residual is the rich model's own, zero, whatever the shift
        self._base = np.where(ground.seen, base - student_centre(base, ground.seen, ground.cov), 0.0)
        self._without = student_score(self._base, ground.cov)
        self.energy = np.maximum((self._base**2).sum(axis=0), 1e-30)

    def moved(self, shift: int) -> Float[np.ndarray, "n feat"]:
        """The action so many steps later; at the ends of a segment the nearest value."""
        return np.asarray(self._values[np.clip(self._ground.rows + shift, self._first, self._last)])

    def learn(self, Z: Float[np.ndarray, "n mixed"]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each fold: what the known says of Z, and what the rest of it does."""
        out = []
        for split, Ft, _, factor, left in self._folds:
            Zt = Z[split.train]
            shared = Ft.T @ Zt
            V = cho_solve(factor, shared)
            inner = Zt.T @ Zt - shared.T @ V + _RIDGE * len(Zt) * np.eye(Z.shape[1])
            D = np.linalg.solve(inner, Zt.T @ left)
            out.append((V, D * _kept(D, inner, left) if len(D) == self._features else D))
        return out

    def left_by(
        self, Z: Float[np.ndarray, "n mixed"], effect: list[tuple[np.ndarray, np.ndarray]]
    ) -> Float[np.ndarray, "n chan"]:
        """Held-out residuals with Z put in."""
        out = self._base.copy()
        for (split, _, Fh, _, _), (V, D) in zip(self._folds, effect, strict=True):
            out[split.held] -= (Z[split.held] - Fh @ V) @ D
        return np.asarray(out * self._ground.seen)

    def gain(self, left: Float[np.ndarray, "n chan"]) -> Float[np.ndarray, " n"]:
        """Nats per transition over the model without the action."""
        return np.asarray(student_score(left, self._ground.cov) - self._without)


def _kept(
    D: Float[np.ndarray, "mixed chan"],
    inner: Float[np.ndarray, "mixed mixed"],
    left: Float[np.ndarray, "train chan"],
) -> Float[np.ndarray, " chan"]:
    """Share of what was learnt on each channel that is kept: none where chance would explain as much.

    Chance is independent from row to row here; noise that lasts is shrunk by too little.
    """
    told = np.einsum("kc,kl,lc->c", D, inner, D)
    noise = np.maximum((left**2).sum(axis=0) - told, 0.0) / len(left)
    return np.asarray(np.maximum(0.0, 1.0 - len(D) * noise / np.maximum(told, 1e-30)))


def _times(moved: Float[np.ndarray, "n feat"], mixed: Float[np.ndarray, "n mixer"]) -> np.ndarray:
    return np.asarray((moved[:, :, None] * mixed[:, None, :]).reshape(len(moved), -1))


def _mixers(ground: Ground) -> list[Float[np.ndarray, "n mixer"]]:
    """What the shifted action is multiplied with: one; and where they are few, the state and the drivers."""
    drivers = ground.held(ground.panel.exog)
    signals = np.column_stack([ground.X[:, : ground.Y.shape[1]], drivers])
    ones = np.ones((ground.n, 1))
    if signals.shape[1] > _WIDEST:
        return [ones]
    return [ones, np.column_stack([ones, 3.0 * np.tanh(signals / 3.0)])]
