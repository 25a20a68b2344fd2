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

import numpy as np
from jaxtyping import Bool, Float

from tslam.audit.finding import Claim, counted, in_windows, series_at
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.offset import surest_part
from tslam.audit.reading import Reading, read_of
from tslam.audit.silence import Silence, silences, spans

__all__ = ["claim_frozen", "unsupported", "with_frozen"]

_LONG, _ROWS = 3.5, 50
"""Times as long as the log's mean stretch that a silence lasts, and its fewest rows."""
_ENOUGH = 2
"""Rows for each regressor that the model learns from, at least."""
_READ = 0.1
"""Share of an action's variance that the inverse model has to read where the log is not silent."""
_MISREAD, _MATERIAL = 1.25, 0.5
"""Error of the reading in a silence over that elsewhere, and over the action's standard deviation. In 45
silences of frozen logs on 25 noisy records the first was .98 to 13, the second .58 to 2.5; the second was .31
and .34 in two of logs that were right and met the rest."""
_DONE, _AT_MOST = 0.7, 2.0
"""Share of what was read beyond the log that was done, from which the log was frozen, and up to which: more
than can be was not done by what was read. In those 45 silences it was .61 to 1.6, with two below .7; in 55 of
logs that were right and read as badly -.58 to .55."""
_ELSEWHERE = 0.1
"""The same where the log is not silent, above which it lacks something all over. In 24 of 25 frozen logs
-.37 to .08, in one with a hidden driver beside it .35; in late ones .17 to .32, in others that lack something
all over .12 to .53."""
_NATS = 30.0
"""Nats that what was read adds in one silence: less is what a misfit may add up to."""
_CERTAIN = 2.0
"""t of that share in one silence."""
_WELL, _CLOSELY = 0.3, 0.6
"""Share of an action's variance that has to be read for an outage to be doubted, and for a coarse log."""
_AS_WELL, _HARDLY = 1.1, 0.35
"""Error in the windows of an outage over that elsewhere, and share of what was read that was done, up to
which it is doubted. On records with noise or dead time the first was .7 to 1.03 in three false outages and
1.2 to 6.4 in nine right ones; the second .04 and .3 in two false coarse logs, .43 to .78 in five right
ones; of short clean tanks -2.4 in two false outages, elsewhere .86 to 1.01 in eight right ones."""
_COPY, _HELD = 1e-5, 0.3
"""Share of an action's variance that the reading leaves open where a log is a copy of what is measured. What
such an action does and what it follows are one, so that the share done is hardly known; a copy that is none
while it is silent was frozen all the same, unless that share is surely below the second.
"""
_CLASSES = 5
"""Most values of a log of which any may be an end of its range."""


def claim_frozen(ground: Ground, column: str) -> Claim | None:
    """Does what is read of an action contradict its log while that is silent?

    Args:
        ground: The rich model, the column among its inputs.
        column: Name of a logged action column.
    """
    asked = _Read.of(ground, column)
    if asked is None:
        return None
    if asked.usual <= _COPY * asked.reading.spread:
        told = [s for s in asked.silent if asked.is_no_copy(in_windows(ground, spans(ground, [s])))]
        # that it is no copy there is a fact, and no more is known
        return replace(_claim(ground, column, asked, told), fact=True, most="warning") if told else None
    told = [s for s in asked.silent if asked.is_contradicted(in_windows(ground, spans(ground, [s])))]
    return _as_action(ground, column, asked, told) if told else None


def unsupported(ground: Ground, claim: Claim) -> bool:
    """Is an action read, where something is said to be lacking from its log, as the log has it?

    Then a misfit was taken for what was done. An action that can hardly be read supports nothing, and
    contradicts nothing.

    Args:
        ground: The rich model.
        claim: An outage or a coarse log, found by what the model leaves along the effect of the action.
    """
    assert claim.column is not None
    outage, rows = claim.kind is GapKind.LOG_OUTAGE, in_windows(ground, claim.windows)
    if not outage and _without_effect(ground, claim.column):
        return True
    if not rows.any() or (~rows).sum() < _ENOUGH * ground.F.shape[1]:
        return False
    reading = read_of(ground, claim.column, rows)
    usual = float(reading.squared[~rows].mean())
    if usual > (1.0 - (_WELL if outage else _CLOSELY)) * reading.spread:
        return False
    as_well = outage and float(reading.squared[rows].mean()) < _AS_WELL**2 * usual
    return as_well or reading.share(rows) < _HARDLY


def _without_effect(ground: Ground, column: str) -> bool:
    """Did nothing of what is read beyond a log come about, all over the record?

    In ten right coarse logs that could be read as well as that the share was .02 to .6, in one more, doubted
    by its windows too, -.09; in four false ones -.2, -.27, -.42 and .22.
    """
    reading = read_of(ground, column, np.zeros(ground.n, bool))
    closely = reading.squared.mean() <= (1.0 - _CLOSELY) * reading.spread
    return bool(closely and reading.share(np.ones(ground.n, bool)) <= 0.0)


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


