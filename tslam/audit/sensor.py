"""Did what was found change only once? Then a sensor that drifts or was set anew may be all there is.

A reading of channel c that is off by b changes nothing in the plant, but the model goes on from it: where the
true state follows o_{t+1} = A o_t, what is read follows A o_t + (I - A) e_c b. So a fault of one sensor is a
held or drifting input along column c of I - A, a direction known before anything is looked for; it tells
which sensor to look at. That alone is no proof: an action that acts on little else than one channel lies
along it, too. What tells a hand from a fault is that a hand moves more than once; one move is no evidence.

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

__all__ = ["as_sensor"]

_ONCE = 0.9
"""Share of a path's variance in one step or ramp from which it changed only once. On noisy records of four
kinds of plant it was .96 to 1 in five with a faulty sensor and .04 to .17 in seven with an action or a driver
hidden."""
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
