"""Questions about the columns that are logged: silent, late, inert."""

import numpy as np

from tslam.audit.excitation import FEWEST_MOVES, Excitation
from tslam.audit.finding import Claim
from tslam.audit.following import Following, following
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.lag_scan import EARLIEST, LATEST, LagScan
from tslam.contract.model import Column
from tslam.contract.roles import Timing

__all__ = [
    "AHEAD",
    "SHOWN",
    "SURE",
    "acts_by_itself",
    "claim_excitation",
    "claim_lag",
    "likely_delay",
    "shifted_effect",
    "shows_nothing",
]

_FREE = 1e-6
"""Share of an action's variance below which it is a function of the observations."""
SURE = 3.5
"""t from which an effect is taken to come before its log: looked for at many shifts, so far above 2."""
AHEAD = 1.3
"""Gain ahead of the log over that behind it: by feedback a later action tells a little of what was before."""
_ANSWERS = 0.5
"""Share of rows in which an action moves from which a controller may set it: it answers what was measured, so
that later values tell of earlier rows as those of a late log do."""
_DELAYED = 1.5
"""t from which dead time is more likely than none: enough to allow for it, not to say so."""
SHOWN = 3.0
"""t from which an action is taken to act at all."""
_TOLD = 2.0
"""t from which a log tells something at a shift. Of the log of a controller, in time, it is 1.9 to 7.9 at the
best causal one (12 records), late by 3 or 8 rows -.5 to 1.5 and 1.9, 2 and 2.7 (24)."""
_SILENT = 2.7
"""An action whose surest gain over all rows stays below this t at every shift shows nothing: of 160 columns
of other records, 1,500 and 4,000 rows, .98 stay below."""
_SILENT_AT_MOVES = 3.1
"""The same just after moves, where shifts are as good as independent: p = .05 over forty-five of them."""
_POWER_MOVES = 10
"""Moves from which showing nothing says something."""
_WORTH = 15.0
"""Nats per 1,000 rows that an action should be worth. As far below zero it spoils the model."""
_FOLLOWED = 0.005
"""p-value below which something follows: .05 over the ten actions or so that are asked about."""
_BINDS, _MATTERS = 0.05, 5.0
"""The same while a driver is high, or low, and the nats per 1,000 rows that go with it. In 55 columns that
were inert the first was less in three, with 2.6 and 2.7 nats in two of 8,000 rows; in 33 that are limits
or hide behind one, in 17, with 9 to 27 in the six of them looked at."""
_UNWORTHY = 0.05
"""p-value of being worth that much, below which it is not."""


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
        fact=True,
        most="info" if x.still and x.moves else "warning",
    )


def claim_lag(ground: Ground, scan: LagScan, x: Excitation, column: Column) -> Claim | None:
    """Is the log late, is the effect later than it may be, or is there none?"""
    causal, early = scan.best(EARLIEST, 0), scan.best(1, LATEST)
    here, ahead = scan.test(causal), scan.test(early)
    before = scan.test(early, against=causal)
    answers = x.moves > _ANSWERS * x.measured
    # what moves at nearly every row and is late tells nothing by its log
    in_time = answers and here.t > _TOLD
    if before.t > SURE and ahead.t > SHOWN and ahead.mean > AHEAD * max(here.mean, 0.0) and not in_time:
        return _late(ground, scan, causal, early, column, answers=answers)
    if shows_nothing(scan):
        known = x.moves >= _POWER_MOVES and scan.bound() >= -_WORTH
        return _inert(ground, scan, x) if known else None
    if causal < 0 and scan.test(causal, against=0).t > SURE:
        return _dead_time(scan, causal, column.dead_time)
    return None


def shows_nothing(scan: LagScan) -> bool:
    """Is there no gain at any shift, neither over all rows nor just after moves?"""
    return scan.largest_t() < _SILENT and scan.largest_at_moves() < _SILENT_AT_MOVES


