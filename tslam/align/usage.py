"""Is the action still read at the levels at which it was validated? Without a label, hold by hold.

A larger effect may be a larger move, and no record tells the one from the other. But what was validated
includes how the action was used: it was held at levels, and a plant on which it does half as much again is
read at levels that lie that much further apart. So the levels of new holds are held against those of the
certified record, as they are and stretched, about zero or about their middle; where stretched ones are far
likelier, what is read is not what was validated. How much likelier they come out where nothing changed, the
record itself tells: blocks of its own holds against the rest. Holds are what is counted, not rows.

Source: Davison and Hinkley, "Bootstrap Methods and their Application", 1997, chapter 8 (blocks keep what
neighbours owe to each other); Silverman, "Density Estimation", 1986 (kernels).
"""

import numpy as np
from jaxtyping import Float, Int

from tslam.align.certificate import Use
from tslam.panel.chain import Chain

__all__ = ["changed_use", "levels_of", "seen_gains", "use_of"]

_SAME = 0.15
"""How far a row may be from the middle of its hold, in standard deviations of the levels."""
_SHORTEST = 8
"""Fewest rows of a hold."""
_FEWEST, _FEWEST_NEW = 30, 2
"""Fewest holds of the certified record, and fewest new ones."""
_WIDER, _LEAST = 2.2, 0.02
"""Kernel: 1.5 standard deviations of what levels are misread by, by the median; its least, of all levels."""
_FREEDOM = 4.0
"""Of the kernel, a Student's t: some levels are misread."""
_PEAK = 0.375
"""Its density at the middle."""
_ODD = 0.02
"""Share of holds that may be anywhere."""
_GAINS = np.exp(
    np.concatenate([np.linspace(np.log(0.5), np.log(0.8), 20), np.linspace(np.log(1.25), np.log(2.0), 20)])
)
"""Stretches that are tried: what labels may contradict counts here too (see :mod:`tslam.align.mistold`)."""
_SURE = 9.0
"""Least log-likelihood ratio: e^9 is 8,000, for the 80 stretches that are tried."""
_BLOCKS, _BEYOND, _WIDE = 24, 2.0, 5.0
"""Blocks of the record's own holds; times the largest of their ratios, and standard deviations above their
mean, from which a ratio counts."""

_Levels = Float[np.ndarray, " hold"]
_New = Float[np.ndarray, " new"]


def levels_of(path: Float[np.ndarray, " n"], c: Chain, spread: float) -> _Levels:
    """The level of each hold: runs of neighbouring transitions that are read alike.

    Args:
        path: The action of each transition as it is read.
        c: The transitions.
        spread: Standard deviation of the levels.
    """
    room, out = _SAME * spread, []
    total, count = 0.0, 0
    apart = c.start | ~c.usable | np.concatenate([[True], np.diff(c.rows) != 1])
    first = 0
    for t in range(len(path) + 1):
        if t < len(path) and count and not apart[t] and abs(path[t] - total / count) <= room:
            total, count = total + path[t], count + 1
            continue
        if count >= _SHORTEST:
            out.append(float(np.median(path[first:t])))
        if t < len(path):
            first, total, count = t, float(path[t]), 1
    return np.array(out)


def use_of(
    path: Float[np.ndarray, " n"],
    c: Chain,
    at: tuple[Int[np.ndarray, " _"], ...],
    values: Float[np.ndarray, " label"],
) -> Use | None:
    """How the action was used in the record of a certificate; None where too few holds are in it to tell.

    Args:
        path: The action of each transition as it is read.
        c: The transitions.
        at: Transitions of each label.
        values: The labels.
    """
    levels = levels_of(path, c, float(path[c.usable].std()))
    spread = float(levels.std()) if levels.size else 0.0
    if levels.size < _FEWEST or not spread > 0:
        return None
    misread = np.median([abs(float(np.median(path[own])) - v) for own, v in zip(at, values, strict=True)])
    return Use(levels=tuple(levels.tolist()), error=max(_WIDER * float(misread), _LEAST * spread))


