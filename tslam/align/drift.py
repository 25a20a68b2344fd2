"""Does an alignment still hold? What its model leaves of new transitions, against what it left then.

Nothing here needs a label: a plant whose gain has changed, or a sensor that was rescaled, leaves more, or
leaves it on one side, from the first row to the last: what departs in one part of a stretch only is a state
that the model has not met often. The decoded action is looked at as well: levels that it never had are a
sign that it is read on another scale. Which sensor, and which of the logged actions, is looked for by name
(:mod:`tslam.align.altered`). That the action itself does more than it did no row tells: a larger effect may
be a larger move. Many holds may (:mod:`tslam.align.usage`), and a few labels do (:mod:`tslam.align.mistold`).
"""

import numpy as np
from jaxtyping import Bool, Float

from tslam.align.certificate import Range
from tslam.align.tied import Tied
from tslam.panel.chain import Chain

__all__ = ["departures", "limits"]

_BLOCKS = 20
"""Blocks of the record whose spread says how much a stretch of time may differ."""
_WIDTH = 7.5
"""Standard deviations of a block, beyond which it is another plant."""
_LEAST = 0.5
"""Least departure of log-spread that counts: e^.5 is 1.6 times."""
_SIDE = 1.5
"""Least departure of the mean that counts, in standard deviations of what is left of a row."""
_PARTS = 3
"""Parts of a stretch of time, in every one of which another plant departs."""
_SHORT = 50
"""Rows below which nothing is told."""


def limits(
    tied: Tied, c: Chain, rows: Bool[np.ndarray, " n"], channels: tuple[str, ...]
) -> tuple[Range, ...]:
    """By channel, where log-spread and mean of what is left may lie; by the record that was learnt from."""
    left, out = _left(tied, c), []
    parts = [b for b in np.array_split(np.flatnonzero(rows), _BLOCKS) if b.size >= 5]
    for i, name in enumerate(channels):
        sd = np.sqrt(np.nanmean(left[rows, i] ** 2)) if np.isfinite(left[rows, i]).any() else np.nan
        if not (np.isfinite(sd) and sd > 0):
            continue
        spreads = np.array([_spread(left[b, i] / sd) for b in parts])
        means = np.array([_mean(left[b, i] / sd) for b in parts])
        for what, values, least in (("spread", spreads, _LEAST), ("mean", means, _SIDE)):
            known = values[np.isfinite(values)]
            wide = max(least, _WIDTH * float(known.std())) if known.size else least
            middle = float(np.median(known)) if known.size else 0.0
            scale = np.log(sd) if what == "spread" else 0.0
            unit = 1.0 if what == "spread" else float(sd)
            out.append(
                Range(
                    name=f"{what} of {name}",
                    low=float((middle - wide) * unit + scale),
                    high=float((middle + wide) * unit + scale),
                )
            )
    return tuple(out)


def departures(
    drift: tuple[Range, ...], tied: Tied, c: Chain, channels: tuple[str, ...], span: Range | None
) -> tuple[str, ...]:
    """What departs from the limits, in words; empty where nothing does, or too little is there to tell."""
    left, told = _left(tied, c), []
    if c.usable.sum() < _SHORT:
        return ()
    parts = np.array_split(np.flatnonzero(c.usable), _PARTS)
    for limit in drift:
        what, name = limit.name.split(" of ", 1)
        if name not in channels:
            continue
        measure = _spread if what == "spread" else _mean
        values = np.array([measure(left[part, channels.index(name)]) for part in parts])
        if (values > limit.high).all() or (values < limit.low).all():
            told.append(
                f"the {limit.name} in what the model leaves is {values.min():.3g} to {values.max():.3g} in "
                f"all {_PARTS} parts, outside {limit.low:.3g} to {limit.high:.3g}"
            )
    if span is not None:
        path = tied.path(c)[c.usable]
        room = 0.5 * (span.high - span.low)
        share = float(np.mean((path < span.low - room) | (path > span.high + room)))
        if share > 0.2:
            told.append(f"in {share:.0%} of rows the action is read far outside its validated range")
    return tuple(told)


def _left(tied: Tied, c: Chain) -> Float[np.ndarray, "n chan"]:
    """What the model leaves once the action is read: one-sided where the scale of a sensor has changed."""
    inverse = tied.lam.inverse
    path = tied.lam.infer(c.X, c.Y, c.start)
    assert path is not None
    assert inverse is not None
    return np.asarray(c.Y - tied.lam.forward.mean(c.X) - path.mean @ inverse.B.T)


def _spread(values: Float[np.ndarray, " n"]) -> float:
    """Logarithm of the root mean square about the mean, extremes cut."""
    own = values[np.isfinite(values)]
    if own.size < 5:
        return float("nan")
    low, high = np.quantile(own, [0.01, 0.99])
    return float(np.log(np.clip(own, low, high).std() + 1e-12))


def _mean(values: Float[np.ndarray, " n"]) -> float:
    own = values[np.isfinite(values)]
    return float(own.mean()) if own.size >= 5 else float("nan")
