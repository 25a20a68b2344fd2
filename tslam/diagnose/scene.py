"""Do latents leak what they should not carry, and do they mean the same in another place?

Source: Garrido et al., "Learning Latent Action World Models In The Wild", arXiv 2601.05230, sections on
leakage and on transfer. The share that z explains is added: in a linear model with many channels the ratio
stays in the hundreds while most of the cut is already explained.
"""

import numpy as np
from jaxtyping import Float

from tslam.diagnose.results import CycleConsistency, SceneCut
from tslam.diagnose.subject import Subject

__all__ = ["cycle_consistency", "scene_cut"]

_LEAKY = 2.0
"""Times the share expected by chance from which z is said to leak."""
_APART = 1.5
"""Cycle ratio above which z is said to mean something else elsewhere; the published ones end at 1.34."""


def scene_cut(subject: Subject, rng: np.random.Generator) -> SceneCut:
    """Splice o_t to the o_{t+1} of another transition, far away; the error must rise.

    Args:
        subject: Model and transitions.
        rng: Draws how far away.
    """
    elsewhere = _far(len(subject.X), rng)
    target = subject.Y[elsewhere]
    own = _error(subject.Y - subject.apply(subject.X, subject.z))
    cut = _error(target - subject.apply(subject.X, subject.read(subject.X, target)))
    jump = _error(subject.mean[elsewhere] - subject.mean)
    ratio, explained = cut / max(own, 1e-12), 1.0 - (cut - own) / max(jump, 1e-12)
    null = subject.latents / subject.Y.shape[1]
    if ratio < 1.1:
        told = "Nothing rises at a cut: z carries the next sample itself."
    elif explained > max(0.5, _LEAKY * null) or explained > 0.9:
        told = "The error rises, yet z explains much of the cut: it leaks part of the next sample."
    else:
        told = "The error rises and little of the cut is explained; that does not prove that nothing leaks."
    figures = f"Error at a cut is {ratio:.1f} times that without, and z explains {explained:.0%} of the cut"
    return SceneCut(
        ratio=ratio, explained=explained, null=null, reading=f"{figures} ({null:.0%} by chance). {told}"
    )


def cycle_consistency(subject: Subject, rng: np.random.Generator) -> CycleConsistency:
    """Infer at A, apply at B, infer again, apply at A.

    Args:
        subject: Model and transitions.
        rng: Draws how far away B is.
    """
    elsewhere = _far(len(subject.X), rng)
    X = subject.X
    there = subject.apply(X[elsewhere], subject.z)
    back = subject.apply(X, subject.read(X[elsewhere], there))
    own = max(_error(subject.Y - subject.apply(X, subject.z)), 1e-12)
    ratio = _error(subject.Y - back) / own
    null = _error(subject.Y - subject.apply(X, subject.z[elsewhere])) / own
    if null < 1.02:
        told = "Latents of other transitions do as well: z says next to nothing, and this neither."
    elif ratio > _APART:
        told = "z means something else elsewhere."
    else:
        told = "z means the same elsewhere; in an additive linear model it cannot do otherwise."
    reading = (
        f"After a cycle the error is {ratio:.2f} times that before ({null:.2f} with another's z). {told}"
    )
    return CycleConsistency(ratio=ratio, null=null, reading=reading)


def _far(n: int, rng: np.random.Generator) -> np.ndarray:
    """For each row another one, at least a quarter of the rows away."""
    return (np.arange(n) + rng.integers(n // 4, n - n // 4 + 1, n)) % n


def _error(left: Float[np.ndarray, "n chan"]) -> float:
    return float((left**2).sum(axis=1).mean())
