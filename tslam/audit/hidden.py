"""Questions about what no column logs: an action, an outside driver, or something that cannot be told."""

from dataclasses import replace

import numpy as np

from tslam.audit.causal import Causal
from tslam.audit.finding import (
    Claim,
    causal_gain,
    driven_channels,
    found_alike,
    jump_windows,
    largest_share,
    listed,
    log_what_moves,
    moves_at_rest,
)
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.moves import Moves
from tslam.audit.rest import ORDINARY
from tslam.audit.sensor import spikes
from tslam.audit.student import student_score

__all__ = ["acts", "adequate", "as_log", "as_spikes", "claim_latent", "claim_moves"]

_ADEQUATE = 1.0
"""t from which the lean model with its latent is taken to predict no worse than the rich one without."""
_GAIN = 2.0
"""t from which a latent improves causal, held-out prediction."""
_JUMPS = 0.8
"""Excess kurtosis of a latent's increments from which it jumps and holds; a random walk has 0."""
_JUMPS_WELL = 3.0
"""The same from which a latent jumps whose model is not adequate: on clean records of plants that bend it was
-.1 to .2 where the latent moved at rest and parts agreed."""
_AGREES = 0.93
"""Correlation between the latents of two parts of the record from which all of them found the same. Where a
model misfits each part has a misfit of its own: .34 to .89 on five clean records, .94 to .99 with an action
hidden."""
_MOVING = 20.0
"""Rows' worth of steps that a latent which jumps should have, n over their kurtosis: four jumps, each smeared
over five rows. Where there are fewer, a burst or two made all of it, as an overload does."""
_STIRRED, _SURELY = 0.75, 0.97
"""Size of a latent's steps where nothing logged moves over that elsewhere, below which it waits for logged
moves, as a misfit does, in an adequate model too; unless parts agree that well. The first was .46 to .69 in
seven clean records, whose parts agreed by .93 to .955; with something hidden .80 to 1.1 in sixteen records,
and .67 in one, whose parts agreed by .99."""
_HELD = 0.93
"""Persistence per step from which a latent is held, for some fifteen rows and more."""
_FOLLOWED = 3.0
"""t from which innovations after a move stay on its side."""
_TAIL = 2.0
"""Excess kurtosis along the moves' axis beyond that along the others."""
_SHARED = 1.7
"""Concentration of the moves along one axis; 1 is isotropic."""
_TRUE = 3.0
"""Nats, either way, from which single samples of one channel are true readings, or false ones."""
_EACH = 0.5
"""Nats that the size of a move costs, which is read from the row itself."""
_PLAIN_TAIL, _PLAIN_SHARED, _PLAIN_SIZE = 15.0, 4.0, 6.0
"""Moves so large and so alike that nothing need follow: an effect that is over within one step."""
_PLAIN_APART = 10.0
"""Squared length along the axis over the mean of that along the others, from which moves are as alike: what a
concentration of 4 is among six channels. Among four or fewer it cannot exceed 4."""


def adequate(causal: Causal) -> bool:
    """Is the lean model good enough for its latent to mean anything?"""
    return causal.against_rich.t > _ADEQUATE


def acts(causal: Causal) -> bool:
    """Does the latent jump as much while everything logged rests? A shortcoming of the model does not."""
    return causal.jumpiness > _JUMPS_WELL and causal.resting.by_itself


def as_log(claim: Claim, column: str) -> Claim:
    """A claim about a hidden action, told as one about the log of the action along whose effect it lies."""
    return replace(
        claim,
        kind=GapKind.COARSE_LOG,
        column=column,
        recommendation=f"Log every change that is made to {column}, with the value set: it moved at times "
        "and by amounts that its log does not hold.",
    )


