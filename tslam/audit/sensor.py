"""Could a sensor be all there is? What changed only once, and what one channel shows for one sample.

A reading of channel c that is off by b changes nothing in the plant, but the model goes on from it: where the
true state follows o_{t+1} = A o_t, what is read follows A o_t + (I - A) e_c b. So a fault of one sensor is a
held or drifting input along column c of I - A, a direction known before anything is looked for; it tells
which sensor to look at. That alone is no proof: an action that acts on little else than one channel lies
along it, too. What tells a hand from a fault is that a hand moves more than once; one move is no evidence.

A false reading of one sample is no state either: the next sample misses by the reverse of what it would have
led to. What did happen leads to just that.

Source: sensor faults as inputs of the innovations form; Basseville and Nikiforov, "Detection of Abrupt
Changes: Theory and Application", 1993, chapter 7 (additive faults and their signatures).
"""

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Float

from tslam.audit.finding import Claim, listed
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.moves import Moves
from tslam.audit.student import student_score

__all__ = ["as_sensor", "spikes"]

_ONCE = 0.9
"""Share of a path's variance in one step or ramp from which it changed only once. On noisy records of four
kinds of plant it was .96 to 1 in five with a faulty sensor and .04 to .17 in seven with an action or a driver
hidden."""
_IN_ONE = 0.95
"""Cosine between the direction of moves and one channel's own from which they show in that channel only."""
_KNOTS = 41
"""Places in the record at which the change may begin and end."""
_ALIKE = 0.5
"""Cosine between the direction of a claim and of a fault from which a sensor is named. On the same and other
records it was .53 to .97 in eleven with a faulty sensor, and .13 to .58 in twenty-eight others."""


def as_sensor(ground: Ground, claim: Claim) -> Claim:
    """The claim as it is; or, where all of it is one change, that it cannot be told."""
    if claim.direction is None or claim.path is None:
        return claim
    once = _one_change(claim.path)
    if once < _ONCE:
        return claim
    alike = _alike(ground, claim.direction)
    k = int(alike.argmax())
    channel = ground.panel.channels[k]
    evidence = [
        Evidence(
            name="one_change",
            value=once,
            reference=_ONCE,
            reading="Share of its variance in one step or ramp: a hand would move more than once.",
        )
    ]
    advice = (
        f"Look up what was changed once in this record and moves {listed(claim.channels)}, and compare with "
        "a second instrument: one change does not tell a setting from wear or a sensor that was set anew."
    )
    if alike[k] >= _ALIKE:
        advice = (
            f"Compare {channel} with a second instrument, or look up when it was calibrated: what was found "
            f"is what its reading would leave if it drifted or was set anew. If {channel} is right, look for "
            "what was changed once in this record and acts on it."
        )
        reading = f"Cosine between what was found and what a reading of {channel} that is off would leave."
        evidence.append(
            Evidence(name="sensor_alike", value=float(alike[k]), reference=_ALIKE, reading=reading)
        )
    return replace(
        claim,
        kind=GapKind.UNDETERMINED,
        recommendation=advice,
        evidence=(*claim.evidence, *evidence),
        windows=(),
        most="warning",
    )


def spikes(ground: Ground, moves: Moves) -> tuple[str, float] | None:
    """The one channel that moves show in, and by how many nats they are true rather than false readings.

    None where they show in several channels, which no sensor explains.
    """
    precision = np.linalg.inv(ground.cov)
    own = np.sqrt(np.diag(precision) * float(moves.direction @ precision @ moves.direction))
    alike = np.abs(precision @ moves.direction) / np.maximum(own, 1e-12)
    c = int(alike.argmax())
    if alike[c] < _IN_ONE:
        return None
    regressors, name = ground.regressors, ground.panel.channels[c]
    read = (ground.residual[moves.rows] @ precision)[:, c] / precision[c, c]
    nats = 0.0
    for k, (term, offset) in enumerate(regressors.terms[: regressors.inputs_from]):
        after = moves.rows + 1 - offset
        inside = after < ground.n
        after, off = after[inside], read[inside, None]
        unbroken = ground.rows[after] == ground.rows[moves.rows[inside]] + 1 - offset
        if term == name and unbroken.any():
            without = ground.X[after]
            without[:, k] -= off[:, 0]
            led_to = ground.led_to(ground.X[after], without, after)
            left = ground.residual[after]
            told = student_score(left, ground.cov) - student_score(left + led_to, ground.cov)
            nats += float(told[unbroken].sum())
    return name, nats


def _one_change(path: Float[np.ndarray, " n"]) -> float:
    """Largest share of a path's variance that one step or one ramp explains."""
    n = len(path)
    left = path - path.mean()
    energy = float(left @ left)
    if n < _KNOTS or energy <= 0.0:
        return 0.0
    t = np.arange(n)
    best = 0.0
    for first, last in combinations_with_replacement(np.linspace(0, n - 1, _KNOTS).astype(np.int64), 2):
        ramp = np.clip((t - first) / max(int(last - first), 1), 0.0, 1.0)
        ramp -= ramp.mean()
        size = float(ramp @ ramp)
        if size > 0.0:
            best = max(best, float(ramp @ left) ** 2 / (size * energy))
    return best


def _alike(ground: Ground, direction: Float[np.ndarray, " chan"]) -> Float[np.ndarray, " chan"]:
    """Absolute cosine of a direction with the fault of each sensor, in noise units."""
    regressors = ground.regressors
    history = regressors.terms[: regressors.inputs_from]
    faults = np.eye(len(direction))
    for k, channel in enumerate(ground.panel.channels):
        at = np.array([i for i, (name, _) in enumerate(history) if name == channel], np.int64)
        faults[:, k] -= ground.response(at).mean(axis=0)
    whiten = np.linalg.cholesky(np.linalg.inv(ground.cov)).T
    whole = whiten @ np.column_stack([direction, faults])
    unit = whole / np.maximum(np.linalg.norm(whole, axis=0), 1e-12)
    return np.asarray(np.abs(unit[:, 0] @ unit[:, 1:]))
