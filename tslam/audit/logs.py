"""Questions about the columns that are logged: silent, late, inert, outage, coarse."""

from dataclasses import replace

import numpy as np

from tslam.audit.excitation import FEWEST_MOVES, Excitation
from tslam.audit.finding import Claim, driven_channels, largest_share
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.lag_scan import EARLIEST, LATEST, LagScan
from tslam.audit.offset import Offset, Run
from tslam.contract.model import Column
from tslam.contract.roles import Timing

__all__ = ["as_outage", "claim_excitation", "claim_lag", "claim_offset", "likely_delay"]

_FREE = 1e-6
"""Share of an action's variance below which it is a function of the observations."""
_SURE = 3.5
"""t from which an effect is taken to come before its log: looked for at many shifts, so far above 2."""
_AHEAD = 1.3
"""Gain ahead of the log over that behind it: by feedback a later action tells a little of what was before."""
_DELAYED = 1.5
"""t from which dead time is more likely than none: enough to allow for it, not to say so."""
_SHOWN = 3.0
_SILENT = 2.0
"""An action whose surest gain over all rows stays below this t at every shift shows nothing."""
_SILENT_AT_MOVES = 3.1
"""The same just after moves, where shifts are as good as independent: p = .05 over forty-five of them."""
_POWER_MOVES = 10
"""Moves from which showing nothing says something."""
_INERT_BOUND = 15.0
"""Nats per 1,000 rows that an inert column may still hide; above, nothing can be said."""
_CONCENTRATED = 0.5
"""Share of the offset's evidence in its strongest stretches from which it is an outage, not coarseness."""
_FEW = 5
_MINOR = 0.15
"""Share of the strongest stretch's evidence below which another is not an outage of its own."""
_WINDOW = 10.0
"""Nats from which one stretch counts as an outage."""
_LONG = 3.0
"""An outage hides moves, so its stretch is longer than most, by at least this factor of the median."""
_LEAST = 30.0
"""Nats that a held difference must gain, in all or in one stretch: less is what a misfit may add up to."""
_JUMPS = 0.7
"""Excess kurtosis of its steps between logged moves from which it jumps; a drifting misfit has about 0."""
_READABLE = 0.1
"""Share of an offset that exogenous variables may explain; above, the forward model is at fault."""


def claim_excitation(x: Excitation) -> Claim | None:
    """Does the column move at all, and by itself?"""
    if x.measured == 0:
        return None
    if x.still:
        advice = (
            f"Move {x.column} on purpose, in a few steps at quiet times, or say in the contract that it is "
            "fixed: from this record its effect cannot be known."
        )
        reading = f"{x.column} changed {x.moves} times in the record."
        evidence = Evidence(name="moves", value=x.moves, reference=FEWEST_MOVES, reading=reading)
    elif x.free < _FREE:
        advice = (
            f"Log the command sent to {x.column} instead of its read-back: the column is a copy of "
            "observations, so what it causes cannot be told from what it follows."
        )
        reading = f"Observations at the same stamp give {x.column} almost exactly."
        evidence = Evidence(name="free_variance", value=x.free, reference=_FREE, reading=reading)
    else:
        return None
    return Claim(
        kind=GapKind.UNEXCITED_ACTION,
        column=x.column,
        p=0.0,
        share=1.0,
        score=0.0,
        recommendation=advice,
        evidence=(evidence,),
        most="info" if x.still and x.moves else "warning",
    )


def claim_lag(ground: Ground, scan: LagScan, x: Excitation, column: Column) -> Claim | None:
    """Is the log late, is the effect later than it may be, or is there none?"""
    causal, early = scan.best(EARLIEST, 0), scan.best(1, LATEST)
    here, ahead = scan.test(causal), scan.test(early)
    before = scan.test(early, against=causal)
    if before.t > _SURE and ahead.t > _SHOWN and ahead.mean > _AHEAD * max(here.mean, 0.0):
        return _late(ground, scan, causal, early, column)
    if scan.largest_t() < _SILENT and scan.largest_at_moves() < _SILENT_AT_MOVES:
        known = x.moves >= _POWER_MOVES and scan.bound() <= _INERT_BOUND
        return _inert(scan, x) if known else None
    if causal < 0 and scan.test(causal, against=0).t > _SURE:
        return _dead_time(scan, causal, column.dead_time)
    return None


def likely_delay(scan: LagScan) -> int:
    """Dead time in steps that is more likely than none; 0 where the scan does not tell."""
    causal = scan.best(EARLIEST, 0)
    told = scan.test(causal).t > _SILENT and scan.test(causal, against=0).t > _DELAYED
    return -causal if causal < 0 and told else 0


def _late(ground: Ground, scan: LagScan, causal: int, early: int, column: Column) -> Claim:
    here, ahead = 1000.0 * scan.test(causal).mean, 1000.0 * scan.test(early).mean
    before = scan.test(early, against=causal)
    channels, share = _shifted_effect(ground, scan, early)
    steps = f"{early} step{'s' * (early > 1)}"
    reading = (
        f"Shifted by {steps} {scan.column} explains {ahead:.0f} nats per 1,000 rows, at its best causal lag "
        f"{here:.0f}."
    )
    # an action that acts within its interval and one logged a step late leave the same record
    open_ = early == 1 and column.timing is Timing.AUTO
    advice = f"Correct the clock of {scan.column}: its log is {steps} late, the effect is first."
    if open_:
        advice = (
            f"State the timing of {scan.column} in the contract: it acts within its interval (`within`), or "
            "its log is one step late."
        )
    return Claim(
        kind=GapKind.MISALIGNED_LOG,
        column=scan.column,
        p=before.p,
        share=share,
        score=1000.0 * before.mean,
        recommendation=advice,
        evidence=(
            Evidence(name="gain_at_lag", value=ahead, reference=here, p_value=before.p, reading=reading),
            Evidence(name="t", value=before.t, reference=_SURE, reading="The difference over its HAC error."),
        ),
        channels=channels,
        lag=early,
        most="info" if open_ else "critical",
    )


