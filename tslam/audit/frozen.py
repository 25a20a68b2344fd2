"""Is a log frozen while it is silent? What an inverse dynamics model reads of the action tells.

Learnt where the log moves, it reads the action from the samples around it. Where nothing is done it reads
what the log holds, better than elsewhere; while a frozen log holds one value, it reads others. What follows
the state is read otherwise, too, once its controller is switched off and the action held by hand, and so is
much that a model misfits. What was done has an effect: o_{t+1} misses what the log predicts by that of the
difference between read and logged. So the share of that difference that was done is told by regression:
1 where the log was frozen, 0 where it is right. Nothing here has learnt from a silence: of a log that was
frozen a model learns that it does little.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from jaxtyping import Bool, Float

from tslam.audit.finding import Claim, driven_channels, series_at
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import DEGREES, Ground
from tslam.audit.lag_scan import BANDWIDTH
from tslam.audit.offset import surest_part
from tslam.audit.silence import Silence, counted, silences, spans
from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.products import Products, widened
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.split import Split
from tslam.panel.windows import bounds, carry

__all__ = ["claim_frozen", "unsupported", "with_frozen"]

_LONG, _ROWS = 3.5, 50
"""Times as long as the log's mean stretch that a silence lasts, and its fewest rows."""
_ENOUGH = 2
"""Rows for each regressor that the model learns from, at least."""
_READ = 0.1
"""Share of an action's variance that the inverse model has to read where the log is not silent."""
_MISREAD, _MATERIAL = 1.25, 0.5
"""Error of the reading in a silence over that elsewhere, and over the action's standard deviation. Where logs
were right the second was .3 to .4 at most if the rest was met, .6 to 2.5 where they were frozen."""
_DONE, _AT_MOST = 0.7, 2.0
"""Share of what was read beyond the log that was done, from which the log was frozen, and up to which. In 40
silences of frozen logs of six kinds of plant and in 11 of recorded ones it was .6 to 1.6, with two below .7;
where logs were right and the reading was as far off, -1.4 to .5 with a .67, and where they were late above 2.
"""
_ELSEWHERE = 0.1
"""The same where the log is not silent, above which it lacks something all over: coarse or late, .12 to .5;
-.5 to .08 in the frozen ones."""
_NATS = 30.0
"""Nats that what was read adds in one silence: less is what a misfit may add up to."""
_CERTAIN = 2.0
"""t of that share in one silence."""
_WELL = 0.3
"""Share of an action's variance that has to be read for an outage to be doubted."""
_AS_WELL, _HARDLY = 1.1, 0.4
"""Error in its windows over that elsewhere, and share of what was read that was done, up to which it is."""
_COPY, _HELD = 1e-5, 0.3
"""Share of an action's variance that the reading leaves open where a log is a copy of what is measured. What
such an action does and what it follows are one, so that the share done is hardly known; a copy that is none
while it is silent was frozen all the same, unless that share is surely below the second.
"""
_CLASSES = 5
"""Most values of a log of which any may be an end of its range."""
_RIDGE, _PRODUCT_RIDGE = 1e-4, 1e-2
_WIDEST = 30
"""Most signals of which products are read, too."""


@dataclass(frozen=True, eq=False)
class _Reading:
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


def claim_frozen(ground: Ground, column: str) -> Claim | None:
    """Does what is read of an action contradict its log while that is silent?

    Args:
        ground: The rich model, the column among its inputs.
        column: Name of a logged action column.
    """
    logged = _logged(ground, column)
    silent = [
        s for s in silences(ground, column, _LONG) if s.stop - s.first >= _ROWS and not _at_an_end(logged, s)
    ]
    inside = _rows(ground, silent)
    if not silent or (~inside).sum() < _ENOUGH * ground.F.shape[1]:
        return None
    reading = _read_of(ground, column, logged, inside)
    usual = max(float(reading.squared[~inside].mean()), 1e-30)
    if usual > (1.0 - _READ) * reading.spread or reading.share(~inside) > _ELSEWHERE:
        return None
    least = max(_MISREAD**2 * usual, _MATERIAL**2 * reading.spread)
    if usual <= _COPY * reading.spread:
        told = [s for s in silent if _no_copy(reading, _rows(ground, [s]), least)]
        claim = _claim(ground, column, reading, usual, told) if told else None
        return claim and replace(claim, fact=True, p=0.0, most="warning")
    told = [s for s in silent if _contradicted(reading, _rows(ground, [s]), least)]
    return _claim(ground, column, reading, usual, [_surest(reading, s) for s in told]) if told else None


def unsupported(ground: Ground, claim: Claim) -> bool:
    """Is an action read in the windows of an outage as the log has it, as well as elsewhere?

    Then a misfit was taken for what was done. An action that can hardly be read supports nothing, and
    contradicts nothing.

    Args:
        ground: The rich model.
        claim: An outage found by what the model leaves along the effect of a log.
    """
    assert claim.column is not None
    rows = np.zeros(ground.n, bool)
    for first, last in claim.windows:
        rows |= (ground.rows >= first) & (ground.rows <= last)
    if not rows.any() or (~rows).sum() < _ENOUGH * ground.F.shape[1]:
        return False
    reading = _read_of(ground, claim.column, _logged(ground, claim.column), rows)
    usual = float(reading.squared[~rows].mean())
    if usual > (1.0 - _WELL) * reading.spread:
        return False
    return bool(reading.squared[rows].mean() < _AS_WELL**2 * usual or reading.share(rows) < _HARDLY)


