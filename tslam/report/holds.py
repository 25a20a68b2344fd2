"""How a latent moves: between a few levels that it holds, in pulses to one side, or neither."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from tslam.panel.panel import Panel
from tslam.report.facts import LatentFacts

__all__ = ["latent_facts"]

_MOST = 12
"""Most levels that are told; a latent with more is graded."""
_APART = 6.0
"""Distance in noise of one row from which two values are two levels, or a value is a move."""
_LEAST = 5
"""Fewest rows of a level."""
_BRIEF = 2
"""Longest pulse, in rows."""
_RARE = 0.2
"""Largest share of rows that pulses take; what stands away for longer is a level."""
_ONE_SIDED = 0.95


def latent_facts(
    panel: Panel, latents: Float[np.ndarray, "rows latent"], names: Sequence[str]
) -> tuple[LatentFacts, ...]:
    """What each latent was seen to do, in its own scale.

    Args:
        panel: the data that they were inferred from.
        latents: one column per latent, NaN where nothing can be said.
        names: names of the latents.
    """
    return tuple(_seen(panel, latents[:, i], name) for i, name in enumerate(names))


def _seen(panel: Panel, values: Float[np.ndarray, " rows"], name: str) -> LatentFacts:
    stretches = [values[s.start : s.stop] for s in panel.segments]
    stretches = [s[np.isfinite(s)] for s in stretches]
    steps = np.concatenate([np.zeros(0), *(np.abs(np.diff(s)) for s in stretches)])
    whole = np.concatenate([np.zeros(0), *stretches])
    if steps.size < _LEAST or not np.ptp(whole):
        return LatentFacts(name=name)
    # the usual step between neighbours is noise; a latent without any is told to a thousandth of its range
    noise = max(float(np.median(steps)) / (0.6745 * np.sqrt(2.0)), 1e-3 * float(np.ptp(whole)))
    pulses = _pulses(stretches, float(np.median(whole)), _APART * noise)
    return LatentFacts(name=name, pulses=pulses, levels=None if pulses else _levels(stretches, noise))


def _levels(stretches: list[Float[np.ndarray, " _"]], noise: float) -> tuple[float, ...] | None:
    """Values that it rests at, where they lie apart; None where they do not, or it never moves."""
    rest = np.sort(np.concatenate([s[_at_rest(s, 3.0 * noise)] for s in stretches]))
    groups = np.split(rest, np.flatnonzero(np.diff(rest) > _APART * noise) + 1)
    held = [float(np.median(group)) for group in groups if group.size >= _LEAST]
    tight = all(np.ptp(group) <= 2.0 * _APART * noise for group in groups if group.size >= _LEAST)
    return tuple(held) if tight and 2 <= len(held) <= _MOST else None


def _at_rest(values: Float[np.ndarray, " rows"], most: float) -> Bool[np.ndarray, " rows"]:
    still = np.pad(np.abs(np.diff(values)) <= most, 1, constant_values=True)
    both: Bool[np.ndarray, " rows"] = still[:-1] & still[1:]
    return both[: values.size]


def _pulses(stretches: list[Float[np.ndarray, " _"]], base: float, least: float) -> bool:
    """Does it leave its usual value only briefly, and to one side?"""
    away = np.concatenate([s - base for s in stretches])
    out = np.abs(away) > least
    edges = np.diff(np.concatenate([[0], out.astype(int), [0]]))
    lengths = np.flatnonzero(edges < 0) - np.flatnonzero(edges > 0)
    if not lengths.size or lengths.max() > _BRIEF or out.mean() > _RARE:
        return False
    up = float((away[out] > 0).mean())
    return bool(max(up, 1.0 - up) >= _ONE_SIDED)
