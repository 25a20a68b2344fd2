"""Questions about what no column logs: an action, an outside driver, or something that cannot be told."""

import numpy as np
from jaxtyping import Float

from tslam.audit.causal import Causal
from tslam.audit.finding import Claim, driven_channels, largest_share
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.moves import Moves

__all__ = ["adequate", "aligned", "claim_latent", "claim_moves"]

_ADEQUATE = -1.0
"""The lean model with its latent may fall behind the rich one by chance, not surely."""
_GAIN = 2.0
"""t from which a latent improves causal, held-out prediction."""
_JUMPS = 0.8
"""Excess kurtosis of a latent's increments from which it jumps and holds; a random walk has 0."""
_FOLLOWED = 3.0
"""t from which innovations after a move stay on its side."""
_TAIL = 2.0
"""Excess kurtosis along the moves' axis beyond that along the others."""
_SHARED = 1.7
"""Concentration of the moves along one axis; 1 is isotropic."""
_PLAIN_TAIL, _PLAIN_SHARED, _PLAIN_SIZE = 15.0, 4.0, 6.0
"""Moves so large and so alike that nothing need follow: an effect that is over within one step."""
_SAME = 0.6
"""Cosine, in noise units, from which two directions are taken to be one."""


def adequate(causal: Causal) -> bool:
    """Is the lean model good enough for its latent to mean anything?"""
    return causal.against_rich.t > _ADEQUATE


def aligned(ground: Ground, one: Float[np.ndarray, " chan"], other: Float[np.ndarray, " chan"]) -> bool:
    """Do two effects point the same way, signs aside, measured in noise?"""
    white = np.linalg.cholesky(np.linalg.inv(ground.cov))
    a, b = np.abs(one) @ np.abs(white), np.abs(other) @ np.abs(white)
    return bool(a @ b > _SAME * float(np.linalg.norm(a) * np.linalg.norm(b)))


def claim_latent(ground: Ground, causal: Causal) -> Claim | None:
    """Does a held latent earn its place, and does it act or drift?"""
    if not adequate(causal) or causal.gain.t < _GAIN:
        return None
    effect = causal.level[:, None] * causal.direction[None, :]
    channels = driven_channels(ground, causal.direction)
    score = 1000.0 * causal.gain.mean
    jumps = causal.jumpiness > _JUMPS
    evidence = (
        Evidence(name="causal_gain", value=score, reference=0.0, p_value=causal.gain.p,
                 reading="Held-out nats per 1,000 rows that the latent, as known beforehand, adds."),
        Evidence(name="causal_gain_t", value=causal.gain.t, reference=_GAIN, reading="The gain over its HAC error."),
        Evidence(name="against_rich_t", value=causal.against_rich.t, reference=_ADEQUATE,
                 reading="The lean model with the latent predicts no worse than the rich one without: adequate."),
        Evidence(name="jumpiness", value=causal.jumpiness, reference=_JUMPS,
                 reading="It jumps and holds." if jumps else "It drifts without jumps."),
        Evidence(name="persistence", value=causal.persistence, reading="AR(1) coefficient per step."),
    )  # fmt: skip
    share = largest_share(ground, effect)
    where = _listed(channels)
    if jumps:
        return Claim(
            GapKind.MISSING_ACTION, None, causal.gain.p, share, score,
            f"Find what is switched or set and moves {where}, and log it: its level and the time of each change.",
            evidence, channels, windows=_jump_windows(ground, causal), latents=True, direction=causal.direction,
        )  # fmt: skip
    return Claim(
        GapKind.MISSING_EXOGENOUS, None, causal.gain.p, share, score,
        f"Measure what drifts and drives {where}: an outside condition, load or supply that no column holds.",
        evidence, channels, latents=True, direction=causal.direction, most="warning",
    )  # fmt: skip


def claim_moves(ground: Ground, moves: Moves) -> Claim | None:
    """Are there sparse, large innovations along one direction, followed by a shift that stays?"""
    tail = moves.kurtosis - moves.heavy
    held = moves.follow.t > _FOLLOWED and tail > _TAIL and moves.concentration > _SHARED
    plain = tail > _PLAIN_TAIL and moves.concentration > _PLAIN_SHARED and moves.size > _PLAIN_SIZE
    if not held and not plain:
        return None
    channels = driven_channels(ground, moves.direction)
    along = ground.white() @ moves.axis
    energy = np.zeros((ground.n, len(moves.direction)))
    energy[moves.rows] = along[moves.rows, None] * moves.direction[None, :]
    share = largest_share(ground, energy)
    score = 1000.0 * 0.5 * float((along[moves.rows] ** 2 - 1.0).sum()) / ground.n
    p = min(moves.axial_p, moves.follow.p) if plain and not held else max(moves.axial_p, moves.follow.p)
    evidence = (
        Evidence(name="concentration", value=moves.concentration, reference=_SHARED, p_value=moves.axial_p,
                 reading=f"{len(moves.rows)} onsets share one direction; 1 would be none, the next has {moves.second:.1f}."),
        Evidence(name="tail", value=moves.kurtosis, reference=moves.heavy + _TAIL,
                 reading="Excess kurtosis along that direction; the reference is what the others show, and 2."),
        Evidence(name="follow_t", value=moves.follow.t, reference=_FOLLOWED, p_value=moves.follow.p,
                 reading="Innovations after a move stay on its side." if held else "What follows is over in a step."),
        Evidence(name="size", value=moves.size, reading="Size of a move in innovation standard deviations."),
    )  # fmt: skip
    rows = ground.rows[moves.rows]
    return Claim(
        GapKind.MISSING_ACTION, None, p, share, score,
        f"Find what was switched or set at the {len(rows)} times listed and moves {_listed(channels)}, and log it.",
        evidence, channels, windows=tuple((int(r), int(r)) for r in rows), latents=True, direction=moves.direction,
    )  # fmt: skip


def _jump_windows(ground: Ground, causal: Causal) -> tuple[tuple[int, int], ...]:
    """The largest changes of the latent, at most fifty, each with the row before it."""
    step = np.abs(np.diff(causal.level))
    step[ground.start[1:]] = 0.0
    line = 5.0 * 1.4826 * float(np.median(step))
    found: list[int] = []
    for i in np.argsort(-step):
        if step[i] < line or len(found) == 50:
            break
        if all(abs(int(i) - j) > 4 for j in found):
            found.append(int(i))
    return tuple((int(ground.rows[i]), int(ground.rows[i + 1])) for i in sorted(found))


def _listed(channels: tuple[str, ...]) -> str:
    shown = list(channels[:3])
    if not shown:
        return "the observations"
    more = len(channels) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
