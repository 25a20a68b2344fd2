"""What no column logs: each way of asking, and one claim for what they find together."""

from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
from jaxtyping import Bool

from tslam.audit.attribution import Hidden
from tslam.audit.causal import causal_latent, lean_fits
from tslam.audit.finding import Claim, in_windows, listed
from tslam.audit.frozen import unsupported
from tslam.audit.gap import GapKind, NotTested
from tslam.audit.ground import Ground
from tslam.audit.hidden import acts, adequate, as_log, as_spikes, claim_latent, claim_moves
from tslam.audit.levels import held_levels
from tslam.audit.moves import find_moves
from tslam.audit.sensor import as_sensor
from tslam.audit.shortfall import as_outage
from tslam.audit.silence import as_silence
from tslam.audit.standing import acting, claim_action, claim_driver, driving
from tslam.audit.state import as_state
from tslam.audit.unmeasured import MOST_CHANNELS, claim_unmeasured, unmeasured_input
from tslam.audit.whose import Owners

__all__ = ["ask_hidden"]


_ROUNDS = 4
"""Times that moves are looked for, each without the far-off samples of sensors found before."""
_LACKING = (GapKind.LOG_OUTAGE, GapKind.COARSE_LOG, GapKind.INERT_ACTION)
"""Kinds whose column leaves something in the plant that no column tells."""


@dataclass(frozen=True, eq=False)
class _Found:
    """A claim, and what stands for it in the attribution."""

    claim: Claim
    by: Hidden = field(default_factory=Hidden)


@dataclass(eq=False)
class _Asked:
    """What was found, and what could not be asked."""

    found: list[_Found] = field(default_factory=list)
    untested: list[NotTested] = field(default_factory=list)

    def skip(self, question: str, reason: str) -> None:
        self.untested.append(NotTested(question=question, subject=None, reason=reason))


def ask_hidden(
    ground: Ground, owners: Owners, claims: list[Claim]
) -> tuple[list[Claim], Hidden, list[NotTested]]:
    """Questions about what no column logs, away from what other claims explain.

    Args:
        ground: The rich model, logs set right, eased.
        owners: The logged actions that are among its inputs, as they are asked about.
        claims: What was found of the logs.

    Returns:
        Further claims, what stands for them in the attribution, and what could not be asked.
    """
    asked = _Asked()
    explained = _explained(ground, claims)
    _ask_levels(asked, ground, explained)
    _ask_moves(asked, ground, explained)
    _ask_lean(asked, ground)
    believed = _believed(ground, owners, asked.found)
    further = _sorted_out(claims, believed)
    if all(claim.most == "info" for claim in further):
        last = _believed(ground, owners, _ask_unmeasured(asked, ground, [*claims, *further]))
        further += _sorted_out(claims, last)
        believed += last
    # what was asked last was asked because the others told little
    hidden = reduce(Hidden.beside, (one.by for one in reversed(believed)), Hidden())
    return further, hidden, asked.untested


def _believed(ground: Ground, owners: Owners, found: list[_Found]) -> list[_Found]:
    """Each told of a log or a sensor where it is theirs, without outages that nothing read supports."""
    told = [replace(one, claim=_told(ground, owners, one.claim)) for one in found]
    return [
        one
        for one in told
        if one.claim.kind is not GapKind.LOG_OUTAGE or not unsupported(owners.ground, one.claim)
    ]


def _sorted_out(claims: list[Claim], believed: list[_Found]) -> list[Claim]:
    """What belongs to a log, once for each that nothing is said of yet; one claim of the rest, and a note."""
    of_logs: list[Claim] = []
    actions: list[Claim] = []
    others: list[Claim] = []
    for told in (one.claim for one in believed):
        if told.column is None:
            (actions if told.kind is GapKind.MISSING_ACTION else others).append(told)
        elif not any(c.column == told.column and c.most != "info" for c in (*claims, *of_logs)):
            of_logs.append(told)
    if actions:
        return [*of_logs, *_together(actions)]
    notes = [claim for claim in others if claim.most == "info"]
    return [*of_logs, *_together([claim for claim in others if claim.most != "info"]), *_together(notes)]