def changed_use(use: Use, path: Float[np.ndarray, " n"], c: Chain) -> tuple[str, ...]:
    """How the levels of new data differ from those that were validated, in words; empty where they do not."""
    known = np.array(use.levels)
    new = levels_of(path, c, float(known.std()))
    if new.size < _FEWEST_NEW:
        return ()
    ratio, gain = _stretched(new, known, use.error)
    if ratio <= _needed(known, new.size, use.error):
        return ()
    told = (
        f"the levels of {new.size} holds are read {gain:.2g} times as far apart as those of the "
        f"{known.size} that were validated: its effect has changed, or the way it is used (a few labels "
        "tell which)"
    )
    return (told,)


def seen_gains(use: Use, path: Float[np.ndarray, " n"], c: Chain) -> tuple[int, tuple[float, float]]:
    """What these holds could tell, had the action done more or less than was validated, about its middle.

    Args:
        use: How it was used.
        path: The action of each transition as it is read.
        c: The transitions.

    Returns:
        How many holds there are, and the gains nearest to 1, below and above it, from which on all that were
        tried would have been told; 0 and infinity where none would.
    """
    known = np.array(use.levels)
    new = levels_of(path, c, float(known.std()))
    if new.size < _FEWEST_NEW:
        return int(new.size), (0.0, np.inf)
    needed, middle = _needed(known, new.size, use.error), 0.5 * float(known.min() + known.max())
    told = np.array([_stretched(middle + g * (new - middle), known, use.error)[0] > needed for g in _GAINS])
    down, up = _GAINS[_GAINS < 1.0], _GAINS[_GAINS > 1.0]
    less = np.cumprod(told[_GAINS < 1.0]).astype(bool)
    more = np.cumprod(told[_GAINS > 1.0][::-1])[::-1].astype(bool)
    return int(new.size), (
        float(down[less].max()) if less.any() else 0.0,
        float(up[more].min()) if more.any() else np.inf,
    )


def _needed(known: _Levels, size: int, error: float) -> float:
    """The log-likelihood ratio that so many new holds must exceed."""
    return max(_SURE, _by_chance(known, size, error))


def _by_chance(known: _Levels, size: int, error: float) -> float:
    """Beyond which ratio that many holds are not what the record's own are, a block against the rest."""
    own = max(_FEWEST_NEW, min(size, known.size // 3))
    firsts = np.unique(np.linspace(0, known.size - own, _BLOCKS).astype(int))
    blocks = [np.arange(first, first + own) for first in firsts]
    ratios = np.array([_stretched(known[own], np.delete(known, own), error)[0] for own in blocks])
    times = max(1.0, size / own)
    by_spread = times * ratios.mean() + _WIDE * times**0.5 * ratios.std()
    return float(max(_BEYOND * ratios.max(), by_spread))


def _stretched(new: _New, known: _Levels, error: float) -> tuple[float, float]:
    """Log-likelihood of new levels as known ones stretched over that of them as they are, and the stretch."""
    low, high = float(known.min()), float(known.max())
    best, gain = -np.inf, 1.0
    for centre in (0.0, 0.5 * (low + high)):
        back = centre + (new - centre) / _GAINS[:, None]
        total = (_log_density(back, known, error) - np.log(_GAINS)[:, None]).sum(axis=1)
        if total.max() > best:
            best, gain = float(total.max()), float(_GAINS[total.argmax()])
    return best - float(_log_density(new, known, error).sum()), gain


def _log_density(values: np.ndarray, known: _Levels, error: float) -> np.ndarray:
    """Log of the kernel density of known levels, up to a constant; a few may be anywhere."""
    odd = max(_ODD, 1.0 / (known.size + 1))
    anywhere = error / (3.0 * max(float(np.ptp(known)), error))
    away = (values[..., None] - known) / error
    near = _PEAK * ((1.0 + away**2 / _FREEDOM) ** (-0.5 * (_FREEDOM + 1.0))).mean(axis=-1)
    density: np.ndarray = np.log((1.0 - odd) * near + odd * anywhere)
    return density
