"""An action as read from the samples around it, and whether what was read had its effect.

An inverse dynamics model, learnt away from some stretches, reads in them what was done. The forward model,
learnt away from them too, says whether that was so: o_{t+1} misses what the log predicts by the effect of the
difference between done and logged.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from jaxtyping import Bool, Float

from tslam.audit.cross_fit import solved
from tslam.audit.finding import driven_channels
from tslam.audit.ground import Ground
from tslam.audit.lag_scan import BANDWIDTH
from tslam.audit.student import DEGREES
from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.products import Products, widened
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.split import Split

__all__ = ["Reading", "read_of"]

_RIDGE, _PRODUCT_RIDGE = 1e-4, 1e-2
_WIDEST = 30
"""Most signals of which products are read, too."""


@dataclass(frozen=True, eq=False)
class Reading:
    """An action as logged and as read."""

    squared: Float[np.ndarray, " n"]
    """Error of what is read from the samples around a row."""
    spread: float
    """Variance of the action where its log is not silent."""
    along: Float[np.ndarray, " n"]
    """How far o_{t+1} goes along with the effect of what was read before it came, beyond the log."""
    size: Float[np.ndarray, " n"]
    """How far it would, had that been done."""
    channels: tuple[str, ...]
    """What the action drives, strongest first."""

    def share(self, rows: Bool[np.ndarray, " n"]) -> float:
        """Share of what was read beyond the log that was done."""
        return float(self.along[rows].sum() / max(float(self.size[rows].sum()), 1e-30))

    def at_most(self, rows: Bool[np.ndarray, " n"]) -> float:
        """Upper bound of that share, two standard errors above it."""
        return self.share(rows) + 2.0 / sqrt(max(float(self.size[rows].sum()), 1e-30))

    def nats(self, rows: Bool[np.ndarray, " n"]) -> float:
        """What that adds to the prediction."""
        return 0.5 * self.share(rows) * float(self.along[rows].sum())

    def test(self, rows: Bool[np.ndarray, " n"]) -> MeanTest:
        """HAC test of "nothing that was read beyond the log was done"."""
        return mean_test(self.along[rows], BANDWIDTH)


def read_of(ground: Ground, column: str, inside: Bool[np.ndarray, " n"]) -> Reading:
    """Read an action, and hold what was read against what followed.

    Args:
        ground: The rich model, the column among its inputs.
        column: Name of a logged action column.
        inside: Transitions that nothing is learnt from.
    """
    panel, precision, logged = ground.panel, np.linalg.inv(ground.cov), ground.logged(column)
    error = logged - _read(ground, logged, inside, ahead=True)
    beyond = _read(ground, logged, inside, ahead=False) - logged
    elsewhere = _learnt_elsewhere(ground, inside)
    names = [f.name for f in panel.action_features if f.column == column]
    unit = elsewhere.direction(names)
    effect = np.where(ground.seen, np.einsum("tck,tk->tc", unit, beyond), 0.0)
    carried = effect @ precision * elsewhere.trust[:, None]
    return Reading(
        squared=(error**2).sum(axis=1),
        spread=float(logged[~inside].var(axis=0).sum()),
        along=(carried * elsewhere.residual).sum(axis=1),
        size=(carried * effect).sum(axis=1),
        channels=driven_channels(ground, np.sqrt((unit**2).mean(axis=(0, 2)))),
    )


def _read(
    ground: Ground, logged: Float[np.ndarray, "n feat"], inside: Bool[np.ndarray, " n"], *, ahead: bool
) -> Float[np.ndarray, "n feat"]:
    """An action as read by a model that did not learn from that row, nor from any silence.

    From the sample after it, if ``ahead``, the one before, exogenous variables and the past. Nothing that is
    logged of other actions is among it: those set together would tell each other. Nothing is read beyond what
    was ever logged.
    """
    chan = ground.Y.shape[1]
    drivers = ground.held(ground.panel.exog)
    signals = np.column_stack([*([ground.Y] if ahead else []), ground.X[:, :chan], drivers])
    past = ground.X[:, chan : ground.regressors.inputs_from]
    F, penalty = np.column_stack([signals, past]), np.full(signals.shape[1] + past.shape[1], _RIDGE)
    if signals.shape[1] <= _WIDEST:
        current = np.arange(signals.shape[1])
        F = widened(F, Products.learn(F[~inside][:, current], signals.shape[1]), current)
        penalty = np.append(penalty, np.full(F.shape[1] - penalty.size, _PRODUCT_RIDGE))
    out = fit_ridge(F, logged, ~inside, penalty).mean(F)
    for split in ground.splits:
        own = split.held & ~inside
        out[own] = fit_ridge(F, logged, split.train & ~inside, penalty).mean(F[own])
    return np.asarray(np.clip(out, logged.min(axis=0), logged.max(axis=0)))


def _learnt_elsewhere(ground: Ground, inside: Bool[np.ndarray, " n"]) -> Ground:
    """The ground as it would be, had it learnt from no silence; its own held-out rows where there is none."""
    F = ground.F[~inside]
    W = solved(F.T @ F, F.T @ ground.Y[~inside], ground.ridge, len(F))
    there = np.where(ground.seen, ground.Y - ground.F @ W, 0.0)
    residual = np.where(inside[:, None], there, ground.residual)
    distance = np.einsum("tc,cd,td->t", residual, np.linalg.inv(ground.cov), residual)
    return replace(
        ground,
        splits=(Split(train=~inside, held=np.ones(ground.n, bool)),),
        weights=(W,),
        residual=residual,
        trust=(DEGREES + ground.seen.sum(axis=1)) / (DEGREES + distance),
        plain=None,
    )
