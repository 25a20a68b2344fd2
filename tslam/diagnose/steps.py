"""Does z_t tell of the step from t to t + 1, and is it alike from step to step?"""

import numpy as np

from tslam.diagnose.llo import missed
from tslam.diagnose.results import PastFuture, TimeAlignment
from tslam.diagnose.subject import Subject

__all__ = ["past_future", "time_alignment"]

_OFFSETS = (-2, -1, 0, 1, 2)
_FAR = 9
_ALIKE = 0.5


def time_alignment(subject: Subject, rng: np.random.Generator) -> TimeAlignment:
    """Share of what history leaves of each step that z_t explains; off-by-one shows as a peak elsewhere.

    Args:
        subject: Model and transitions.
        rng: Draws offsets far off.
    """
    n = len(subject.z)
    run = np.cumsum(~subject.follows)
    left = subject.left / np.maximum(subject.left.std(axis=0), 1e-12)
    shares = {}
    for offset in _OFFSETS:
        at = np.arange(max(0, -offset), min(n, n - offset))
        at = at[run[at] == run[at + offset]]
        shares[offset] = 1.0 - missed(subject.z[at], left[at + offset]) if at.size > 2 else 0.0
    far = rng.integers(n // 4, max(n // 4 + 1, 3 * n // 4), _FAR)
    null = max(1.0 - missed(subject.z, np.roll(left, int(shift), axis=0)) for shift in far)
    peak = max(shares, key=lambda s: shares[s])
    if shares[peak] <= null:
        told = "z tells of no step more than chance would."
    elif peak == 0:
        told = "z belongs to its own step."
    else:
        told = f"z belongs to another step: it is shifted by {peak:+d}."
    reading = (
        f"z_t explains {shares[0]:.0%} of its own step and most, {shares[peak]:.0%}, at {peak:+d}. {told}"
    )
    return TimeAlignment(shares=shares, peak=peak, null=null, reading=reading)


def past_future(subject: Subject, rng: np.random.Generator) -> PastFuture:
    """Mean cosine of the latents of neighbouring steps.

    Args:
        subject: Model and transitions.
        rng: Draws pairs of steps.

    Source: S-PCFC of Yang et al., "CoMo: Learning Continuous Latent Motion from Internet Videos".
    """
    z = subject.z / np.maximum(np.linalg.norm(subject.z, axis=1, keepdims=True), 1e-12)
    at = np.flatnonzero(subject.follows)
    found = float((z[at] * z[at - 1]).sum(axis=1).mean()) if at.size else 0.0
    null = float((z * z[rng.permutation(len(z))]).sum(axis=1).mean())
    if found - null > _ALIKE:
        told = "alike from step to step: a held action does that, and so does a latent of the scene."
    else:
        told = "z changes from step to step, as moves and noise do."
    return PastFuture(
        similarity=found, null=null, reading=f"Mean cosine {found:.2f} ({null:.2f} by chance): {told}"
    )
