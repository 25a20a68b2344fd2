"""From levels found without a label to the action: few labels tell which level it is, its scale and its bend.

    action = level + slope · g(z + e),   g straight, or bent a little about the middle

The labels are exact and what is read is not, so readings are explained by labels. Two labels that are read
alike would give any slope; under a scale of no preferred size, and noise that is small but not nought, it is
moderate. An action need not do twice as much where it is twice as large, so readings may be bent a little.
All scales and bends of all levels count, each by its evidence: their mean errs less than the best of them.

Source: Osborne, "Statistical calibration: a review", International Statistical Review 59(3), 1991; Hoeting,
Madigan, Raftery and Volinsky, "Bayesian model averaging: a tutorial", Statistical Science 14(4), 1999.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

__all__ = ["TRUST", "Curve", "calibrate"]

_BENDS = (-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6)
_BENT = 0.4
"""Standard deviation of a bend before anything is known."""
_FAR = 1.5
"""Standard deviations from the middle within which what is read may be bent."""
_NOISE, _SURE = 0.05, 3.0
"""Variance of a reading's error, in units of the level's own, and how many labels that guess is worth."""
_MOST = 0.95
"""Most of a level's variance that may be error."""
TRUST = 0.02
"""How much a nat of the record counts: rows next to each other are wrong together."""
_LEAST = 0.02
"""Weight below which a curve is left out."""

_Holds = tuple[Int[np.ndarray, " _"], ...]


@dataclass(frozen=True)
class Curve:
    """One way to read the action out of one level."""

    which: int
    """The level."""
    bend: float
    slope: float
    level: float
    weight: float
    """Weights of all curves sum to one."""

    def __call__(self, z: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The action as this curve reads it."""
        return self.level + self.slope * _bent(z, self.bend)


def calibrate(
    levels: Float[np.ndarray, "n level"],
    behind: Float[np.ndarray, " level"],
    at: _Holds,
    values: Float[np.ndarray, " label"],
) -> tuple[Curve, ...]:
    """Curves that read the action out of levels, by their evidence.

    Args:
        levels: Each of them of variance one over the record.
        behind: Nats by which each makes the record less likely than the likeliest does.
        at: Transitions of each label.
        values: The labels; two of them differ.
    """
    found: list[tuple[float, Curve]] = []
    for which, z in enumerate(levels.T):
        means = np.array([z[own].mean() for own in at])
        for bend in _BENDS:
            evidence, slope, level = _line(_bent(means, bend), values)
            evidence -= TRUST * float(behind[which]) + 0.5 * (bend / _BENT) ** 2
            found.append((evidence, Curve(which, bend, slope, level, 1.0)))
    weights = np.exp(np.array([evidence for evidence, _ in found]) - max(evidence for evidence, _ in found))
    weights = np.where(weights >= _LEAST * weights.sum(), weights, 0.0)
    weights /= weights.sum()
    return tuple(
        Curve(own.which, own.bend, own.slope, own.level, float(weight))
        for (_, own), weight in zip(found, weights, strict=True)
        if weight > 0
    )


def _line(w: Float[np.ndarray, " label"], values: Float[np.ndarray, " label"]) -> tuple[float, float, float]:
    """Evidence, slope and level of the line that labels tell, under a slope of no preferred size."""
    away, aim = w - w.mean(), values - values.mean()
    power, shared = float(aim @ aim), float(aim @ away)
    spare = max(float(away @ away) - shared**2 / power, 0.0)
    free = len(values) - 2
    noise = min((_SURE * _NOISE + spare) / (_SURE + free), _MOST)
    kept = 1.0 - noise  # of the level's variance: what is read of it counts for that much
    turned = kept * abs(shared)
    steep = turned + np.sqrt(turned**2 + 4.0 * (len(values) - 1) * noise * kept * power)
    slope = (-1.0 if shared < 0 else 1.0) * 2.0 * kept * power / float(steep)
    left = (spare + _SURE * _NOISE) / (float(away @ away) + _SURE * _NOISE)
    return -0.5 * free * float(np.log(left)), slope, float(values.mean() - slope * w.mean())


def _bent(z: np.ndarray, bend: float) -> np.ndarray:
    """Exponential growth about the middle and straight on beyond; rises with z whatever the bend."""
    if bend == 0:
        return z
    near = np.clip(z, -_FAR, _FAR)
    return np.asarray(np.expm1(bend * near) / bend + (z - near) * np.exp(bend * near))
