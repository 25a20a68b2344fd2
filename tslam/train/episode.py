"""What a composed network learns from, and what cannot be learnt from."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.dynamics.composition import Composition
from tslam.dynamics.endogenous import common, onto, reached, untold
from tslam.errors import ConfigError

__all__ = ["Episode", "endogenous", "refuse_episode"]

_REACH = 4
"""Steps after an action in which its effect is looked for."""


@dataclass(frozen=True, eq=False)
class Episode:
    """What a composed network learns from: transitions of consecutive rows."""

    X: Float[np.ndarray, "n feat"]
    Y: Float[np.ndarray, "n chan"]
    """NaN where not measured; only transitions measured whole take part."""
    start: Bool[np.ndarray, " n"]
    train: Bool[np.ndarray, " n"]
    stop: Bool[np.ndarray, " n"]
    lags: int
    labels: Float[np.ndarray, "n act"]
    """Logged actions at t; NaN where not measured."""
    partner: Int[np.ndarray, " n"]
    """Row of the same time in another series; -1 where there is none."""

    @property
    def whole(self) -> Bool[np.ndarray, " n"]:
        """Transitions measured whole."""
        return np.asarray(np.isfinite(self.Y).all(axis=1))


def refuse_episode(parts: Composition, e: Episode) -> None:
    """Refuse rows that a composition cannot learn from, before anything is trained.

    Args:
        parts: The composition.
        e: Rows; those to train and to stop on are measured whole.

    Raises:
        ConfigError: the composition asks for what the data do not have.
    """
    rows = int(e.train.sum())
    if rows < 1 or not e.stop.any():
        raise ConfigError(
            f"{rows} transitions measured whole are left to train on, and {int(e.stop.sum())} to stop on. "
            "Leave out channels that are seldom measured, or give a longer record."
        )
    if parts.discrete and parts.entries > rows:
        raise ConfigError(
            f"A codebook of {parts.entries} entries is larger than the data: {rows} transitions to train on. "
            "Give a longer record, or take a preset with fewer codes or latents."
        )
    if parts.actions and not np.isfinite(e.labels[e.train]).any():
        raise ConfigError(
            "The preset reads logged actions off z, and there are labels for no row. Name the columns that "
            "log actions, or take a preset without an action head."
        )
    if parts.paired and not (e.partner[e.train] >= 0).any():
        raise ConfigError(
            "The preset holds several series against each other, and no two series share a time: it needs at "
            "least two under the same actions. Give `series`, or take a preset for one series."
        )
    if parts.endogenous and not (np.isfinite(e.labels[e.train]).any() or (e.partner[e.train] >= 0).any()):
        raise ConfigError(
            "An endogenous representation keeps what logged actions reach, or what series under the same "
            "actions have in common, and there is neither. Name the columns that log actions, or give "
            "`series`."
        )
    _refuse_orders(parts.symmetries, e.Y.shape[1])


def _refuse_orders(orders: tuple[tuple[int, ...], ...], chan: int) -> None:
    """Orders of all observations, of which one after another is one of them again."""
    known = set(orders)
    for order in orders:
        if sorted(order) != list(range(chan)):
            raise ConfigError(
                f"The symmetry {order} is no order of {chan} observations. Name each of them once, by its "
                "position from 0: for every place where its value comes from."
            )
    for first, then in product(orders, repeat=2):
        if (both := tuple(first[place] for place in then)) not in known:
            raise ConfigError(
                f"The symmetries {first} and {then}, one after the other, make {both}, which is none of "
                "them. Add it: where two orders leave a system the same, so do both."
            )


def endogenous(e: Episode, horizon: int) -> Float[np.ndarray, "chan chan"]:
    """The projection on what logged actions reach, or, without any, on what series have in common.

    Args:
        e: Rows.
        horizon: Steps that the inverse model looks ahead.

    Raises:
        ConfigError: nothing is reached, or nothing is common.
    """
    history, rows = e.X[:, : e.lags * e.Y.shape[1]], np.flatnonzero(e.train)
    change = untold(history, e.Y, rows)
    logged = rows[np.isfinite(e.labels[rows]).all(axis=1)] if e.labels.shape[1] else rows[:0]
    if not logged.size:
        paired = rows[e.partner[rows] >= 0]
        both = paired[e.whole[e.partner[paired]]]
        return onto(common(change[both], change[e.partner[both]]))
    changes, run = [change[logged]], np.cumsum(e.start)
    for k in range(1, max(horizon, _REACH)):
        to = np.minimum(logged + k, len(e.X) - 1)
        later = np.where((run[to] == run[logged])[:, None], e.Y[to], np.nan)
        far = np.full_like(e.Y, np.nan)
        far[logged] = later
        changes.append(untold(history, far, logged)[logged])
    return onto(reached(changes, untold(history, e.labels, logged)[logged]))
