"""Does a held latent improve causal, held-out prediction of a model that is lean and yet adequate?

The richer the history, the more of a held level it already carries, and the less a latent can add. So
the question is put to the leanest model, one past sample, and counts only where that model with the
latent predicts no worse than the rich one without: there a latent explains what more history would, and
explains it more simply. Where the rich model is ahead, the lean one is not adequate: a lean model's own
shortcomings are held, too. They move with the logged actions, so that a latent still counts that jumps as
much while those rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import kurtosis

from tslam.audit.ground import Ground
from tslam.audit.rest import Resting, resting_steps
from tslam.audit.student import robust_scatter, student_score
from tslam.dynamics.forward import LinearForward, fit_ridge
from tslam.dynamics.held import HeldFit, fit_held
from tslam.dynamics.products import Products, widened
from tslam.kernels.hac import MeanTest, mean_test
from tslam.kernels.side_by_side import side_by_side
from tslam.panel.chain import Structure, chain
from tslam.panel.split import folds

__all__ = ["Causal", "Lean", "agreement", "causal_latent", "jumpiness", "lean_fits", "parts_of"]

_START = 0.98
_ONCE = 3
"""Steps left out of the kurtosis, the largest: what happened once or twice is no action."""
_SMEARED = 5
"""Rows on either side that are left out with them: a smoothed path takes one jump in several steps."""
_BANDWIDTH = 50
_WIDEST = 300
"""Above this many regressors the lean model goes without products: EM visits them at every step."""
_ITERATIONS = 80
_FOLDS, _HALVES = 4, 2
_FEW = 4000
"""Rows below which four fits, each on three quarters of them, are asked: on half of so few a level that is
held for long is learnt badly, and what a fit has not learnt it cannot gain elsewhere."""


@dataclass(frozen=True, eq=False)
class Lean:
    """The lean model with and without a held latent, fitted on some of the blocks, asked on the others."""

    F: Float[np.ndarray, "n wide"]
    Y: Float[np.ndarray, "n chan"]
    start: Bool[np.ndarray, " n"]
    rows: np.ndarray
    held: tuple[Bool[np.ndarray, " n"], ...]
    with_latent: tuple[HeldFit, ...]
    without: tuple[LinearForward, ...]


@dataclass(frozen=True, eq=False)
class Causal:
    """What a held latent adds, causally and held out."""

    gain: MeanTest
    """Nats per transition over the lean model without it, both scored in the scatter of the rich one."""
    own_gain: MeanTest
    """The same in the lean model's own scatter: in that of a far better model any gain is large."""
    against_rich: MeanTest
    """Nats per transition of lean with latent over rich without: adequate where not surely negative."""
    persistence: float
    agreement: float
    """Correlation between the latents of two parts, in the median: what is there is there for all of them."""
    resting: Resting
    """Does the latent step where no logged action moves?"""
    jumpiness: float
    """Excess kurtosis of the increments of the smoothed latent: 0 is a random walk, large jumps and holds."""
    level: Float[np.ndarray, " n"]
    """Smoothed latent on the ground's transitions, by one fit throughout: where it steps, something moved."""
    direction: Float[np.ndarray, " chan"]
    """What one unit of the latent adds to o_{t+1}, scaled."""


def lean_fits(ground: Ground) -> Lean:
    """Fit the lean model, with and without one held latent, on folds of interleaved blocks."""
    panel = ground.panel
    c = chain(panel, Structure(1, 1, ground.within), ground.past)
    current = np.array([i for i, (_, offset) in enumerate(c.terms)])
    learn = c.usable
    products = Products.learn(c.X[learn][:, current], len(panel.channels))
    wide = c.X.shape[1] + len(products.pairs) <= _WIDEST and ground.penalty[-2] < 1.0
    F = widened(c.X, products, current) if wide else c.X
    penalty = np.full(F.shape[1], ground.penalty[0])
    penalty[c.X.shape[1] :] = ground.penalty[-2]
    at = np.flatnonzero(c.usable)
    parts = folds(panel, c.rows[at], count=parts_of(len(at)), purge=10)
    trains, held = np.zeros((2, len(parts), len(c.rows)), bool)
    for part, train, test in zip(parts, trains, held, strict=True):
        train[at[part.train]], test[at[part.held]] = True, True

    def fitted(train: Bool[np.ndarray, " n"]) -> HeldFit:
        return fit_held(
            F, c.Y, train, c.start, latents=1, ridge=penalty, iterations=_ITERATIONS, starts=(_START,)
        )

    fits = side_by_side(fitted, list(trains))
    plain = [fit_ridge(F, c.Y, train, penalty) for train in trains]
    return Lean(F, c.Y, c.start, c.rows, tuple(held), tuple(fits), tuple(plain))


