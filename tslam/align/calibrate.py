"""From levels found without a label to the action: few labels tell which level it is, its scale and its bend.

    action = level + slope · g(z + e) + h(z),   g straight, or bent a little about the middle, h small

The labels are exact and what is read is not, so readings are explained by labels. Two labels that are read
alike would give any slope; under a scale of no preferred size, and noise that is small but not nought, it is
moderate. An action need not do twice as much where it is twice as large, so readings may be bent a little;
the four speeds of a fan may do anything, so near its labels a reading follows them, as far as labels agree
that it should (a Gaussian process h). All scales and bends of all levels count, each by its evidence: their
mean errs less than the best of them.

Source: Osborne, "Statistical calibration: a review", International Statistical Review 59(3), 1991; Hoeting,
Madigan, Raftery and Volinsky, "Bayesian model averaging: a tutorial", Statistical Science 14(4), 1999;
Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Float, Int

__all__ = ["FAR", "TRUST", "Curve", "calibrate", "near", "unbent"]

_BENDS = (-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6)
_BENT = 0.4
"""Standard deviation of a bend before anything is known."""
_FAR = 1.5
"""Standard deviations from the middle within which what is read may be bent."""
_NOISE, _SURE = 0.05, 3.0
"""Variance of a reading's error, in units of the level's own, and how many labels that guess is worth."""
_MOST_READ = 4.0
"""Standard deviations within which a value can be read."""
_MOST = 0.95
"""Most of a level's variance that may be error."""
TRUST = 0.02
"""How much a nat of the record counts: rows next to each other are wrong together."""
_LEAST = 0.02
"""Weight below which a curve is left out."""
FAR = 2.5
"""Standard deviations beyond which a level counts as no farther: rare surges are not what moves an action."""
_NEAR = 0.5
"""Standard deviations over which what departs from a line is alike. With 1 the second of four speeds, which
lies near the first, was never asked for; .35 and .7 did rather worse (docs/notes, levels that are bent)."""
_KNOTS = np.linspace(-FAR, FAR, 201)
"""Where what departs is worked out: within a thousandth of its size between them."""
_DEPARTS, _STRAYS = (0.0, 0.2, 0.4), (0.005, 0.02, 0.06, 0.15)
"""Size of what departs from a curve, a standard deviation, and variance of what labels do not follow, both in
units of the action's own spread: those that labels make likely count."""

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
    seats: tuple[float, ...] = ()
    """Where labels were read,"""
    pulls: tuple[float, ...] = ()
    """and how far each draws the curve towards it."""

    def __call__(self, z: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The action as this curve reads it."""
        departs = near(_KNOTS, np.array(self.seats)) @ np.array(self.pulls)
        return np.asarray(self.plain(z) + np.interp(z, _KNOTS, departs))

    def following(self, z: Float[np.ndarray, " label"], values: Float[np.ndarray, " label"]) -> "Curve":
        """The same, drawn towards labels as far as they agree that it should be.

        Args:
            z: Where each label is read.
            values: The labels.
        """
        left, K = (values - self.plain(z)) / max(abs(self.slope), 1e-12), near(z, z)
        logs, pulls = [], []
        for size, strays in product(_DEPARTS, _STRAYS):
            root = np.linalg.cholesky(size**2 * K + strays * np.eye(len(z)))
            turned = np.linalg.solve(root, left)
            logs.append(-0.5 * float(turned @ turned) - float(np.log(np.diag(root)).sum()))
            pulls.append(size**2 * np.linalg.solve(root.T, turned))
        weights = np.exp(np.array(logs) - max(logs))
        pull = abs(self.slope) * (weights / weights.sum()) @ np.array(pulls)
        return replace(self, seats=tuple(z.tolist()), pulls=tuple(pull.tolist()))

    def unbent(self, values: Float[np.ndarray, " any"]) -> Float[np.ndarray, " any"]:
        """Where values would be read, but for what departs from the curve; they rise together."""
        x = (values - self.level) / self.slope
        if self.bend != 0:
            end = np.clip(x, *_bent(np.array([-_FAR, _FAR]), self.bend))
            x = np.log1p(self.bend * end) / self.bend + (x - end) * np.exp(-self.bend * np.sign(x) * _FAR)
        return np.asarray(np.sign(self.slope) * np.clip(x, -_MOST_READ, _MOST_READ))

    def plain(self, z: np.ndarray) -> np.ndarray:
        """The same, but for what departs from it near labels."""
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
    means = np.array([levels[own].mean(axis=0) for own in at])
    for which in range(levels.shape[1]):
        for bend in _BENDS:
            evidence, slope, level = _line(_bent(means[:, which], bend), values)
            evidence -= TRUST * float(behind[which]) + 0.5 * (bend / _BENT) ** 2
            found.append((evidence, Curve(which, bend, slope, level, 1.0)))
    weights = np.exp(np.array([evidence for evidence, _ in found]) - max(evidence for evidence, _ in found))
    weights = np.where(weights >= _LEAST * weights.sum(), weights, 0.0)
    weights /= weights.sum()
    return tuple(
        replace(own, weight=float(weight)).following(means[:, own.which], values)
        for (_, own), weight in zip(found, weights, strict=True)
        if weight > 0
    )


def near(z: Float[np.ndarray, " n"], seats: Float[np.ndarray, " seat"]) -> Float[np.ndarray, "n seat"]:
    """How alike levels are: the kernel of what departs from a line."""
    own, other = np.clip(z, -FAR, FAR), np.clip(seats, -FAR, FAR)
    like: np.ndarray = np.exp(-0.5 * ((own[:, None] - other) / _NEAR) ** 2)
    return like


def unbent(curves: Sequence[Curve], values: Float[np.ndarray, " any"]) -> Float[np.ndarray, " any"]:
    """Values of an action on a scale on which it does twice as much where it is twice as large."""
    return np.asarray(np.sum([curve.weight * curve.unbent(values) for curve in curves], axis=0))


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
