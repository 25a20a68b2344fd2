"""The audit: every question asked of one panel, claims weighed against each other, gaps graded."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
from jaxtyping import Float

from tslam.audit.attribution import attribute
from tslam.audit.columns import Shift, claim_columns, rectified
from tslam.audit.excitation import Excitation, excitation
from tslam.audit.finding import Claim
from tslam.audit.frozen import claim_frozen, unsupported, with_frozen
from tslam.audit.gap import (
    Attribution,
    Findings,
    Gap,
    GapKind,
    LatentInfo,
    NotTested,
    Severity,
    Stamp,
    Substitution,
)
from tslam.audit.ground import Ground, eased, lay_ground, own_history
from tslam.audit.lag_scan import scan_lags
from tslam.audit.late_series import claim_late_series
from tslam.audit.logs import acts_by_itself, claim_excitation, claim_lag, likely_delay
from tslam.audit.naming import telling_latents
from tslam.audit.offset import held_offset
from tslam.audit.series import common_ground
from tslam.audit.severity import false_discovery, grade
from tslam.audit.shortfall import claim_offset
from tslam.audit.unlogged import ask_hidden
from tslam.audit.whose import Owners
from tslam.errors import FrameError
from tslam.kernels.side_by_side import side_by_side
from tslam.panel.chain import Structure
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds

__all__ = ["audit_panel"]

FEWEST_ROWS = 200
"""Transitions from which questions are asked; with fewer, cross-fitting leaves too little to learn from."""


def audit_panel(
    panel: Panel,
    structure: Structure,
    latents: Sequence[LatentInfo],
    levels: Float[np.ndarray, "rows latent"],
    *,
    seed: int = 0,
) -> Findings:
    """Ask every question of a panel.

    Args:
        panel: The data.
        structure: Of the fitted model.
        latents: Its latents, strongest first.
        levels: Their levels on the grid rows.
        seed: Of the bootstrap intervals.
    """
    excited = excitation(panel)
    claims = claim_columns(panel, excited)
    untested: list[NotTested] = []
    laid = _ground(panel, structure, untested)
    if laid is None:
        gaps = _graded(panel, claims, [()] * len(claims), (), len(claims))
        return Findings(
            gaps=gaps, latents=tuple(latents), not_tested=tuple(untested), tested=len(claims), adequate=False
        )
    ground, structure = laid
    sound, columns = _ask_logs(structure, ground, excited, claims, untested)
    free = eased(sound)
    further, hidden, unasked = ask_hidden(free, Owners(sound, columns), claims)
    claims += further
    untested += unasked
    measured = free.plain or free
    shares = attribute(measured, hidden, seed=seed)
    _weigh(claims)
    tested = 2 + 3 * sum(not x.still and x.measured > 0 for x in excited)
    names = [
        tuple(latents[k].name for k in telling_latents(claim, sound.rows, levels)) if claim.latents else ()
        for claim in claims
    ]
    gaps = _graded(panel, claims, names, shares, tested)
    return Findings(
        gaps=gaps,
        attribution=shares,
        latents=tuple(latents),
        not_tested=tuple(untested),
        tested=tested,
        adequate=_better_than_persistence(measured),
        notes=()
        if np.isfinite(levels).any() or not latents
        else ("The model could say nothing about its latents here.",),
    )


def _ground(panel: Panel, structure: Structure, untested: list[NotTested]) -> tuple[Ground, Structure] | None:
    """The rich model and what it sees, or None and why not."""
    try:
        structure = own_history(panel, structure)
        ground = common_ground(panel, structure)
    except FrameError as error:
        reason = str(error)
    else:
        if ground.n >= FEWEST_ROWS:
            return ground, structure
        reason = f"{ground.n} transitions, and at least {FEWEST_ROWS} are needed to cross-fit"
    untested.append(NotTested(question="all questions of the data", subject=None, reason=reason))
    return None


def _ask_logs(
    structure: Structure,
    ground: Ground,
    excited: list[Excitation],
    claims: list[Claim],
    untested: list[NotTested],
) -> tuple[Ground, list[str]]:
    """Questions about each logged action; the ground is laid anew once late and inert logs are set right.

    Returns:
        The ground on logs that are set right, and the columns that are among its inputs.
    """
    panel = ground.panel
    delays: dict[str, int] = {}
    moving: list[Excitation] = []
    for x in (x for x in excited if x.measured):
        still = claim_excitation(x)
        if still is None:
            moving.append(x)
            continue
        untested += _unasked(x.column, ("lag", "effect", "outage, coarseness"), "it does not move by itself")
        claims.append(still)
    usable = [x.column for x in moving]
    scans = dict(zip(usable, side_by_side(partial(scan_lags, ground), usable), strict=True))
    for x in moving:
        scan = scans[x.column]
        delays[x.column] = likely_delay(scan)
        in_series = claim_late_series(ground, scan)
        claim = None if in_series else claim_lag(ground, scan, x, panel.contract.column(x.column))
        claims += in_series if claim is None else [claim]
    late = [
        Shift(c.column, c.lag, None if c.series is None else frozenset(c.series))
        for c in claims
        if c.kind is GapKind.MISALIGNED_LOG and c.column and c.lag and c.lag > 0
    ]
    inert = _of_no_use(structure, ground, late, claims)
    claims[:] = [c for c in claims if c.kind is not GapKind.INERT_ACTION or c.column in inert]
    moved = inert | {shift.column for shift in late}
    # in time or a step late, nothing tells: set right, such a log may be frozen as any other
    a_step = {
        c.column for c in claims if c.kind is GapKind.MISALIGNED_LOG and c.lag == 1 and c.most == "info"
    }
    sound, delays = _set_right(
        structure, ground, late, inert, {c: d for c, d in delays.items() if d and c not in moved}
    )
    for column in usable:
        if column in moved:
            untested += _unasked(column, ("outage, coarseness",), "its log and the effect do not go together")
        claim = None if column in moved - a_step else _lacking(sound, column, by_effect=column not in moved)
        coarse = claim is not None and claim.kind is GapKind.COARSE_LOG
        if coarse and not acts_by_itself(ground, scans[column]):
            # a class of what was set has an effect itself; a limit has one only while it binds
            untested += _unasked(column, ("coarseness",), "its log shows no effect by itself")
            continue
        if claim is not None and not any((c.kind, c.column) == (claim.kind, column) for c in claims):
            claims.append(_as_logged(panel, claim, 1 if column in a_step else -delays.get(column, 0)))
    return sound, [column for column in usable if column not in inert]


def _lacking(ground: Ground, column: str, *, by_effect: bool) -> Claim | None:
    """What a log lacks: by what is left along its effect, and by what is read in its silences."""
    lacking = claim_offset(ground, held_offset(ground, column)) if by_effect else None
    if lacking is not None and unsupported(ground, lacking):
        lacking = None
    return with_frozen(lacking, claim_frozen(ground, column))


def _of_no_use(structure: Structure, ground: Ground, late: list[Shift], claims: list[Claim]) -> set[str]:
    """Columns claimed to be inert without which the model predicts no worse: each alone, and all together.

    An action that acts only while it binds shows at no shift by itself, and does in products with the state.
    """
    claimed = sorted({c.column for c in claims if c.kind is GapKind.INERT_ACTION and c.column})
    if not claimed:
        return set()
    with_them = lay_ground(rectified(ground.panel, late, ()), structure) if late else ground

    def no_worse(columns: set[str]) -> bool:
        return lay_ground(rectified(ground.panel, late, columns), structure).loss <= with_them.loss

    inert = {column for column in claimed if no_worse({column})}
    return inert if len(inert) < 2 or no_worse(inert) else set()


def _set_right(
    structure: Structure, ground: Ground, late: list[Shift], inert: set[str], delays: dict[str, int]
) -> tuple[Ground, dict[str, int]]:
    """The ground on logs that are set right, with dead time allowed for where that predicts better."""
    panel = ground.panel
    sound = lay_ground(rectified(panel, late, inert), structure) if late or inert else ground
    if not delays:
        return sound, {}
    shifts = [*late, *(Shift(column, -delay) for column, delay in delays.items())]
    allowed = lay_ground(rectified(panel, shifts, inert), structure)
    return (allowed, delays) if allowed.loss < sound.loss else (sound, {})


def _as_logged(panel: Panel, claim: Claim, shift: int) -> Claim:
    """The claim with its windows where the log was wrong: that many rows from where it was asked about."""
    start, stop = bounds(panel)
    spans = ((max(a + shift, int(start[a])), min(b + shift, int(stop[b]) - 1)) for a, b in claim.windows)
    return replace(claim, windows=tuple(spans))


def _unasked(column: str, questions: Sequence[str], reason: str) -> list[NotTested]:
    return [NotTested(question=question, subject=column, reason=reason) for question in questions]


def _better_than_persistence(ground: Ground) -> bool:
    """Does the rich model predict the median channel better, held out, than the last value does?"""
    chan = ground.Y.shape[1]
    naive = np.where(ground.seen, (ground.Y - ground.X[:, :chan]) ** 2, 0.0).sum(axis=0)
    left = (ground.residual**2).sum(axis=0)
    return bool(np.median(left / np.maximum(naive, 1e-30)) < 1.0)


def _weigh(claims: list[Claim]) -> None:
    """An empty declared action is what a hidden one is called; rivals keep each other from critical."""
    empty = [c.column for c in claims if c.kind is GapKind.LOG_OUTAGE and c.suggested is not None]
    for i, claim in enumerate(claims):
        if claim.kind is GapKind.MISSING_ACTION and len(empty) == 1:
            claims[i] = replace(claim, suggested=empty[0])


def _graded(
    panel: Panel,
    claims: list[Claim],
    names: Sequence[tuple[str, ...]],
    shares: Sequence[Attribution],
    asked: int,
) -> tuple[Gap, ...]:
    q = false_discovery([c.p for c in claims], asked)
    whole = next((s for s in shares if s.channel is None and s.window is None), None)
    ranks = ("info", "warning", "critical")
    gaps = []
    for claim, told_by, rate in zip(claims, names, q, strict=True):
        severity = grade(float(rate), claim.share, panel.contract.rule(claim.column), rival=claim.rival)
        severity = Severity(ranks[min(severity.rank, ranks.index(claim.most))])
        gaps.append(
            Gap(
                kind=claim.kind,
                severity=severity,
                column=claim.column,
                series=claim.series,
                latents=told_by,
                channels=claim.channels,
                windows=tuple(_stamped(panel, w) for w in claim.windows),
                lag=claim.lag,
                p_value=None if claim.fact else min(1.0, claim.p),
                score=claim.score,
                substitutes_for=_substitution(panel, claim, whole) if _is_named(claim) else None,
                evidence=claim.evidence,
                recommendation=claim.recommendation,
            )
        )
    return tuple(sorted(gaps, key=lambda g: (-g.severity.rank, -g.score)))


def _is_named(claim: Claim) -> bool:
    """Does a latent stand for a column? What cannot be told has none to stand for."""
    return claim.latents and claim.kind is not GapKind.UNDETERMINED


def _substitution(panel: Panel, claim: Claim, whole: Attribution | None) -> Substitution:
    """The column that a latent stands in for: the logged one, or a name for the one that is missing."""
    declared = claim.column or claim.suggested
    first = claim.channels[0] if claim.channels else panel.channels[0]
    kind = "driver" if claim.kind is GapKind.MISSING_EXOGENOUS else "action"
    explained = 0.0
    if whole is not None:
        total = (
            whole.history.value + whole.actions.value + whole.exogenous.value + max(whole.latents.value, 0.0)
        )
        explained = max(whole.latents.value, 0.0) / total if total > 0 else 0.0
    return Substitution(
        column=declared or f"unlogged_{kind}_on_{first}",
        declared=declared is not None,
        share=min(explained, 1.0),
    )


def _stamped(panel: Panel, rows: tuple[int, int]) -> tuple[Stamp, Stamp]:
    first, last = panel.stamps(np.array(rows)).to_list()
    return cast("tuple[Stamp, Stamp]", (first, last))