def parts_of(rows: int) -> int:
    """Parts that take turns at being held out: four of a short record, two of a long one."""
    return _FOLDS if rows < _FEW else _HALVES


def causal_latent(ground: Ground, lean: Lean) -> Causal:
    """Test the latent of the lean model."""
    n = len(lean.rows)
    gain, versus = np.full(n, np.nan), np.full(n, np.nan)
    ahead, behind = np.zeros_like(lean.Y), np.zeros_like(lean.Y)
    levels: list[Float[np.ndarray, " n"]] = []
    rich = np.full((int(lean.rows.max()) + 2, ground.Y.shape[1]), np.nan)
    rich[ground.rows] = np.where(ground.seen, ground.residual, np.nan)
    seen = np.isfinite(lean.Y)
    for test, fit, plain in zip(lean.held, lean.with_latent, lean.without, strict=True):
        left = lean.Y - fit.forward.mean(lean.F)
        path = fit.inverse.path(left, lean.start)
        levels.append(path.mean[:, 0])
        ahead[test] = np.where(seen, left - path.prior @ fit.inverse.B.T, 0.0)[test]
        behind[test] = np.where(seen, lean.Y - plain.mean(lean.F), 0.0)[test]
    tested = np.logical_or.reduce(lean.held)
    both = tested & np.isfinite(rich[lean.rows]).any(axis=1)
    gain[tested] = _gain(ahead, behind, ground.cov)[tested]
    versus[both] = _gain(ahead, np.nan_to_num(rich[lean.rows]), ground.cov)[both]
    own, _ = robust_scatter(behind[tested], seen[tested])
    level = levels[0]
    inside = ~lean.start[1:]
    return Causal(
        gain=mean_test(gain, _BANDWIDTH),
        own_gain=mean_test(np.where(tested, _gain(ahead, behind, own), np.nan), _BANDWIDTH),
        against_rich=mean_test(versus, _BANDWIDTH),
        persistence=float(np.median([f.inverse.phi[0] for f in lean.with_latent])),
        agreement=agreement(levels),
        resting=resting_steps(ground, levels, lean.rows, lean.start),
        jumpiness=jumpiness(np.diff(level)[inside]),
        level=level[np.searchsorted(lean.rows, ground.rows)],
        direction=lean.with_latent[0].inverse.B[:, 0],
    )


def _gain(
    ahead: Float[np.ndarray, "n chan"],
    behind: Float[np.ndarray, "n chan"],
    cov: Float[np.ndarray, "chan chan"],
) -> Float[np.ndarray, " n"]:
    return np.asarray(student_score(ahead, cov) - student_score(behind, cov))


def agreement(paths: Sequence[Float[np.ndarray, " n"]]) -> float:
    """Correlation between the paths that parts of a record find, in the median pair, whatever their sign."""
    likeness = np.abs(np.corrcoef(paths))
    return float(np.median(likeness[np.triu_indices_from(likeness, 1)]))


def jumpiness(steps: Float[np.ndarray, " n"]) -> float:
    """Excess kurtosis of all but the largest steps: a sensor that is set anew jumps once, a hand often."""
    left = np.abs(steps)
    for _ in range(_ONCE):
        first = int(np.nanargmax(left))
        left[max(0, first - _SMEARED) : first + _SMEARED + 1] = np.nan
        if np.isnan(left).all():
            return 0.0
    return float(kurtosis(steps[np.isfinite(left)]))
