"""Questions about the columns that are logged: silent, late, inert, outage, coarse."""

import numpy as np

from tslam.audit.excitation import FEWEST_MOVES, Excitation
from tslam.audit.finding import Claim, driven_channels, largest_share
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.lag_scan import EARLIEST, LATEST, LagScan
from tslam.audit.offset import Offset, Run

__all__ = ["claim_excitation", "claim_lag", "claim_offset"]

_FREE = 1e-6
"""Share of an action's variance below which it is a function of the observations."""
_SURE = 4.0
"""t from which an effect is taken to come before its log: looked for at many shifts, so far above 2."""
_SHOWN = 3.0
_SILENT = 2.0
"""An action whose surest gain at any shift stays below this t shows nothing."""
_POWER_MOVES = 10
"""Moves from which showing nothing says something."""
_INERT_BOUND = 15.0
"""Nats per 1,000 rows that an inert column may still hide; above, nothing can be said."""
_CONCENTRATED = 0.5
"""Share of the offset's evidence in its strongest stretches from which it is an outage, not coarseness."""
_FEW = 5
_WINDOW = 10.0
"""Nats from which one stretch counts as an outage."""
_LONG = 1.5
"""An outage hides moves, so its stretch is longer than most, by at least this factor of the median."""
_READABLE = 0.1
"""Share of an offset that exogenous variables may explain; above, the forward model is at fault."""


def claim_excitation(x: Excitation) -> Claim | None:
    """Does the column move at all, and by itself?"""
    if x.measured == 0:
        return None
    if x.still:
        return Claim(
            GapKind.UNEXCITED_ACTION, x.column, 0.0, 1.0, 0.0,
            f"Move {x.column} on purpose, in a few steps at quiet times, or say in the contract that it is fixed: "
            "from this record its effect cannot be known.",
            (
                Evidence(name="moves", value=x.moves, reference=FEWEST_MOVES,
                         reading=f"{x.column} changed {x.moves} times in the record."),
            ),
            most="warning",
        )  # fmt: skip
    if x.free < _FREE:
        return Claim(
            GapKind.UNEXCITED_ACTION, x.column, 0.0, 1.0, 0.0,
            f"Log the command sent to {x.column} instead of its read-back: the column is a copy of observations, so "
            "what it causes cannot be told from what it follows.",
            (
                Evidence(name="free_variance", value=x.free, reference=_FREE,
                         reading=f"Observations at the same stamp give {x.column} almost exactly."),
            ),
            most="warning",
        )  # fmt: skip
    return None


def claim_lag(ground: Ground, scan: LagScan, x: Excitation, dead_time: int | None) -> Claim | None:
    """Is the log late, is the effect later than it may be, or is there none?"""
    column = scan.column
    causal, early = scan.best(EARLIEST, 0), scan.best(1, LATEST)
    here, ahead = scan.test(causal), scan.test(early)
    before = scan.test(early, against=causal)
    if before.t > _SURE and ahead.t > _SHOWN and ahead.mean > 2.0 * max(here.mean, 0.0):
        gain = 1000.0 * before.mean
        effect = _shifted_effect(ground, scan, early)
        return Claim(
            GapKind.MISALIGNED_LOG, column, before.p, effect[1], gain,
            f"Correct the clock of {column}: its log is {early} step{'s' * (early > 1)} late, the effect comes first.",
            (
                Evidence(name="gain_at_lag", value=1000.0 * ahead.mean, reference=1000.0 * here.mean, p_value=before.p,
                         reading=f"Shifted by {early} steps {column} explains {1000 * ahead.mean:.0f} nats per 1,000 "
                         f"rows, at its best causal lag {1000 * here.mean:.0f}."),
                Evidence(name="t", value=before.t, reference=_SURE, reading="The difference over its HAC error."),
            ),
            effect[0], lag=early,
        )  # fmt: skip
    if scan.largest_t() < _SILENT:
        if x.moves < _POWER_MOVES or scan.bound() > _INERT_BOUND:
            return None
        return Claim(
            GapKind.INERT_ACTION, column, 0.0, 1.0, max(scan.bound(), 0.0),
            f"Check the tag, the unit and the actuator behind {column}: it moved {x.moves} times and nothing followed.",
            (
                Evidence(name="largest_t", value=scan.largest_t(), reference=_SILENT,
                         reading=f"No held-out gain at any shift from {EARLIEST} to {LATEST} steps."),
                Evidence(name="bound", value=scan.bound(), reference=_INERT_BOUND,
                         reading="Nats per 1,000 rows that the column could still be worth (95%)."),
            ),
            most="warning",
        )  # fmt: skip
    delay = -causal
    if delay > 0 and scan.test(causal, against=0).t > _SURE:
        late = dead_time is not None and delay > dead_time
        allowed = f", more than the {dead_time} that the contract allows" if late else ""
        return Claim(
            GapKind.MISALIGNED_LOG, column, scan.test(causal, against=0).p, 0.05, 1000.0 * here.mean,
            f"The effect of {column} follows {delay} step{'s' * (delay > 1)} after its log{allowed}: "
            + ("find out whether the log is early or the plant slower than stated."
               if late else "dead time; state it in the contract as `dead_time`."),
            (Evidence(name="dead_time", value=delay, reference=dead_time, reading="Steps from the log to the effect."),),
            lag=-delay, most="warning" if late else "info",
        )  # fmt: skip
    return None


