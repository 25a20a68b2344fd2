"""Is something held that no column logs: a latent that jumps while everything logged is at rest?

Several held latents are fitted beside a model with products of signals. Whatever that model cannot bend to
is held as long as the actions are, so that latents gain on a plant with nothing hidden, too. What tells a
hidden action from such a misfit is when it moves: a misfit changes where the model is stretched, at logged
moves and at states seldom visited; a hidden action changes at any time. So jumps are counted where the model
is at rest, and have to be there in more than the few that a misfit leaves.

Source of the jumps: auxiliary residuals of the latent's own equation, Harvey and Koopman, "Diagnostic
checking of unobserved-components time series models", Journal of Business & Economic Statistics 10(4), 1992.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import binom

from tslam.audit.ground import Ground
from tslam.audit.rest import AFTER, BEFORE, at_rest, undisturbed
from tslam.audit.student import robust_scatter, student_score
from tslam.dynamics.forward import LinearForward, fit_ridge
from tslam.dynamics.held import HeldFit, fit_held
from tslam.dynamics.inverse import HeldInverse, LatentPath
from tslam.dynamics.products import Products, widened
from tslam.errors import TrainingError
from tslam.kernels.hac import MeanTest, mean_test
from tslam.kernels.side_by_side import side_by_side
from tslam.panel.chain import Structure, chain
from tslam.panel.split import folds

__all__ = ["Level", "Levels", "held_levels"]

MOST = 4
"""Latents fitted: what a model cannot bend to takes some of them, what is hidden another."""
LAGS = 2
"""Past samples: enough for noise in what is measured, too few to hide a level in."""
_WIDEST = 300
"""Most products: EM visits them at every step."""
_RIDGE, _PRODUCT_RIDGE = 1e-4, 1e-2
_ITERATIONS = 80
_START = 0.98
_BANDWIDTH = 50
_JUMP = 5.0
"""Auxiliary residual, in robust standard deviations, from which a latent is said to jump."""
_APART = 3
"""Rows on either side in which only the largest jump counts."""
_STAYS = 0.5
"""Share of a jump that is still there over the rows just after: a spike is gone."""
_MISFIT = 0.1
"""A misfit jumps where the model is at rest at most this often, compared with elsewhere. In 36 records with
nothing hidden 87 of 100 latents jumped once or never at rest; with an action hidden half of the rates were .6
to 1.1 (docs/notes, jumps at rest)."""


@dataclass(frozen=True, eq=False)
class Level:
    """One latent of the fit."""

    index: int
    told: float
    """Share of its variance that the data tell."""
    agreement: float
    """R² of its path on the latents of the fit on the other half of the blocks."""
    persistence: float
    jumps: Int[np.ndarray, " jump"]
    """Transitions of the chain at which it jumps and stays."""
    resting: int
    """How many of them where the model is at rest."""
    p_resting: float
    """p-value of so many at rest, were they a misfit's."""
    period: float
    """Share of its variance in one narrow line of its spectrum."""
    path: Float[np.ndarray, " n"]
    """Smoothed, on the ground's transitions."""
    direction: Float[np.ndarray, " chan"]
    """What one unit adds to o_{t+1}, scaled."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Held latents beside a model with products, and what they gain."""

    F: Float[np.ndarray, "n wide"]
    Y: Float[np.ndarray, "n chan"]
    start: Bool[np.ndarray, " n"]
    rows: Int[np.ndarray, " n"]
    held: tuple[Bool[np.ndarray, " n"], ...]
    fits: tuple[HeldFit, ...]
    twins: tuple[Int[np.ndarray, " latent"], ...]
    """For each fit, which of its latents goes with each latent of the first."""
    gain: MeanTest
    """Causal, held-out nats per transition that all latents together gain."""
    levels: tuple[Level, ...]


