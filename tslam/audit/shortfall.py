"""Was more done than logged: in windows, an outage, or all over, a coarse log?"""

from dataclasses import replace

import numpy as np

from tslam.audit.finding import Claim, counted, driven_channels, largest_share, series_at
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.lag_scan import BANDWIDTH
from tslam.audit.misfit import fitted_to_itself, optimism
from tslam.audit.offset import Offset, Run, held_offset, visibility
from tslam.kernels.hac import mean_test

__all__ = ["as_outage", "claim_offset"]

_CONCENTRATED, _ALMOST_ALL = 0.5, 0.8
"""Share of the offset's evidence in its strongest stretches from which it is an outage, not coarseness; up to
the second only where the other stretches do not say the same."""
_FEW = 5
_MINOR = 0.15
"""Share of the strongest stretch's evidence below which another is not an outage of its own."""
_CHANCE = 3.0
"""Nats that the best part of a stretch gains by chance in one of twenty (Ville's inequality)."""
_WINDOW = 10.0
"""Nats from which one stretch counts as an outage."""
_LONG = 3.0
"""An outage hides moves, so its stretch is longer than most, by at least this factor of the median."""
_LEAST, _AGAINST = 30.0, 100.0
"""Nats that a held difference must gain, in all or in one stretch: less is what a misfit may add up to. And
in one stretch where all rows together speak against it: looking everywhere costs most where an action shows.
"""
_SILENT = 2.0
"""Times as long as it ever was otherwise that a log must be silent for the second to do."""
_JUMPS = 0.7
"""Excess kurtosis of its steps between logged moves from which it jumps; a drifting misfit has about 0."""
_MOST, _NEARLY_ALL = 0.8, 0.9
"""Gain over that of the stretches that speak for a difference, from which it is all over, and surely so."""
_NOT_HALF, _SOME = 0.45, 0.35
"""Share of held stretches that may speak against it; with the second it is all over although a few long
stretches have most of it. In 23 outages with most of it in windows .27 to .83 spoke against it, below .4 in
one, with .98 of it in its windows; in eight of 24 coarse logs it lay like that, with .09 to .33 against in
four."""
_CERTAIN, _SURELY = 2.0, 3.0
"""t of the difference's gain from which it may be all over, and surely is: a coarse log needs the second. On
500 short records of 14 systems it was 3.0 to 4.7 in 20 coarse logs that are all over, 2.3 to 2.98 in eight;
in logs that are not coarse it was above 3 in five, none of them clean, and up to 2.8 in the others.
"""
_EXTRAPOLATES, _BENDS = 0.4, 0.2
"""Log of squared error held out over that of a fit to all rows, from which the model may err by going beyond
what it learnt from: anywhere, and where signals sit at limits, which no smooth model follows."""
_UNUSUAL = 3.5
"""Mean stretches that the longest window lasts, at least, where a plant bends by more than the second of
those: shorter silence is by chance, and a misfit as likely as an outage. It was 3.7 to 72 in five outages on
such records, 2.1 to 3.3 in five clean tanks."""
_LIMITED, _BOUND = 0.01, 0.3
"""Share of what would show a difference that lies where channels sit at a limit, from which the second holds;
and from which no difference can be told at all."""
_REMAINS = 0.4
"""Share of the gain in windows that has to be there in the model's own rows."""
_ELSEWHERE = 0.5
"""Share of held stretches that speak against a difference from which it is in its windows only."""
_CLASSES = 5
"""Most values of a log that only tells a class. One of n classes leaves 1/n² of the variance of an evenly
spread action: with more little shows, and an offset is what a plant that bends leaves. False claims on tanks
were of logs with 6 to 13 values; 24 coarse logs had two."""
_READABLE = 0.1
"""Share of an offset that exogenous variables may explain; above, the forward model is at fault."""


