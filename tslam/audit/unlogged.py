"""What no column logs: each way of asking, and one claim for what they find together."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool

from tslam.audit.attribution import Hidden
from tslam.audit.causal import causal_latent, lean_fits
from tslam.audit.finding import Claim, listed
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
from tslam.audit.unmeasured import MOST_CHANNELS, claim_unmeasured, unmeasured_input
from tslam.audit.whose import Owners

__all__ = ["ask_hidden"]


_ROUNDS = 4
"""Times that moves are looked for, each without the far-off samples of sensors found before."""
_LACKING = (GapKind.LOG_OUTAGE, GapKind.COARSE_LOG, GapKind.INERT_ACTION)
"""Kinds whose column leaves something in the plant that no column tells."""


@dataclass(eq=False)
class _Asked:
    """What was found, what stands for it, and what could not be asked."""

    found: list[Claim] = field(default_factory=list)
    hidden: Hidden = field(default_factory=Hidden)
    untested: list[NotTested] = field(default_factory=list)

    def skip(self, question: str, reason: str) -> None:
        self.untested.append(NotTested(question=question, subject=None, reason=reason))


def ask_hidden(
    ground: Ground, columns: list[str], claims: list[Claim]
) -> tuple[list[Claim], Hidden, list[NotTested]]:
    """Questions about what no column logs, away from what other claims explain.

    Args:
        ground: The rich model, logs set right.
        columns: Logged actions that are among its inputs.
        claims: What was found of the logs.

    Returns:
        Further claims, what stands for them in the attribution, and what could not be asked.
    """
    asked = _Asked()
    explained = _explained(ground, claims)
    _ask_levels(asked, ground, explained)
    _ask_moves(asked, ground, explained)
    _ask_lean(asked, ground)
    owners = Owners(ground, columns)
    found = _sorted_out(ground, owners, claims, asked.found)
    if all(claim.most == "info" for claim in found):
        found += _sorted_out(ground, owners, claims, _ask_unmeasured(asked, ground, claims))
    return found, asked.hidden, asked.untested


def _sorted_out(ground: Ground, owners: Owners, claims: list[Claim], found: list[Claim]) -> list[Claim]:
    """What belongs to a log, once for each that nothing is said of yet; and what is left, as one claim."""
    of_logs: list[Claim] = []
    actions: list[Claim] = []
    others: list[Claim] = []
    for claim in found:
        told = _told(ground, owners, claim)
        if told.kind is GapKind.LOG_OUTAGE and unsupported(ground, told):
            continue
        if told.column is None:
            (actions if told.kind is GapKind.MISSING_ACTION else others).append(told)
        elif not any(c.column == told.column and c.most != "info" for c in (*claims, *of_logs)):
            of_logs.append(told)
    return [*of_logs, *_together(actions or sorted(others, key=lambda claim: claim.most == "info"))]


def _told(ground: Ground, owners: Owners, claim: Claim) -> Claim:
    """A claim about something hidden, told as one about a log or a sensor where it is theirs."""
    column = None if claim.kind is GapKind.UNDETERMINED else owners.of(claim)
    if column is None:
        claim = as_silence(ground, owners.columns, claim)
        return claim if claim.column else as_sensor(ground, claim)
    return as_outage(ground, as_log(claim, column), owners.offset(column))


def _explained(ground: Ground, claims: list[Claim]) -> Bool[np.ndarray, " n"]:
    """Transitions inside outages, which other columns need not explain again."""
    out = np.zeros(ground.n, bool)
    for claim in claims:
        # a column without any value explains nothing: what it should have held is still to be found
        if claim.kind is GapKind.LOG_OUTAGE and claim.suggested is None:
            for first, last in claim.windows:
                out |= (ground.rows >= first) & (ground.rows <= last)
    return out


def _ask_levels(asked: _Asked, ground: Ground, explained: Bool[np.ndarray, " n"]) -> None:
    held = held_levels(ground, explained)
    if held is None:
        asked.skip("levels that are held", "there are too few rows for what the model would have to learn")
        return
    jumping = acting(held)
    drifting = None if jumping else driving(held)
    named = jumping if drifting is None else [drifting]
    asked.found += [claim_action(ground, held, level) for level in jumping]
    if drifting is not None:
        asked.found.append(claim_driver(ground, held, drifting))
    asked.hidden = replace(asked.hidden, levels=held, named=tuple(level.index for level in named))


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
        if told is not None:
            asked.found.append(told)
        if told is claim:
            asked.hidden = replace(asked.hidden, moves=moves)
            return
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
        asked.found.append(claim)
        # what a model that falls short leaves is more than its latent: the path alone is counted
        if fits:
            asked.hidden = replace(asked.hidden, lean=lean)
        else:
            asked.hidden = replace(asked.hidden, path=claim.path)


def _ask_unmeasured(asked: _Asked, ground: Ground, claims: list[Claim]) -> list[Claim]:
    """Asked last: what a log lacks, and what was found to be hidden, would be found again."""
    question = "a held input that no column measures"
    lacking = sorted({c.column for c in claims if c.kind in _LACKING and c.column})
    if lacking:
        asked.skip(question, f"what the log of {listed(tuple(lacking))} lacks would be found again")
    elif ground.Y.shape[1] > MOST_CHANNELS:
        asked.skip(question, f"it is asked of at most {MOST_CHANNELS} observations")
    else:
        found = unmeasured_input(ground)
        claim = None if found is None else claim_unmeasured(ground, found)
        if found is None:
            asked.skip(question, "the fit of a state with noisy sensors did not converge")
        if claim is not None and claim.kind is GapKind.MISSING_ACTION:
            asked.hidden = replace(asked.hidden, path=claim.path)
        return [claim] if claim else []
    return []


def _together(found: list[Claim]) -> list[Claim]:
    """Level and moves of one hidden cause are one gap, told by the question that tells most of it."""
    if not found:
        return []
    first, *rest = found
    known = {e.name for e in first.evidence}
    more = tuple(e for claim in rest for e in claim.evidence if e.name not in known)
    return [replace(first, evidence=(*first.evidence, *more), score=max(c.score for c in found))]
