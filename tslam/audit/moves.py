"""Did something move that no column logs? Sparse, large innovations that share one direction.

History carries most of a held level, so the level of an unlogged action hides in it; what no history can
carry is the move. Moves are looked for where the forward model can be trusted: away from logged moves,
inside the range of states often visited, and first in their cluster, because a misfit of the model at
extremes comes in clusters and a move comes alone. A move is then followed by a shift that stays a while;
a sensor spike is followed by its own reverse, a noise outlier by nothing.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import chi2, kurtosis
from scipy.stats import t as student

from tslam.audit.ground import Ground
from tslam.audit.rest import at_rest, undisturbed
from tslam.kernels.hac import MeanTest, mean_test

__all__ = ["Moves", "find_moves"]

_NEAR = 4
"""Rows after a logged move in which an outlier says nothing: the model errs most there."""
_QUIET = 8
"""Rows before an onset without another outlier; rows after it in which a shift should stay."""
_RISE = 2
"""Rows that an effect may take to show in full."""
_OUTLIER = 0.02
"""Share of trusted rows, by size, that are looked at as outliers."""
_ONSETS = 0.006
"""Share of all rows taken as onsets, the largest ones."""
_FEWEST = 8
_VOLATILITY_RIDGE = 3e-2


@dataclass(frozen=True, eq=False)
class Moves:
    """Candidate moves of something that no column logs."""

    rows: Int[np.ndarray, " move"]
    """Positions among the ground's transitions."""
    axis: Float[np.ndarray, " chan"]
    """Shared direction, in whitened units."""
    direction: Float[np.ndarray, " chan"]
    """The same in scaled units of the observations, unit noise."""
    concentration: float
    """Share of the moves' squared length along the axis, times the number of channels: 1 is isotropic."""
    second: float
    """The same along the next axis."""
    axial_p: float
    """Bingham's test of "no shared direction"."""
    kurtosis: float
    """Excess kurtosis of the trusted innovations along the axis."""
    heavy: float
    """The same along the other axes, median: noise may be heavy-tailed all round."""
    follow: MeanTest
    """Do the innovations after a move stay on its side?"""
    size: float
    """Root mean square of the moves along the axis, in innovation standard deviations."""
    tested: int
    """Rows in which a move could have been seen."""

    @property
    def apart(self) -> float:
        """Squared length along the axis over the mean of that along the others; 0 with one channel."""
        chan = len(self.axis)
        return self.concentration * (chan - 1) / max(chan - self.concentration, 1e-9)