def claim_offset(ground: Ground, offset: Offset) -> Claim | None:
    """Was more done than logged: in windows, or all over?"""
    windows, inside = _windows(offset)
    placed = _placed(offset, inside)
    # a single stretch can show an outage; coarseness is all over, and has to show all over
    nats = _surest(ground, offset) if placed else offset.total
    against = offset.total <= 0 and not (placed and nats >= _AGAINST and _silent(offset, windows))
    if against or nats < _LEAST:
        return None
    if offset.jumpiness < _JUMPS and (placed or not _surely_everywhere(offset)):
        return None
    doubtful = not placed and not _everywhere(offset, t=_SURELY)
    if doubtful or _extrapolated(ground, offset, windows if placed else []):
        return None
    gain = 1000.0 * offset.total / ground.n
    common = Claim(
        kind=GapKind.LOG_OUTAGE,
        column=offset.column,
        p=float(np.exp(-min(nats, 700.0))),
        share=largest_share(ground, offset.effect),
        score=gain,
        recommendation="",
        channels=driven_channels(ground, np.sqrt((offset.effect**2).mean(axis=0))),
        latents=True,
        evidence=(
            Evidence(
                name="gain",
                value=gain,
                reference=0.0,
                reading="Causal nats per 1,000 rows that a held difference between done and logged gains.",
            ),
            _concentration(inside),
            Evidence(
                name="jumpiness",
                value=offset.jumpiness,
                reference=_JUMPS,
                reading="Between logged moves the difference jumps and holds; a misfit would drift.",
            ),
        ),
    )
    if placed:
        return _outage(ground, common, windows)
    readable = _readable(ground, offset)
    if readable > _READABLE or _values(ground, offset.column) > _CLASSES:
        return None
    return _coarse(ground, common, readable, [r for r in _strongest(offset) if r.inner >= _WINDOW], inside)


def as_outage(ground: Ground, claim: Claim, offset: Offset) -> Claim:
    """A claim that a log lacks something, told as an outage where that lies in a few held stretches."""
    windows, inside = _windows(offset)
    if not _placed(offset, inside):
        return claim
    placed = replace(claim, kind=GapKind.LOG_OUTAGE, evidence=(*claim.evidence, _concentration(inside)))
    return _outage(ground, placed, windows)


def _surest(ground: Ground, offset: Offset) -> float:
    """Nats for a held difference over all rows, or in one stretch less what the search for it costs.

    From any first row the gains add up to the logarithm of an e-value. Their mean over all first rows is one,
    too, and at least the largest of them over the number of rows: Ville's inequality bounds it. Two ways to
    look cost log 2 more.
    """
    stretch = max(r.inner for r in offset.runs) - float(np.log(ground.n))
    return max(offset.total, stretch) - float(np.log(2.0))


def _silent(offset: Offset, windows: list[Run]) -> bool:
    """Was the log silent in these windows for far longer than anywhere else?"""
    others = [r.stop - r.first for r in offset.runs if r not in windows]
    return min(r.stop - r.first for r in windows) >= _SILENT * max(others, default=0)


def _placed(offset: Offset, inside: float) -> bool:
    """Is the difference one in windows? Elsewhere the log is right, and speaks against it."""
    return inside > _ALMOST_ALL or (inside > _CONCENTRATED and not _everywhere(offset, against=_SOME))


def _surely_everywhere(offset: Offset) -> bool:
    return _everywhere(offset, kept=_NEARLY_ALL, against=_SOME, t=_SURELY)


def _unusual(offset: Offset, windows: list[Run]) -> bool:
    """Was the log silent in one of these windows for longer than it is by chance?"""
    mean = float(np.mean([r.stop - r.first for r in offset.runs]))
    return max(r.stop - r.first for r in windows) >= _UNUSUAL * mean


def _everywhere(offset: Offset, kept: float = _MOST, against: float = _NOT_HALF, t: float = _CERTAIN) -> bool:
    """Do most held stretches speak for a difference, and hardly any evidence against one?

    A misfit helps in some stretches and harms in others; a log that lacks the value lacks it all over.
    """
    gains = np.array([r.gain for r in offset.runs])
    share = offset.total / max(float(gains[gains > 0].sum()), 1e-9)
    certain = mean_test(offset.gains, BANDWIDTH).t
    return bool(share >= kept and (gains < 0).mean() <= against and certain >= t)


def _extrapolated(ground: Ground, offset: Offset, windows: list[Run]) -> bool:
    """Is the difference one that the model only has on rows that it did not learn from?

    What lies in windows there, too, and is spoken against by half of all stretches, no misfit does.
    """
    own = fitted_to_itself(ground)
    free = visibility(replace(ground, seen=own.seen), offset.column)
    limited = 1.0 - free / max(offset.power, 1e-12)
    if limited > _BOUND:
        return True
    beyond = optimism(ground, own)
    if windows and beyond > _BENDS and not _unusual(offset, windows):
        return True
    if beyond < (_BENDS if limited > _LIMITED else _EXTRAPOLATES):
        return False
    again = held_offset(own, offset.column)
    if windows and np.mean([r.gain < 0.0 for r in offset.runs]) >= _ELSEWHERE:
        found = sum(float(again.gains[r.begin : r.end + 1].sum()) for r in windows)
        return found < _REMAINS * sum(r.inner for r in windows)
    return not _everywhere(again)


