"""Does anything follow a logged action, whatever the delay? Held against its own log, shifted round.

For each shift s the score of a_{t+s} in the model of what is known without the action: how far innovations go
along with it, over what they would by chance. The largest score over all delays that are looked for has no
table of its own (shifts overlap, residuals are not quite white, actions are held), so it is held against the
largest one over as many shifts from far away: the log laid round its series is as rough, as slow and as
often moved, and has nothing to do with what the system does. All shifts at once cost a Fourier transform.

Source: score test, Rao, Proceedings of the Cambridge Philosophical Society 44(1), 1948; circular shifts as a
null for two serially correlated series: Harrison and Harwell, "Permutation-based tests of association
between two autocorrelated series", and earlier use in ecology by Fortin and Jacquez, Bulletin of the
Ecological Society of America 81(3), 2000.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import ncx2, norm
from scipy.stats import t as student

from tslam.audit.ground import Ground
from tslam.audit.student import DEGREES
from tslam.panel.windows import bounds, carry

__all__ = ["Following", "following"]

_FAR = 99
"""Windows of shifts from far away."""
_APART = 10
"""Windows that do not overlap, from which their mean and spread are known well enough."""
_ALIKE = 2.0
"""Window lengths from which windows tell apart: actions are held, so that neighbours hold alike scores. On
1,020 records .054 of p-values were below .05 with two of them, .061 with one."""
_COMMON = 0.2
"""Share of windows from far away that hold as large a score, above which it is told by that share."""
_CHUNK = 64
"""Regressors transformed at a time."""
_WORK = 4e7
"""Rows times regressors times signals up to which the action is also multiplied with each of them."""
_LEFT = 1e-3
"""Least share of an action's variance that what is known may leave of it."""
_HIGH = 0.8
"""Quantile of a driver above which it is high; as much below, low."""
_RANK = 1e-10
"""Share of the largest variance along an axis of what is left, below which it is rounding."""


@dataclass(frozen=True, eq=False)
class Following:
    """How much follows an action."""

    largest: float
    """Largest score over the shifts looked for: twice the nats gained, about."""
    p: float
    """p-value of "nothing follows", by what windows from far away hold."""
    p_binding: float
    """p-value of "nothing follows while a driver is high, or low": a limit acts only while it binds."""
    binding: float
    """Score of the gate behind that p-value."""
    p_worth: float
    """p-value of "it is worth as many nats per 1,000 rows as asked about"."""


def following(ground: Ground, column: str, lowest: int, highest: int, worth: float) -> Following | None:
    """Ask whether innovations go along with an action at any shift.

    Args:
        ground: The cross-fitted rich model.
        column: Name of a logged action column.
        lowest: Smallest shift, in steps; negative where the effect comes after the log.
        highest: Largest shift.
        worth: Nats per 1,000 rows that matter.

    Returns:
        None where the series are too short for shifts from far away.
    """
    panel = ground.panel
    own = panel.features_of(column)
    parts = _series(panel.series_of)
    shifts = _windows(max(p.stop - p.start for p in parts), lowest, highest)
    if shifts is None:
        return None
    apart = 1.0 + float(shifts[-1, 0] - shifts[1, 0]) / (_ALIKE * shifts.shape[1])
    keep = ground.regressors.without({panel.action_features[i].name for i in own})
    values = carry(panel.actions[:, own], bounds(panel)[0])
    F = ground.F[:, keep]
    factor = cho_factor(F.T @ F + np.diag(ground.penalty[keep] * ground.n))
    innovation = _innovation(ground, F, factor)
    free = (values - values.mean(axis=0)).T

    def largest(mixer: Float[np.ndarray, " n"]) -> Float[np.ndarray, " window"]:
        scores = [_score(ground, F, factor, innovation, mixer, a, parts, shifts) for a in free]
        return np.asarray(np.sum(scores, axis=0).max(axis=1))

    plain = largest(np.ones(ground.n))
    asked = _standard(plain)
    if F.size * ground.Y.shape[1] < _WORK:
        states = [largest(mixer) for mixer in np.tanh(ground.X[:, : ground.Y.shape[1]]).T]
        # by itself or with the state, in units that compare: the larger one of every window, as of the first
        asked = np.maximum(asked, _standard(np.max([plain, *states], axis=0)))
    gates = _gates(ground)
    p_binding, binding = 1.0, 0.0
    if gates and F.size * len(gates) < _WORK:
        gated = [largest(gate) for gate in gates]
        standard = np.array([_standard(g) for g in gated])
        p_binding = _p(standard.max(axis=0), apart)
        binding = float(gated[int(standard[:, 0].argmax())][0])
    mattering = 2.0 * worth * ground.n / 1000.0
    return Following(
        largest=float(plain[0]),
        p=_p(asked, apart),
        p_binding=p_binding,
        binding=binding,
        p_worth=float(ncx2.cdf(plain[0], len(own) * innovation.shape[1], mattering)),
    )