def with_frozen(claim: Claim | None, frozen: Claim | None) -> Claim | None:
    """What the offset of a log says of it, and what its silences say, as one claim: the surer one leads."""
    if claim is None or frozen is None:
        return claim or frozen
    if claim.kind is not GapKind.LOG_OUTAGE:
        return frozen
    first, second = (claim, frozen) if claim.p <= frozen.p else (frozen, claim)
    return replace(
        first,
        share=max(claim.share, frozen.share),
        score=max(claim.score, frozen.score),
        evidence=(*first.evidence, *second.evidence),
        latents=claim.latents,
    )


def _rows(ground: Ground, silent: list[Silence]) -> Bool[np.ndarray, " n"]:
    out = np.zeros(ground.n, bool)
    for s in silent:
        out[s.first : s.stop] = True
    return out


def _contradicted(reading: _Reading, rows: Bool[np.ndarray, " n"], least: float) -> bool:
    """Is the reading far off in a silence, and was what it reads done?"""
    done = _DONE <= reading.share(rows) <= _AT_MOST and reading.nats(rows) >= _NATS
    return bool(done and reading.squared[rows].mean() >= least and reading.test(rows).t >= _CERTAIN)


def _no_copy(reading: _Reading, rows: Bool[np.ndarray, " n"], least: float) -> bool:
    """Is a copy of what is measured none in a silence, and nothing says that the action was held there?"""
    return bool(reading.squared[rows].mean() >= least and reading.at_most(rows) > _HELD)


def _claim(ground: Ground, column: str, reading: _Reading, usual: float, windows: list[Silence]) -> Claim:
    rows = _rows(ground, windows)
    test = reading.test(rows)
    own = reading.squared[rows]
    return Claim(
        kind=GapKind.LOG_OUTAGE,
        column=column,
        p=test.p,
        share=min(1.0, float(own.mean()) / reading.spread),
        score=1000.0 * reading.nats(rows) / ground.n,
        recommendation=f"Recover the log of {column} for {counted(windows)}: it held one value while the "
        "samples around it read as another, and what they read had its effect.",
        evidence=(
            Evidence(
                name="done",
                value=reading.share(rows),
                reference=_DONE,
                p_value=test.p,
                reading="Share of what an inverse model reads beyond the log that had its effect: 0 where a "
                "log is right, 1 where it is frozen.",
            ),
            Evidence(
                name="misread",
                value=float(np.sqrt(own.mean() / usual)),
                reference=_MISREAD,
                reading="Error of that reading while the log is silent over that elsewhere; where nothing is "
                "done it reads better.",
            ),
            Evidence(
                name="silence",
                value=max(s.times for s in windows),
                reference=_LONG,
                reading="Longest of these silences over the mean stretch of the log.",
            ),
        ),
        channels=reading.channels,
        windows=spans(ground, windows),
        series=series_at(ground, (s.first for s in windows)),
    )


def _logged(ground: Ground, column: str) -> Float[np.ndarray, "n feat"]:
    panel = ground.panel
    return np.asarray(carry(panel.actions[:, panel.features_of(column)], bounds(panel)[0])[ground.rows])


def _at_an_end(logged: Float[np.ndarray, "n feat"], silence: Silence) -> bool:
    """Does an actuator of many values stand at an end of its range? There it rests, whatever is asked."""
    own = logged[silence.first]
    ends = (own == logged.min(axis=0)) | (own == logged.max(axis=0))
    return bool(ends.all() and len(np.unique(logged, axis=0)) > _CLASSES)


def _surest(reading: _Reading, silence: Silence) -> Silence:
    """The part of a silence in which what was read was done: what was set just before it was logged."""
    own = slice(silence.first, silence.stop)
    begin, end, _ = surest_part(reading.along[own] - 0.5 * reading.size[own])
    return replace(silence, first=silence.first + begin, stop=silence.first + end + 1)


def _read_of(
    ground: Ground, column: str, logged: Float[np.ndarray, "n feat"], inside: Bool[np.ndarray, " n"]
) -> _Reading:
    panel, precision = ground.panel, np.linalg.inv(ground.cov)
    error = logged - _read(ground, logged, inside, ahead=True)
    beyond = _read(ground, logged, inside, ahead=False) - logged
    elsewhere = _learnt_elsewhere(ground, inside)
    names = [f.name for f in panel.action_features if f.column == column]
    unit = elsewhere.direction(names)
    effect = np.where(ground.seen, np.einsum("tck,tk->tc", unit, beyond), 0.0)
    carried = effect @ precision * elsewhere.trust[:, None]
    return _Reading(
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
    drivers = np.nan_to_num(ground.panel.exog[ground.rows])
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
    F, penalty = ground.F[:, :-1], ground.penalty[:-1]
    linear = fit_ridge(F, ground.Y, ~inside, penalty)
    there = np.where(ground.seen, ground.Y - linear.mean(F), 0.0)
    residual = np.where(inside[:, None], there, ground.residual)
    distance = np.einsum("tc,cd,td->t", residual, np.linalg.inv(ground.cov), residual)
    return replace(
        ground,
        splits=(Split(train=~inside, held=np.ones(ground.n, bool)),),
        weights=(np.vstack([linear.weights, linear.bias]),),
        residual=residual,
        trust=(DEGREES + ground.seen.sum(axis=1)) / (DEGREES + distance),
        plain=None,
    )