def held_levels(ground: Ground, excluded: Bool[np.ndarray, " n"] | None = None) -> Levels | None:
    """Fit held latents on two halves of interleaved blocks; None where there are too few rows to learn from.

    Args:
        ground: The rich model, of which the timing of inputs is taken.
        excluded: Transitions of the ground that another finding explains already: no jump counts there.
    """
    panel = ground.panel
    c = chain(panel, Structure(LAGS, LAGS, ground.within), ground.past)
    F, penalty = _regressors(c.X, c.usable, c.terms, len(panel.channels))
    if c.usable.sum() < 4 * F.shape[1]:
        return None
    at = np.flatnonzero(c.usable)
    halves = []
    for half in folds(panel, c.rows[at], count=2, purge=10):
        train, test = np.zeros(len(c.rows), bool), np.zeros(len(c.rows), bool)
        train[at[half.train]], test[at[half.held]] = True, True
        halves.append((train, test))
    held = [test for _, test in halves]
    plain = [fit_ridge(F, c.Y, train, penalty) for train, _ in halves]
    # few rows or much noise do not tell several latents apart: what is not there is not fitted
    counts = sorted({1, min(MOST, len(panel.channels))}, reverse=True)
    pieces = [(count, train) for count in counts for train, _ in halves]
    fitted = side_by_side(partial(_fit_half, F, c.Y, c.start, penalty), pieces)
    found = []
    for k in range(len(counts)):
        both = [fit for fit in fitted[2 * k : 2 * k + 2] if fit is not None]
        if len(both) == len(halves):
            found.append((_gain(F, c.Y, c.start, held, both, plain), both))
    if not found:
        return None
    gain, fits = max(found, key=lambda f: f[0].mean)
    count = fits[0].inverse.B.shape[1]
    paths = [f.inverse.path(c.Y - f.forward.mean(F), c.start) for f in fits]
    wide = np.column_stack([c.X, np.ones(len(c.X))])
    rest = at_rest(undisturbed(panel, c.rows, c.start, after=AFTER, before=BEFORE), wide, 1e-3)
    place = np.searchsorted(c.rows, ground.rows)
    told = np.zeros(len(c.rows), bool)
    told[place if excluded is None else place[~excluded]] = True
    first, inverse = paths[0], fits[0].inverse
    return Levels(
        F=F,
        Y=c.Y,
        start=c.start,
        rows=c.rows,
        held=tuple(held),
        fits=tuple(fits),
        twins=tuple(_twins(first, other) for other in paths),
        gain=gain,
        levels=tuple(_level(k, inverse, first, paths[1:], c.start, rest, told, place) for k in range(count)),
    )


def _fit_half(
    F: Float[np.ndarray, "n wide"],
    Y: Float[np.ndarray, "n chan"],
    start: Bool[np.ndarray, " n"],
    penalty: Float[np.ndarray, " wide"],
    piece: tuple[int, Bool[np.ndarray, " n"]],
) -> HeldFit | None:
    """A fit of so many latents to one half of the blocks; None where it does not converge."""
    count, own = piece
    try:
        return fit_held(
            F, Y, own, start, latents=count, ridge=penalty, iterations=_ITERATIONS, starts=(_START,)
        )
    except TrainingError:
        return None


def _regressors(
    X: Float[np.ndarray, "n feat"],
    learn: Bool[np.ndarray, " n"],
    terms: tuple[tuple[str, int], ...],
    channels: int,
) -> tuple[Float[np.ndarray, "n wide"], Float[np.ndarray, " wide"]]:
    current = np.array([i for i, (_, offset) in enumerate(terms) if offset == 0])
    products = Products.learn(X[learn][:, current], channels)
    penalty = np.full(X.shape[1], _RIDGE)
    if len(products.pairs) > _WIDEST:
        return X, penalty
    return widened(X, products, current), np.append(penalty, np.full(len(products.pairs), _PRODUCT_RIDGE))


def _gain(
    F: Float[np.ndarray, "n wide"],
    Y: Float[np.ndarray, "n chan"],
    start: Bool[np.ndarray, " n"],
    held: list[Bool[np.ndarray, " n"]],
    fits: list[HeldFit],
    plain: list[LinearForward],
) -> MeanTest:
    """What the latents, as known beforehand, add to the prediction of the half they were not fitted on."""
    seen = np.isfinite(Y)
    ahead, behind = np.zeros_like(Y), np.zeros_like(Y)
    for test, fit, without in zip(held, fits, plain, strict=True):
        left = Y - fit.forward.mean(F)
        prior = fit.inverse.path(left, start, "filtered").prior
        ahead[test] = np.where(seen, left - prior @ fit.inverse.B.T, 0.0)[test]
        behind[test] = np.where(seen, Y - without.mean(F), 0.0)[test]
    tested = np.logical_or.reduce(held)
    cov, _ = robust_scatter(behind[tested], seen[tested])
    gain = student_score(ahead, cov) - student_score(behind, cov)
    return mean_test(np.where(tested, gain, np.nan), _BANDWIDTH)