def claim_offset(ground: Ground, offset: Offset, series_names: tuple[str, ...]) -> Claim | None:
    """Was more done than logged: in windows, or all over?"""
    if offset.total <= 0:
        return None
    strongest = sorted(offset.runs, key=lambda r: -r.inner)
    evidence = sum(r.inner for r in offset.runs)
    typical = float(np.median([r.stop - r.first for r in offset.runs]))
    windows = [
        r for r in strongest[:_FEW] if r.inner >= _WINDOW and r.stop - r.first >= _LONG * typical
        and r.inner >= 0.15 * strongest[0].inner
    ]  # fmt: skip
    inside = sum(r.inner for r in windows)
    p = float(np.exp(-min(max(offset.total, strongest[0].inner), 700.0)))
    share = largest_share(ground, offset.effect)
    direction = np.sqrt((offset.effect**2).mean(axis=0))
    common = (
        Evidence(name="gain", value=1000.0 * offset.total / ground.n, p_value=p,
                 reading="Causal nats per 1,000 rows that a held difference between done and logged gains."),
        Evidence(name="in_windows", value=inside / max(evidence, 1e-9), reference=_CONCENTRATED,
                 reading="Share of that evidence in the strongest few stretches of a held log."),
    )  # fmt: skip
    channels = driven_channels(ground, direction)
    if windows and inside > _CONCENTRATED * evidence:
        return _outage(ground, offset, windows, p, share, common, channels, direction)
    readable = _readable(ground, offset)
    if readable > _READABLE:
        return None
    return Claim(
        GapKind.COARSE_LOG, offset.column, p, share, 1000.0 * offset.total / ground.n,
        f"Log the value that was set for {offset.column}, not only its class: several levels were driven inside one "
        "logged level.",
        (*common,
         Evidence(name="read_from_exogenous", value=readable, reference=_READABLE,
                  reading="Share of the difference that exogenous variables explain: more would point at the model.")),
        channels, latents=True, rival=inside > 0.8 * _CONCENTRATED * evidence, direction=direction,
        windows=tuple(_span(ground, r) for r in strongest[:_FEW] if r.inner >= _WINDOW),
    )  # fmt: skip


def _outage(
    ground: Ground,
    offset: Offset,
    windows: list[Run],
    p: float,
    share: float,
    common: tuple[Evidence, ...],
    channels: tuple[str, ...],
    direction: np.ndarray,
) -> Claim:
    ordered = sorted(windows, key=lambda r: r.begin)
    rows = sum(r.end - r.begin + 1 for r in ordered)
    found = {ground.panel.series_names[int(ground.panel.series_of[ground.rows[r.begin]])] for r in ordered}
    series = tuple(sorted(found)) if len(ground.panel.series_names) > 1 else None
    return Claim(
        GapKind.LOG_OUTAGE, offset.column, p, share, 1000.0 * sum(r.inner for r in ordered) / ground.n,
        f"Recover the log of {offset.column} for {len(ordered)} window{'s' * (len(ordered) > 1)} ({rows} rows): it held "
        "one value while the system was still being driven along its effect.",
        common, channels, windows=tuple(_span(ground, r) for r in ordered), latents=True, series=series,
        direction=direction,
    )  # fmt: skip


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