def _inert(scan: LagScan, x: Excitation) -> Claim:
    advice = (
        f"Check the tag, the unit and the actuator behind {scan.column}: it moved {x.moves} times and "
        "nothing followed."
    )
    reading = f"No held-out gain at any shift from {EARLIEST} to {LATEST} steps, not even after its moves."
    bound = "Nats per 1,000 rows that the column could still be worth (95%)."
    return Claim(
        kind=GapKind.INERT_ACTION,
        column=scan.column,
        p=0.0,
        share=1.0,
        score=max(scan.bound(), 0.0),
        recommendation=advice,
        evidence=(
            Evidence(name="largest_t", value=scan.largest_t(), reference=_SILENT, reading=reading),
            Evidence(name="bound", value=scan.bound(), reference=_INERT_BOUND, reading=bound),
        ),
        most="warning",
    )


def _dead_time(scan: LagScan, causal: int, allowed: int | None) -> Claim:
    """Dead time is part of a plant: noted, and a warning only where the contract allows less."""
    delay = -causal
    late = allowed is not None and delay > allowed
    advice = f"The effect of {scan.column} follows {delay} step{'s' * (delay > 1)} after its log"
    advice += (
        f", more than the {allowed} that the contract allows: find out whether the log is early or the plant "
        "slower than stated."
        if late
        else ": dead time; state it in the contract as `dead_time`."
        if allowed is None
        else f": dead time, and no more than the {allowed} that the contract allows."
    )
    reading = "Steps from the log to the effect."
    return Claim(
        kind=GapKind.MISALIGNED_LOG,
        column=scan.column,
        p=scan.test(causal, against=0).p,
        share=float(scan.explained[scan.shifts.index(causal)].max()),
        score=1000.0 * scan.test(causal).mean,
        recommendation=advice,
        evidence=(Evidence(name="dead_time", value=delay, reference=allowed, reading=reading),),
        lag=-delay,
        most="warning" if late else "info",
    )


def claim_offset(ground: Ground, offset: Offset) -> Claim | None:
    """Was more done than logged: in windows, or all over?"""
    windows, inside = _windows(offset)
    # a single stretch can show an outage; coarseness is all over, and has to show all over
    nats = _surest(ground, offset) if inside > _CONCENTRATED else offset.total
    if offset.total <= 0 or nats < _LEAST or offset.jumpiness < _JUMPS:
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
    if inside > _CONCENTRATED:
        return _outage(ground, common, windows)
    readable = _readable(ground, offset)
    if readable > _READABLE:
        return None
    return _coarse(ground, common, readable, [r for r in _strongest(offset) if r.inner >= _WINDOW], inside)


def as_outage(ground: Ground, claim: Claim, offset: Offset) -> Claim:
    """A claim that a log lacks something, told as an outage where that lies in a few held stretches."""
    windows, inside = _windows(offset)
    if inside <= _CONCENTRATED:
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


def _strongest(offset: Offset) -> list[Run]:
    return sorted(offset.runs, key=lambda r: -r.inner)[:_FEW]


def _windows(offset: Offset) -> tuple[list[Run], float]:
    """The held stretches that may be outages, in time order, and their share of all evidence."""
    whole = sum(max(r.inner, 0.0) for r in offset.runs)
    typical = float(np.median([r.stop - r.first for r in offset.runs]))
    strongest = _strongest(offset)
    windows = [r for r in strongest if _is_window(r, typical, strongest[0].inner)]
    return sorted(windows, key=lambda r: r.begin), sum(r.inner for r in windows) / max(whole, 1e-9)


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
    names = ground.panel.series_names
    found = sorted({names[int(ground.panel.series_of[ground.rows[r.begin]])] for r in windows})
    times = f"{len(windows)} window{'s' * (len(windows) > 1)} ({rows} rows)"
    return replace(
        common,
        score=1000.0 * sum(r.inner for r in windows) / ground.n,
        recommendation=f"Recover the log of {common.column} for {times}: it held one value while the "
        "system was still being driven along its effect.",
        windows=tuple(_span(ground, r) for r in windows),
        series=tuple(found) if len(names) > 1 else None,
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


def _shifted_effect(ground: Ground, scan: LagScan, shift: int) -> tuple[tuple[str, ...], float]:
    """Channels that the shifted action explains, and the largest share it explains of one."""
    taken = scan.explained[scan.shifts.index(shift)]
    loud = np.maximum(taken, 0.0)
    if not loud.max() > 0:
        return (), 0.0
    names = tuple(ground.panel.channels[i] for i in np.argsort(-loud) if loud[i] >= 0.1 * loud.max())
    return names, float(loud.max())


def _readable(ground: Ground, offset: Offset) -> float:
    """Held-out share of the offset that exogenous variables and their products with actions explain.

    Quarters of the record predict one another: what only holds inside a quarter is not readable.
    """
    x = ground.panel.exog[ground.rows]
    if x.shape[1] == 0:
        return 0.0
    x = np.nan_to_num(x)
    a = np.nan_to_num(ground.panel.actions[ground.rows])
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