def find_moves(ground: Ground, excluded: Bool[np.ndarray, " n"] | None = None) -> Moves | None:
    """Look for unlogged moves; None where too few rows can be trusted.

    Args:
        ground: The cross-fitted rich model.
        excluded: Transitions that another finding explains already.
    """
    chan = ground.Y.shape[1]
    white = ground.white()
    squared = (white**2).sum(axis=1)
    scale = _volatility(ground, squared)
    trusted = _trusted(ground)
    if excluded is not None:
        trusted &= ~excluded
    if trusted.sum() < 50 * max(2, chan // 4):
        return None
    scale = np.sqrt(np.exp(np.clip(scale - np.median(scale[trusted]), -1.0, 3.0)))
    even = white / scale[:, None]
    size = (even**2).sum(axis=1)
    outlier = size > np.quantile(size[trusted], 1.0 - _OUTLIER)
    alone = ~_recent(outlier, ground.start)
    onsets = _peaks(np.flatnonzero(outlier & trusted & alone), size, trusted)
    onsets = onsets[np.argsort(-size[onsets])][: max(10, round(_ONSETS * ground.n))]
    if onsets.size < _FEWEST:
        return None
    unit = even[onsets] / np.sqrt(size[onsets])[:, None]
    values, vectors = np.linalg.eigh(unit.T @ unit / onsets.size)
    axis = vectors[:, -1]
    others = kurtosis(even[trusted & alone] @ vectors[:, :-1]) if chan > 1 else np.zeros(1)
    along = even @ axis
    return Moves(
        rows=np.sort(onsets),
        axis=axis,
        direction=np.linalg.cholesky(ground.cov) @ _rotate(ground, axis),
        concentration=float(values[-1] * chan),
        second=float(values[-2] * chan) if chan > 1 else 0.0,
        axial_p=_bingham(values, onsets.size),
        kurtosis=float(kurtosis(along[trusted & alone])),
        heavy=float(np.median(others)),
        follow=_follow(along, onsets, ground.start),
        size=float(np.sqrt((along[onsets] ** 2).mean())),
        tested=int((trusted & alone).sum()),
    )


def _rotate(ground: Ground, axis: Float[np.ndarray, " chan"]) -> Float[np.ndarray, " chan"]:
    """A whitened axis in the coordinates of the Cholesky factor of the scatter."""
    precision = np.linalg.cholesky(np.linalg.inv(ground.cov))
    factor = np.linalg.cholesky(ground.cov)
    return np.asarray(np.linalg.solve(factor, np.linalg.solve(precision.T, axis)))


def _trusted(ground: Ground) -> Bool[np.ndarray, " n"]:
    """Rows away from logged moves, of ordinary leverage, and measured whole where most are."""
    still = undisturbed(ground.panel, ground.rows, ground.start, after=_NEAR)
    rest = at_rest(still, ground.F, ground.penalty)
    whole = ground.seen.all(axis=1)
    return rest & whole if whole.mean() > 0.3 else rest


def _volatility(ground: Ground, squared: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Log-size of the innovation as a function of what is known: a size that is foreseen is no move."""
    target = np.log(squared + 1e-3)
    out = np.zeros(ground.n)
    ridge = np.maximum(ground.penalty, _VOLATILITY_RIDGE)
    ridge[-1] = 1e-9
    for split, gram in zip(ground.splits, ground.gram, strict=True):
        count = int(split.train.sum())
        w = np.linalg.solve(gram + np.diag(ridge * count), ground.F[split.train].T @ target[split.train])
        out[split.held] = ground.F[split.held] @ w
    return out


def _recent(outlier: Bool[np.ndarray, " n"], start: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Was there an outlier, or the beginning of the record, in the rows just before?"""
    event = outlier | start
    kernel = np.append(0.0, np.ones(_QUIET))
    return np.asarray(np.convolve(event.astype(float), kernel)[: len(event)] > 0)


def _peaks(
    onsets: Int[np.ndarray, " onset"], size: Float[np.ndarray, " n"], trusted: Bool[np.ndarray, " n"]
) -> Int[np.ndarray, " move"]:
    """The largest trusted row from each onset on: an effect may take a row or two to show in full."""
    ahead = np.minimum(onsets[:, None] + np.arange(_RISE + 1), len(size) - 1)
    shown = np.where(trusted[ahead], size[ahead], 0.0)
    return np.unique(ahead[np.arange(len(onsets)), shown.argmax(axis=1)])


def _follow(
    along: Float[np.ndarray, " n"], onsets: Int[np.ndarray, " move"], start: Bool[np.ndarray, " n"]
) -> MeanTest:
    """Mean of the next innovations, signed by the move; onsets are far enough apart to be independent."""
    segment = np.cumsum(start)
    signed = []
    for t in np.sort(onsets):
        after = np.arange(t + 1, min(t + 1 + _QUIET, len(along)))
        after = after[segment[after] == segment[t]]
        if after.size:
            signed.append(np.sign(along[t]) * along[after].mean())
    test, count = mean_test(np.array(signed), 0), len(signed)
    if count < _FEWEST:
        return test
    # ten moves or so: Student, and the variance over one less
    return replace(test, p=float(student.sf(test.t * sqrt(1.0 - 1.0 / count), count - 1)))


def _bingham(values: Float[np.ndarray, " chan"], count: int) -> float:
    """Uniformity of axes (Mardia and Jupp, "Directional Statistics", 2000, section 10.7.1)."""
    chan = len(values)
    if chan < 2:
        return 1.0
    statistic = 0.5 * chan * (chan + 2) * count * float((values**2).sum() - 1.0 / chan)
    return float(chi2.sf(statistic, 0.5 * (chan - 1) * (chan + 2))) if sqrt(count) > 0 else 1.0