def _strongest(offset: Offset) -> list[Run]:
    return sorted(offset.runs, key=lambda r: -r.inner)[:_FEW]


def _windows(offset: Offset) -> tuple[list[Run], float]:
    """The held stretches that may be outages, in time order, and their share of all evidence that counts.

    Where a log moves often, the best part of each of its many stretches gains a little by chance.
    """
    whole = sum(max(r.inner - _CHANCE, 0.0) for r in offset.runs)
    typical = float(np.median([r.stop - r.first for r in offset.runs]))
    strongest = _strongest(offset)
    windows = [r for r in strongest if _is_window(r, typical, strongest[0].inner)]
    return sorted(windows, key=lambda r: r.begin), sum(r.inner - _CHANCE for r in windows) / max(whole, 1e-9)


def _concentration(inside: float) -> Evidence:
    return Evidence(
        name="in_windows",
        value=inside,
        reference=_CONCENTRATED,
        reading="Share of the evidence for a held difference in the strongest few stretches of a held log.",
    )


def _is_window(run: Run, typical: float, strongest: float) -> bool:
    """Is a held stretch long and certain enough to be an outage? What is small beside the largest is not."""
    long = run.stop - run.first >= _LONG * typical
    return long and run.inner >= max(_WINDOW, _MINOR * strongest)


def _outage(ground: Ground, common: Claim, windows: list[Run]) -> Claim:
    rows = sum(r.end - r.begin + 1 for r in windows)
    return replace(
        common,
        score=1000.0 * sum(r.inner for r in windows) / ground.n,
        recommendation=f"Recover the log of {common.column} for {counted(len(windows), rows)}: it held "
        "one value while the system was still being driven along its effect.",
        windows=tuple(_span(ground, r) for r in windows),
        series=series_at(ground, (r.begin for r in windows)),
    )


def _coarse(ground: Ground, common: Claim, readable: float, windows: list[Run], inside: float) -> Claim:
    reading = "Share of the difference that exogenous variables explain; more would point at the model."
    evidence = Evidence(name="read_from_exogenous", value=readable, reference=_READABLE, reading=reading)
    return replace(
        common,
        kind=GapKind.COARSE_LOG,
        recommendation=f"Log the value that was set for {common.column}, not only its class: several levels "
        "were driven inside one logged level.",
        evidence=(*common.evidence, evidence),
        windows=tuple(_span(ground, r) for r in windows),
        rival=inside > 0.8 * _CONCENTRATED,
    )


def _span(ground: Ground, run: Run) -> tuple[int, int]:
    return int(ground.rows[run.begin]), int(ground.rows[run.end])


def _values(ground: Ground, column: str) -> int:
    """How many different values a log takes."""
    panel = ground.panel
    logged = panel.actions[ground.rows][:, panel.features_of(column)]
    return len(np.unique(logged[np.isfinite(logged).all(axis=1)], axis=0))


def _readable(ground: Ground, offset: Offset) -> float:
    """Held-out share of the offset that exogenous variables and their products with actions explain.

    Quarters of the record predict one another: what only holds inside a quarter is not readable.
    """
    x, a = ground.held(ground.panel.exog), ground.held(ground.panel.actions)
    if x.shape[1] == 0:
        return 0.0
    F = np.column_stack(
        [x, np.tanh(x), x**2, *(x[:, i : i + 1] * a for i in range(x.shape[1])), a, np.ones(len(x))]
    )
    y = offset.level
    quarter = np.arange(len(y)) * 4 // len(y)
    left = np.zeros_like(y)
    for k in range(4):
        out = quarter == k
        G = F[~out].T @ F[~out] + 1e-2 * (~out).sum() * np.eye(F.shape[1])
        left[out] = y[out] - F[out] @ np.linalg.solve(G, F[~out].T @ y[~out])
    return float(1.0 - (left**2).sum() / max(float(((y - y.mean(axis=0)) ** 2).sum()), 1e-30))
