"""Does what was found look like a sensor that is off? Then nobody can tell the two by this record.

A reading of channel c that is off by b changes nothing in the plant, but the model goes on from it: where the
true state follows o_{t+1} = A o_t, what is read follows A o_t + (I - A) e_c b. So a fault of one sensor is a
held or drifting input along column c of I - A, a direction that is known before anything is looked for. An
action or a driver enters the plant along another one, unless its channel moves nothing else.

Source: sensor faults as inputs of the innovations form; Basseville and Nikiforov, "Detection of Abrupt
Changes: Theory and Application", 1993, chapter 7 (additive faults and their signatures).
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from tslam.audit.finding import Claim
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground

__all__ = ["as_sensor"]

_ALIKE = 0.65
"""Cosine between the direction of a claim and of a fault, from which it may be the sensor. On noisy records of
four kinds of plant it was .53 to .97, .73 in the lower quarter, in eleven with a faulty sensor, and .13 to .58 in
twenty-six with an action or a driver hidden."""


def as_sensor(ground: Ground, claim: Claim) -> Claim:
    """The claim as it is; or, where it lies along a sensor's fault, that it cannot be told."""
    if claim.direction is None:
        return claim
    alike = _alike(ground, claim.direction)
    k = int(alike.argmax())
    if alike[k] < _ALIKE:
        return claim
    channel = ground.panel.channels[k]
    evidence = Evidence(
        name="sensor_alike",
        value=float(alike[k]),
        reference=_ALIKE,
        reading=f"Cosine between what was found and what a reading of {channel} that is off would leave.",
    )
    return replace(
        claim,
        kind=GapKind.UNDETERMINED,
        recommendation=f"Compare {channel} with a second instrument, or look up when it was calibrated: what "
        f"was found is what its reading would leave if it drifted or was set anew. If {channel} is right, "
        "something that no column holds acts on it alone.",
        evidence=(*claim.evidence, evidence),
        most="warning",
    )


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
