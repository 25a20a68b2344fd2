"""How many latents does the data ask for, and how many entries of a codebook are used?"""

import numpy as np

from tslam.diagnose.results import Capacity, CodebookUse
from tslam.diagnose.subject import Subject

__all__ = ["capacity", "codebook_use"]

_SHUFFLES = 9


def capacity(subject: Subject, rng: np.random.Generator) -> Capacity:
    """One-step error over the number of latents, along the directions that training rows vary most in.

    The knee is where a further direction explains no more than the same direction of channels that have
    been shuffled against each other, so that nothing is common to them.

    Args:
        subject: Model and transitions.
        rng: Shuffles.

    Source: Garrido et al., arXiv 2601.05230 (the sweep); Horn, "A rationale and test for the number of
    factors in factor analysis", Psychometrika 30(2), 1965 (what it is held against).
    """
    unit = np.maximum(subject.fitted.std(axis=0), 1e-12)
    fitted, asked = subject.fitted / unit, subject.left / unit
    explained = _explained(fitted, asked)
    chance = []
    for _ in range(_SHUFFLES):
        shuffled = rng.permuted(fitted, axis=0)
        chance.append(_explained(shuffled, rng.permuted(asked, axis=0)))
    ceiling = np.max(chance, axis=0)
    above = explained > ceiling
    knee = int(above.argmin()) if not above.all() else len(above)
    errors = tuple(float(v) for v in 1.0 - np.append(0.0, np.cumsum(explained)))
    null = tuple(float(v) for v in 1.0 - np.append(0.0, np.cumsum(np.mean(chance, axis=0))))
    if knee > subject.latents:
        told = f"the model has {subject.latents}: more would have something to explain."
    elif knee < subject.latents:
        told = f"the model has {subject.latents}: more than what is common to several channels."
    else:
        told = "as many as the model has."
    noun = "direction explains" if knee == 1 else "directions explain"
    reading = f"{knee} {noun} more than chance ({1 - errors[knee]:.0%} of what history leaves); {told}"
    return Capacity(errors=errors, null=null, knee=knee, reading=reading)


def codebook_use(subject: Subject) -> CodebookUse | None:
    """Perplexity of each codebook; None where the latents are continuous."""
    if subject.codes is None or subject.codebook is None:
        return None
    size = subject.codebook
    found = []
    for book in subject.codes.T:
        share = np.bincount(book, minlength=size) / max(1, len(book))
        used = share[share > 0]
        found.append(float(np.exp(-(used * np.log(used)).sum())))
    least = min(found)
    told = "collapsed: all transitions share one entry" if least < 1.05 else "in use"
    reading = f"Of {size} entries as good as {least:.1f} are used in the least used codebook: {told}."
    return CodebookUse(perplexity=tuple(found), size=size, reading=reading)


def _explained(fitted: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Share of ``asked`` along each principal direction of ``fitted``."""
    directions = np.linalg.eigh(fitted.T @ fitted)[1][:, ::-1]
    power = ((asked @ directions) ** 2).sum(axis=0)
    return np.asarray(power / max(float(power.sum()), 1e-300))