def acts_by_itself(ground: Ground, scan: LagScan) -> bool:
    """Does something follow an action whatever else is so, and not only while it binds, as with a limit?"""
    if scan.largest_t() >= SHOWN:
        return True
    found = following(ground, scan.column, EARLIEST, LATEST, _WORTH)
    if found is None:
        return not shows_nothing(scan)
    binds = found.p_binding < _BINDS and found.binding > found.largest
    return found.p < _FOLLOWED and not binds


def likely_delay(scan: LagScan) -> int:
    """Dead time in steps that is more likely than none; 0 where the scan does not tell."""
    causal = scan.best(EARLIEST, 0)
    told = scan.test(causal).t > _TOLD and scan.test(causal, against=0).t > _DELAYED
    return -causal if causal < 0 and told else 0


def _late(ground: Ground, scan: LagScan, causal: int, early: int, column: Column, *, answers: bool) -> Claim:
    here, ahead = 1000.0 * scan.test(causal).mean, 1000.0 * scan.test(early).mean
    before = scan.test(early, against=causal)
    channels, share = shifted_effect(ground, scan, early)
    steps = f"{early} step{'s' * (early > 1)}"
    reading = (
        f"Shifted by {steps} {scan.column} explains {ahead:.0f} nats per 1,000 rows, at its best causal lag "
        f"{here:.0f}."
    )
    # an action that acts within its interval and one logged a step late leave the same record
    open_ = early == 1 and column.timing is Timing.AUTO
    advice = f"Correct the clock of {scan.column}: its log is {steps} late, the effect is first."
    if answers:
        advice = (
            f"Find out who sets {scan.column}. A controller that reads the measurements answers within "
            f"{steps}, and its log is in time; set by anything else, its log is {steps} late."
        )
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
            Evidence(name="t", value=before.t, reference=SURE, reading="The difference over its HAC error."),
        ),
        channels=channels,
        lag=early,
        most="info" if open_ else "warning" if answers else "critical",
    )


def _inert(ground: Ground, scan: LagScan, x: Excitation) -> Claim | None:
    """Nothing predicts better by it, nothing goes along with it, and what it is worth would have shown."""
    found = following(ground, x.column, EARLIEST, LATEST, _WORTH)
    if found is None or found.p < _FOLLOWED or found.p_worth > _UNWORTHY:
        return None
    if found.p_binding < _BINDS and 500.0 * found.binding > _MATTERS * ground.n:
        return None
    advice = (
        f"Check the tag, the unit and the actuator behind {scan.column}: it moved {x.moves} times and "
        "nothing followed."
    )
    reading = f"No held-out gain at any shift from {EARLIEST} to {LATEST} steps, not even after its moves."
    return Claim(
        kind=GapKind.INERT_ACTION,
        column=scan.column,
        p=found.p_worth,
        share=1.0,
        score=max(_WORTH - 500.0 * found.largest / ground.n, 0.0),
        recommendation=advice,
        evidence=(
            Evidence(name="largest_t", value=scan.largest_t(), reference=_SILENT, reading=reading),
            *_apart(found),
        ),
        most="warning",
    )


def _apart(found: Following) -> tuple[Evidence, Evidence]:
    return (
        Evidence(
            name="following",
            value=found.largest,
            p_value=found.p,
            reading="How far innovations go along with it at any shift; p: its log laid elsewhere, as far.",
        ),
        Evidence(
            name="worth",
            value=_WORTH,
            p_value=found.p_worth,
            reading="Nats per 1,000 rows that it could be worth; p: an action worth that much, as silent.",
        ),
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


def shifted_effect(ground: Ground, scan: LagScan, shift: int) -> tuple[tuple[str, ...], float]:
    """Channels that the shifted action explains, and the largest share it explains of one."""
    taken = scan.explained[scan.shifts.index(shift)]
    loud = np.maximum(taken, 0.0)
    if not loud.max() > 0:
        return (), 0.0
    names = tuple(ground.panel.channels[i] for i in np.argsort(-loud) if loud[i] >= 0.1 * loud.max())
    return names, float(loud.max())