def _gates(ground: Ground) -> list[Float[np.ndarray, " n"]]:
    """What tells when a limit may bind: each driver, and where it is high and where low."""
    drivers = ground.held(ground.panel.exog).T
    out = []
    for x in drivers:
        low, high = np.quantile(x, [1.0 - _HIGH, _HIGH])
        out += [np.tanh(x), (x < low).astype(float), (x > high).astype(float)]
    return [gate for gate in out if np.ptp(gate) > 0.0]


def _standard(largest: Float[np.ndarray, " window"]) -> Float[np.ndarray, " window"]:
    """Largest scores in units of their Gumbel law, so that scores of several mixers compare.

    The two moments of the law are taken from the windows from far away.
    """
    scale = max(float(largest[1:].std()) * np.sqrt(6.0) / np.pi, 1e-9)
    place = float(largest[1:].mean()) - np.euler_gamma * scale
    return np.asarray((largest - place) / scale)


def _p(largest: Float[np.ndarray, " window"], apart: float) -> float:
    """How often a window from far away would hold a score as large as the first one's.

    By its rank where many do; windows overlap, so that a rare one is told by its size: a Gumbel tail, widened
    for its two moments being known from no more than ``apart`` windows that differ: the predictive
    law of one more, Student's in place of the normal, as for normal quantiles.
    """
    rank = float(0.5 + (largest[1:] >= largest[0]).sum()) / largest.size
    if rank > _COMMON:
        return rank
    gumbel = float(-np.expm1(-np.exp(-min(float(_standard(largest)[0]), 700.0))))
    quantile = float(norm.isf(np.clip(gumbel, 1e-300, 1.0 - 1e-12))) / np.sqrt(1.0 + 1.0 / apart)
    return float(student.sf(quantile, apart - 1.0))


def _series(series_of: Int[np.ndarray, " rows"]) -> list[slice]:
    """Rows of each series."""
    cuts = np.flatnonzero(np.diff(series_of)) + 1
    edges = [0, *cuts.tolist(), len(series_of)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _windows(rows: int, lowest: int, highest: int) -> Int[np.ndarray, "window shift"] | None:
    """The shifts that are looked for, then windows of as many from far away."""
    width = highest - lowest + 1
    first, last = highest + width, rows + lowest - 2 * width
    if last - first < _APART * width:
        return None
    begin = np.unique(np.linspace(first, last, min(_FAR, last - first)).astype(np.int64))
    return np.append(lowest, begin)[:, None] + np.arange(width)


def _innovation(
    ground: Ground, F: Float[np.ndarray, "n wide"], factor: tuple[np.ndarray, bool]
) -> Float[np.ndarray, "n axis"]:
    """What is left without the action, outliers weighed down, orthogonal to what is known, unit scatter.

    Channels that are sums of others, or are predicted to the last digit, have no axis of their own.
    """
    left = (ground.Y - F @ cho_solve(factor, F.T @ ground.Y)) * ground.seen
    distance = np.einsum("ti,ij,tj->t", left, np.linalg.inv(ground.cov), left)
    chan = left.shape[1]
    left = left * ((DEGREES + chan) / (DEGREES + distance))[:, None]
    left -= F @ cho_solve(factor, F.T @ left)
    values, axes = np.linalg.eigh(left.T @ left / ground.n)
    told = values > _RANK * values[-1]
    return np.asarray(left @ (axes[:, told] / np.sqrt(values[told])))


def _score(
    ground: Ground,
    F: Float[np.ndarray, "n wide"],
    factor: tuple[np.ndarray, bool],
    innovation: Float[np.ndarray, "n axis"],
    mixer: Float[np.ndarray, " n"],
    feature: Float[np.ndarray, " rows"],
    parts: list[slice],
    shifts: Int[np.ndarray, "window shift"],
) -> Float[np.ndarray, "window shift"]:
    """Score of one feature of the action, times a mixer, at each shift."""
    flat = shifts.ravel()

    def along(x: Float[np.ndarray, "n k"], a: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "shift k"]:
        """sum_t x_t a_{t+s}, round each series."""
        out = np.zeros((flat.size, x.shape[1]))
        grid = np.zeros((len(a), x.shape[1]))
        grid[ground.rows] = x
        for part in parts:
            n = part.stop - part.start
            turned = np.conj(np.fft.rfft(grid[part], axis=0)) * np.fft.rfft(a[part])[:, None]
            out += np.fft.irfft(turned, n=n, axis=0)[flat % n]
        return out

    # the far side of a product holds holes at 0, so that rows without a transition count nowhere
    with_innovation = along(innovation * mixer[:, None], feature)
    with_known = np.hstack(
        [along(F[:, k : k + _CHUNK] * mixer[:, None], feature) for k in range(0, F.shape[1], _CHUNK)]
    )
    energy = along((mixer**2)[:, None], feature**2)[:, 0]
    free = energy - np.einsum("sf,fs->s", with_known, cho_solve(factor, with_known.T))
    score = (with_innovation**2).sum(axis=1) / np.maximum(free, max(_LEFT * float(energy.max()), 1e-12))
    return np.asarray(score.reshape(shifts.shape))