def claim_latent(ground: Ground, causal: Causal) -> Claim | None:
    """Does a held latent earn its place, and does it act or drift?"""
    fits = adequate(causal)
    gain = causal.gain if fits else causal.own_gain
    if not (fits or acts(causal)) or gain.t < _GAIN or causal.persistence < _HELD:
        return None
    if causal.agreement < _AGREES or len(causal.level) < _MOVING * (causal.jumpiness + 3.0):
        return None
    if causal.resting.anywhere < _STIRRED and causal.agreement < _SURELY:
        return None
    if causal.resting.ordinary < ORDINARY:
        return None
    channels = driven_channels(ground, causal.direction)
    score = 1000.0 * gain.mean
    jumps = causal.jumpiness > _JUMPS
    evidence: tuple[Evidence, ...] = (
        causal_gain(gain, "the latent, as known beforehand, adds"),
        Evidence(
            name="causal_gain_t",
            value=gain.t,
            reference=_GAIN,
            reading="The gain over its HAC error.",
        ),
        Evidence(
            name="against_rich_t",
            value=causal.against_rich.t,
            reference=_ADEQUATE,
            reading="The lean model with the latent predicts no worse than the rich one without: adequate."
            if fits
            else "The rich model predicts better: what the latent is worth is told by its jumps at rest.",
        ),
        found_alike(causal.agreement, _AGREES),
        Evidence(
            name="jumpiness",
            value=causal.jumpiness,
            reference=_JUMPS,
            reading="It jumps and holds." if jumps else "It drifts without jumps.",
        ),
        Evidence(
            name="persistence",
            value=causal.persistence,
            reference=_HELD,
            reading="AR(1) coefficient per step: it is held.",
        ),
    )
    if not fits:
        evidence = (*evidence, *moves_at_rest(causal.resting))
    drift = (
        f"Measure what drifts and drives {listed(channels)}: a condition, load or supply that no column "
        "holds."
    )
    return Claim(
        kind=GapKind.MISSING_ACTION if jumps else GapKind.MISSING_EXOGENOUS,
        column=None,
        p=gain.p,
        share=largest_share(ground, causal.level[:, None] * causal.direction[None, :]),
        score=score,
        recommendation=log_what_moves(channels) if jumps else drift,
        evidence=evidence,
        channels=channels,
        windows=jump_windows(ground, causal.level) if jumps else (),
        latents=True,
        direction=causal.direction,
        path=causal.level,
        most="critical" if jumps and fits else "warning",
    )


def claim_moves(ground: Ground, moves: Moves) -> Claim | None:
    """Are there sparse, large innovations along one direction, followed by a shift that stays?"""
    tail = moves.kurtosis - moves.heavy
    held = moves.follow.t > _FOLLOWED and tail > _TAIL and moves.concentration > _SHARED
    alike = moves.concentration > _PLAIN_SHARED or moves.apart > _PLAIN_APART
    plain = tail > _PLAIN_TAIL and alike and moves.size > _PLAIN_SIZE
    if not held and not plain:
        return None
    channels = driven_channels(ground, moves.direction)
    along = ground.white() @ moves.axis
    energy = np.zeros((ground.n, len(moves.direction)))
    energy[moves.rows] = along[moves.rows, None] * moves.direction[None, :]
    onsets = len(moves.rows)
    evidence = (
        Evidence(
            name="concentration",
            value=moves.concentration,
            reference=_SHARED,
            p_value=moves.axial_p,
            reading=f"{onsets} onsets share an axis: 1 is isotropic, the next has {moves.second:.1f}.",
        ),
        Evidence(
            name="tail",
            value=moves.kurtosis,
            reference=moves.heavy + _TAIL,
            reading="Excess kurtosis along that direction; the reference is that of the others, and 2.",
        ),
        Evidence(
            name="follow_t",
            value=moves.follow.t,
            reference=_FOLLOWED,
            p_value=moves.follow.p,
            reading="Innovations after a move stay on its side."
            if held
            else "What follows is over in a step.",
        ),
        Evidence(name="size", value=moves.size, reading="Size of a move in innovation standard deviations."),
    )
    rows = ground.rows[moves.rows]
    left = ground.residual[moves.rows]
    gain = student_score(left - energy[moves.rows], ground.cov) - student_score(left, ground.cov) - _EACH
    return Claim(
        kind=GapKind.MISSING_ACTION,
        column=None,
        # where nothing need follow, the axis alone is what chance has to make
        p=moves.axial_p if plain else max(moves.axial_p, moves.follow.p),
        share=largest_share(ground, energy),
        score=1000.0 * float(gain.sum()) / ground.n,
        recommendation=f"Find what was switched or set at the {onsets} times listed and moves "
        f"{listed(channels)}, and log it.",
        evidence=evidence,
        channels=channels,
        windows=tuple((int(r), int(r)) for r in rows),
        latents=True,
        direction=moves.direction,
    )


def as_spikes(ground: Ground, moves: Moves, claim: Claim) -> Claim | None:
    """The claim as it is; or that it may be false readings of one sensor; None where it is nothing but those.

    Args:
        ground: The rich model.
        moves: Of which the claim is.
        claim: About what no column logs.
    """
    sensor = None if moves.follow.t > _FOLLOWED else spikes(ground, moves)
    if sensor is None or sensor[1] > _TRUE:
        return claim
    channel, nats = sensor
    if nats < -_TRUE:
        return None
    return replace(
        claim,
        kind=GapKind.UNDETERMINED,
        recommendation=f"Compare {channel} with a second instrument at the times listed, or look up what "
        "happened then: single samples of it are far off, nothing else shows it, and nothing that follows "
        "tells a true reading from a false one.",
        evidence=(
            *claim.evidence,
            Evidence(
                name="true_reading",
                value=nats,
                reference=_TRUE,
                reading="Nats, by what follows, by which they are true rather than false readings.",
            ),
        ),
        most="info",
    )
