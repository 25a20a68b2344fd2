"""Is one sensor read on another scale, or does one logged action do more than it did? Told by undoing that.

What a model leaves of a changed plant is larger, or goes to one side, and so it is of a plant that passes
through an odd state. But a sensor that reads a quarter too much is put right by dividing by 1.25, and no odd
state is: so the record is looked at as it would be without the change, for every sensor and every logged
action, by thirds of an octave. The certificate goes where that makes new data far likelier, in every part of
them, and makes up for at least half of what they lack against the poorer parts of the certified record. How
likely the certified record itself becomes when something is undone that never was, block by block, says which
changes can be told at all and how much is far.

Source: likelihood ratios against named alternatives: Basseville and Nikiforov, "Detection of Abrupt Changes",
1993, chapters 2 and 6 (additive and multiplicative faults, known up to their size).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from tslam.align.certificate import Change, Changes
from tslam.align.lean import inverse_of
from tslam.align.tied import Tied
from tslam.dynamics.lam import log_score
from tslam.panel.chain import Chain
from tslam.panel.panel import Panel

__all__ = ["altered", "changes_of"]

_FACTORS = tuple(2.0 ** (k / 3.0) for k in (-3, -2, -1, 1, 2, 3))
"""What is tried: from half to twice as much."""
_BLOCKS, _PARTS = 20, 3
"""Blocks of the certified record, and parts of new data."""
_SURE = 9.0
"""Least log-likelihood ratio of new data in all."""
_SHARE, _BEYOND = 0.1, 2.0
"""Least ratio per row: a share of what undoing costs the certified record, and times the most that any of its
blocks gains. A sensor is read in every block, so each has to lose that share; an action shows what it does
while it stands away from the centre."""
_POOR, _HALF = 0.1, 0.5
"""Quantile of blocks that is still usual, and the share of what new data lack to it that undoing makes up."""
_SHORT = 50
"""Rows below which nothing is told."""

_Rows = Float[np.ndarray, " n"]


def changes_of(tied: Tied, panel: Panel, c: Chain, rows: Bool[np.ndarray, " n"]) -> Changes | None:
    """Which changes the certified record would contradict, and from where on new data tell them.

    Args:
        tied: The model whose latent is the action.
        panel: The certified record.
        c: Its transitions.
        rows: Those that the model was learnt from.

    Returns:
        The changes; None where the record is too short for blocks.
    """
    at = np.flatnonzero(rows)
    if at.size < _BLOCKS * _PARTS:
        return None
    blocks = np.array_split(at, _BLOCKS)
    plain, out = _score(tied, c), []
    for kind, name, factor, centre in _possible(panel):
        change = Change(kind=kind, name=name, factor=factor, centre=centre, least=0.0)
        gain = _score(tied, _undone(change, panel, c)) - plain
        means = np.array([gain[own].mean() for own in blocks])
        mean, most = float(means.mean()), float(means.max())
        if mean < 0.0 and (kind == "action" or most < _SHARE * mean):
            least = max(-_SHARE * mean, _BEYOND * most)
            out.append(change.model_copy(update={"least": least}))
    usual = float(np.quantile([plain[own].mean() for own in blocks], _POOR))
    return Changes(usual=usual, tried=tuple(out))


def altered(changes: Changes, tied: Tied, panel: Panel, c: Chain) -> tuple[str, ...]:
    """The change that new data tell most of, in words; empty where they tell none.

    Args:
        changes: From :func:`changes_of`.
        tied: The model whose latent is the action.
        panel: New data.
        c: Their transitions.
    """
    at = np.flatnonzero(c.usable)
    if at.size < _SHORT:
        return ()
    plain, most, found = _score(tied, c), 0.0, None
    lacking = _HALF * (changes.usual - float(plain[at].mean()))
    for change in changes.tried:
        if change.name not in _names(change.kind, panel):
            continue
        gain = _score(tied, _undone(change, panel, c)) - plain
        mean = float(gain[at].mean())
        if mean > max(change.least, _SURE / at.size, lacking, most) and all(
            gain[own].mean() > 0.0 for own in np.array_split(at, _PARTS)
        ):
            most, found = mean, change
    if found is None:
        return ()
    did = "read" if found.kind == "sensor" else "did"
    said = f"as if {found.name!r} {did} about {found.factor:.2g} times what it did"
    return (f"new data are {most:.2g} nats a row likelier {said}",)


def _possible(panel: Panel) -> Iterator[tuple[str, str, float, float]]:
    """Kind, name, factor and centre of every change that is tried: actions about zero and their middle."""
    for name in panel.channels:
        for factor in _FACTORS:
            yield "sensor", name, factor, 0.0
    s = panel.scaling
    for i, feature in enumerate(panel.action_features):
        if feature.part != "value" or not np.isfinite(panel.actions[:, i]).any():
            continue
        low, high = np.nanmin(panel.actions[:, i]), np.nanmax(panel.actions[:, i])
        middle = float(s.act_mean[i] + s.act_sd[i] * 0.5 * (low + high))
        for centre in (middle, 0.0):
            for factor in _FACTORS:
                yield "action", feature.name, factor, centre


def _names(kind: str, panel: Panel) -> tuple[str, ...]:
    return panel.channels if kind == "sensor" else tuple(f.name for f in panel.action_features)


def _undone(change: Change, panel: Panel, c: Chain) -> Chain:
    """The transitions as they would be: a sensor divided by its factor, an action taken times its factor."""
    s, i = panel.scaling, _names(change.kind, panel).index(change.name)
    X, Y = c.X.copy(), c.Y
    if change.kind == "sensor":
        own = panel.series_of[c.rows]
        away = -s.obs_mean[own, i] / s.obs_sd[own, i]
        Y, factor, part = c.Y.copy(), 1.0 / change.factor, c.history
        Y[:, i] = away + factor * (Y[:, i] - away)
    else:
        away = np.full(len(X), (change.centre - s.act_mean[i]) / s.act_sd[i])
        factor, part = change.factor, c.actions
    for k in range(part.start, part.stop):
        if c.terms[k][0] == change.name:
            X[:, k] = away + factor * (X[:, k] - away)
    return replace(c, X=X, Y=Y)


def _score(tied: Tied, c: Chain) -> _Rows:
    """Log-likelihood of each transition once the action is read."""
    path = tied.path(c)
    inverse = inverse_of(tied.lam)
    left = c.Y - tied.lam.forward.mean(c.X) - ((path - tied.level) / tied.unit)[:, None] * inverse.B[:, 0]
    return log_score(left, inverse.R)