def _told(ground: Ground, owners: Owners, claim: Claim) -> Claim:
    """A claim about something hidden, told as one about a log, a sensor or a state where it is theirs."""
    column = None if claim.kind is GapKind.UNDETERMINED else owners.of(claim)
    if column is None:
        claim = as_silence(ground, owners.columns, claim)
        return claim if claim.column else as_state(ground, as_sensor(ground, claim))
    return as_outage(owners.ground, as_log(claim, column), owners.offset(column))


def _explained(ground: Ground, claims: list[Claim]) -> Bool[np.ndarray, " n"]:
    """Transitions inside outages, which other columns need not explain again."""
    # a column without any value explains nothing: what it should have held is still to be found
    outages = (c for c in claims if c.kind is GapKind.LOG_OUTAGE and c.suggested is None)
    return in_windows(ground, (window for claim in outages for window in claim.windows))


def _ask_levels(asked: _Asked, ground: Ground, explained: Bool[np.ndarray, " n"]) -> None:
    held = held_levels(ground, explained)
    if held is None:
        asked.skip("levels that are held", "there are too few rows for what the model would have to learn")
        return
    jumping = acting(held)
    drifting = None if jumping else driving(held)
    named = [(level, claim_action(ground, held, level)) for level in jumping]
    if drifting is not None:
        named.append((drifting, claim_driver(ground, held, drifting)))
    asked.found += [_Found(claim, Hidden(levels=held, named=(level.index,))) for level, claim in named]


def _ask_moves(asked: _Asked, ground: Ground, explained: Bool[np.ndarray, " n"]) -> None:
    # jumps of a state that was smoothed into place late would pass for moves
    ground = ground.plain or ground
    for asked_before in range(_ROUNDS):
        moves = find_moves(ground, explained)
        if moves is None and not asked_before:
            asked.skip("unlogged moves", "too few rows can be trusted")
        claim = None if moves is None else claim_moves(ground, moves)
        if moves is None or claim is None:
            return
        told = as_spikes(ground, moves, claim)
        if told is claim:
            asked.found.append(_Found(claim, Hidden(moves=moves)))
            return
        if told is not None:
            asked.found.append(_Found(told))
        # behind one sensor's far-off samples there may be others, and moves
        explained = explained.copy()
        explained[moves.rows] = True


def _ask_lean(asked: _Asked, ground: Ground) -> None:
    lean = lean_fits(ground)
    causal = causal_latent(ground, lean)
    fits = adequate(causal)
    if not (fits or acts(causal)):
        asked.skip(
            "causal gain of a held latent",
            f"the lean model predicts worse than the rich one (t = {causal.against_rich.t:.1f}), and its "
            "latent does not jump while all that is logged rests: it would stand for what the model lacks",
        )
    claim = claim_latent(ground, causal)
    if claim is not None:
        # what a model that falls short leaves is more than its latent: the path alone is counted
        asked.found.append(_Found(claim, Hidden(lean=lean) if fits else Hidden(path=claim.path)))


def _ask_unmeasured(asked: _Asked, ground: Ground, claims: list[Claim]) -> list[_Found]:
    """Asked last: what a log lacks, and what was found to be hidden, would be found again."""
    question = "a held input that no column measures"
    lacking = sorted({c.column for c in claims if c.kind in _LACKING and c.column})
    if lacking:
        asked.skip(question, f"what the log of {listed(tuple(lacking))} lacks would be found again")
    elif any(claim.path is not None for claim in claims):
        asked.skip(question, "the state without a sensor that was found would be found again")
    elif ground.Y.shape[1] > MOST_CHANNELS:
        asked.skip(question, f"it is asked of at most {MOST_CHANNELS} observations")
    else:
        found = unmeasured_input(ground)
        claim = None if found is None else claim_unmeasured(ground, found)
        if found is None:
            asked.skip(question, "the fit of a state with noisy sensors did not converge")
        if claim is not None:
            action = claim.kind is GapKind.MISSING_ACTION
            return [_Found(claim, Hidden(path=claim.path) if action else Hidden())]
    return []


def _together(found: list[Claim]) -> list[Claim]:
    """Level and moves of one hidden cause are one gap, told by the question that tells most of it."""
    if not found:
        return []
    first, *rest = found
    known = {e.name for e in first.evidence}
    more = tuple(e for claim in rest for e in claim.evidence if e.name not in known)
    return [replace(first, evidence=(*first.evidence, *more), score=max(c.score for c in found))]