@dataclass(frozen=True, eq=False)
class _Read:
    """A log with long silences, of an action that can be read."""

    reading: Reading
    silent: list[Silence]
    usual: float
    """Squared error of the reading where the log is not silent."""
    least: float
    """The same in a silence from which the reading is far off."""

    @classmethod
    def of(cls, ground: Ground, column: str) -> "_Read | None":
        """None where nothing can be asked, or where the log lacks something all over."""
        logged = ground.logged(column)
        long = [s for s in silences(ground, column, _LONG) if s.stop - s.first >= _ROWS]
        silent = [s for s in long if not _at_an_end(logged, s)]
        inside = in_windows(ground, spans(ground, silent))
        if not silent or (~inside).sum() < _ENOUGH * ground.F.shape[1]:
            return None
        reading = read_of(ground, column, inside)
        usual = max(float(reading.squared[~inside].mean()), 1e-30)
        if usual > (1.0 - _READ) * reading.spread or reading.share(~inside) > _ELSEWHERE:
            return None
        return cls(reading, silent, usual, max(_MISREAD**2 * usual, _MATERIAL**2 * reading.spread))

    def is_contradicted(self, rows: Bool[np.ndarray, " n"]) -> bool:
        """Is the reading far off in a silence, and was what it reads done?"""
        reading = self.reading
        done = _DONE <= reading.share(rows) <= _AT_MOST and reading.nats(rows) >= _NATS
        return bool(done and reading.squared[rows].mean() >= self.least and reading.test(rows).t >= _CERTAIN)

    def is_no_copy(self, rows: Bool[np.ndarray, " n"]) -> bool:
        """Is a copy of what is measured none in a silence, and nothing says that the action was held?"""
        return bool(self.reading.squared[rows].mean() >= self.least and self.reading.at_most(rows) > _HELD)


def _claim(ground: Ground, column: str, asked: _Read, told: list[Silence]) -> Claim:
    """Of a copy of what is measured; counted over whole silences: a part would be chosen by what it shows."""
    reading, rows = asked.reading, in_windows(ground, spans(ground, told))
    own = reading.squared[rows]
    return Claim(
        kind=GapKind.LOG_OUTAGE,
        column=column,
        p=0.0,
        share=min(1.0, float(own.mean()) / reading.spread),
        score=1000.0 * reading.nats(rows) / ground.n,
        recommendation=_advice(column, told, "it is a copy of what is measured, and held one value there."),
        evidence=(
            Evidence(
                name="misread",
                value=float(np.sqrt(own.mean() / asked.usual)),
                reference=_MISREAD,
                reading="Error of what an inverse model reads while the log is silent over that elsewhere; "
                "where nothing is done it reads better.",
            ),
            Evidence(
                name="silence",
                value=max(s.times for s in told),
                reference=_LONG,
                reading="Longest of these silences over the mean stretch of the log.",
            ),
        ),
        channels=reading.channels,
        windows=spans(ground, told),
        series=series_at(ground, (s.first for s in told)),
    )


def _as_action(ground: Ground, column: str, asked: _Read, told: list[Silence]) -> Claim:
    """Of a log that tells more than what is measured: what was read had its effect."""
    claim, reading = _claim(ground, column, asked, told), asked.reading
    rows = in_windows(ground, claim.windows)
    test = reading.test(rows)
    done = Evidence(
        name="done",
        value=reading.share(rows),
        reference=_DONE,
        p_value=test.p,
        reading="Share of what an inverse model reads beyond the log that had its effect: 0 where a log is "
        "right, 1 where it is frozen.",
    )
    parts = [_surest(reading, s) for s in told]
    why = "it held one value while the samples around it read as another, and what they read had its effect."
    return replace(
        claim,
        p=test.p,
        recommendation=_advice(column, parts, why),
        evidence=(done, *claim.evidence),
        windows=spans(ground, parts),
    )


def _advice(column: str, windows: list[Silence], why: str) -> str:
    rows = sum(s.stop - s.first for s in windows)
    return f"Recover the log of {column} for {counted(len(windows), rows)}: {why}"


def _at_an_end(logged: Float[np.ndarray, "n feat"], silence: Silence) -> bool:
    """Does an actuator of many values stand at an end of its range? There it rests, whatever is asked."""
    own = logged[silence.first]
    ends = (own == logged.min(axis=0)) | (own == logged.max(axis=0))
    return bool(ends.all() and len(np.unique(logged, axis=0)) > _CLASSES)


def _surest(reading: Reading, silence: Silence) -> Silence:
    """The part of a silence in which what was read was done: what was set just before it was logged."""
    own = slice(silence.first, silence.stop)
    begin, end, _ = surest_part(reading.along[own] - 0.5 * reading.size[own])
    return replace(silence, first=silence.first + begin, stop=silence.first + end + 1)