def _twins(first: LatentPath, other: LatentPath) -> Int[np.ndarray, " latent"]:
    k = first.mean.shape[1]
    return np.asarray(np.abs(np.corrcoef(first.mean.T, other.mean.T)[:k, k:]).argmax(axis=1))


def _level(
    k: int,
    inverse: HeldInverse,
    path: LatentPath,
    others: list[LatentPath],
    start: Bool[np.ndarray, " n"],
    rest: Bool[np.ndarray, " n"],
    open_to: Bool[np.ndarray, " n"],
    place: Int[np.ndarray, " ground"],
) -> Level:
    z = path.mean[:, k]
    jumps = _jumps(path, k, float(inverse.phi[k]), start)
    jumps = jumps[open_to[jumps]]
    resting = int(rest[jumps].sum())
    calm, busy = _MISFIT * float((rest & open_to).sum()), float((~rest & open_to).sum())
    p = float(binom.sf(resting - 1, len(jumps), calm / max(calm + busy, 1.0))) if len(jumps) else 1.0
    return Level(
        index=k,
        told=float(1.0 - path.cov[:, k, k].mean()),
        agreement=max((_readable(z, other.mean) for other in others), default=0.0),
        persistence=float(inverse.phi[k]),
        jumps=jumps,
        resting=resting,
        p_resting=p,
        period=_line(z),
        path=z[place],
        direction=inverse.B[:, k],
    )


def _jumps(path: LatentPath, k: int, phi: float, start: Bool[np.ndarray, " n"]) -> Int[np.ndarray, " jump"]:
    """Where the auxiliary residual of the latent's own equation is large, and the level stays."""
    z, var, lagged = path.mean[:, k], path.cov[:, k, k], path.lagged[:, k, k]
    inside = np.flatnonzero(~start)
    scaled = np.zeros(len(z))
    spread = (1.0 - phi**2) - (var[inside] + phi**2 * var[inside - 1] - 2.0 * phi * lagged[inside])
    scaled[inside] = (z[inside] - phi * z[inside - 1]) / np.sqrt(np.maximum(spread, 1e-12))
    size = np.abs(scaled)
    if inside.size == 0:
        return np.zeros(0, np.int64)
    size /= max(float(np.median(size[inside])) / 0.6745, 1e-12)
    around = np.pad(size, _APART)
    largest = np.lib.stride_tricks.sliding_window_view(around, 2 * _APART + 1).max(axis=1)
    found = np.flatnonzero((size > _JUMP) & (size >= largest))
    found = found[(found >= _APART) & (found + _APART <= len(z))]
    after = z[found[:, None] + np.arange(_APART)].mean(axis=1)
    before = z[found[:, None] - 1 - np.arange(_APART)].mean(axis=1)
    step = z[found] - z[found - 1]
    stays = (after - before) * np.sign(step) > _STAYS * np.abs(step)
    return np.asarray(found[stays], np.int64)


def _readable(z: Float[np.ndarray, " n"], others: Float[np.ndarray, "n latent"]) -> float:
    """R² of one path on others."""
    X = np.column_stack([others, np.ones(len(z))])
    left = z - X @ np.linalg.lstsq(X, z, rcond=None)[0]
    return float(1.0 - (left**2).sum() / max(float(((z - z.mean()) ** 2).sum()), 1e-30))


def _line(z: Float[np.ndarray, " n"]) -> float:
    """Share of the power in five neighbouring frequencies, those of four cycles a record and faster."""
    power = np.abs(np.fft.rfft((z - z.mean()) * np.hanning(len(z)))) ** 2
    fast = power[4 : max(5, len(z) // 20)]
    k = 4 + int(fast.argmax())
    return float(power[k - 2 : k + 3].sum() / max(float(power[1:].sum()), 1e-30))
