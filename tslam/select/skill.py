"""Held-out skill against persistence, per channel and horizon."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.dynamics.forward import fit_persistent
from tslam.dynamics.lam import LAM
from tslam.errors import ConfigError
from tslam.panel.chain import Chain
from tslam.select.candidates import Data

__all__ = ["HorizonErrors", "Skill", "horizon_errors", "one_step_skill", "skill_of", "steps_ahead"]

_STILL = 1e-12
"""Mean squared error of persistence, in scaled units, up to which a channel is still and has skill 0."""


@dataclass(frozen=True)
class Skill:
    """1 − error / error of persistence, of one channel, one step ahead, on held-out rows."""

    channel: str
    skill: float
    without_actions: float | None


@dataclass(frozen=True, eq=False)
class HorizonErrors:
    """Mean squared errors h steps ahead, per channel, and from how many origins."""

    model: Float[np.ndarray, " chan"]
    persistence: Float[np.ndarray, " chan"]
    origins: int


def skill_of(
    error: Float[np.ndarray, " chan"], persistence: Float[np.ndarray, " chan"]
) -> Float[np.ndarray, " chan"]:
    """1 − error / error of persistence; 0 where there was nothing to predict."""
    moves = persistence > _STILL
    return np.where(moves, 1.0 - error / np.where(moves, persistence, 1.0), 0.0)


def steps_ahead(horizons: Any) -> tuple[int, ...]:
    """The horizons asked for, each once, ascending.

    Args:
        horizons: A number of steps, or several.

    Raises:
        ConfigError: one is no whole number from 1 on, or there is none.
    """
    given = horizons if isinstance(horizons, Sequence | set | frozenset) else (horizons,)
    if not given or not all(isinstance(h, int | np.integer) and h >= 1 for h in given):
        raise ConfigError(
            f"Found horizons={horizons!r}. Give one or more whole numbers of steps ahead, each at least 1."
        )
    return tuple(sorted({int(h) for h in given}))


def one_step_skill(lam: LAM, data: Data, channels: tuple[str, ...], ridge: float) -> tuple[Skill, ...]:
    """Skill of every channel, beside that of a ridge model that does not see the logged actions.

    Args:
        lam: The fitted model.
        data: Transitions and split.
        channels: Names of the observations.
        ridge: Penalty of the model without actions.
    """
    c = data.chain
    persistence = _mse(c.Y - c.X[:, : len(channels)], data.held)
    mine = skill_of(_mse(c.Y - lam.predict(c.X, c.Y, c.start), data.held), persistence)
    blind: Float[np.ndarray, " chan"] | None = None
    if c.actions.stop > c.actions.start:
        X = np.delete(c.X, np.arange(c.actions.start, c.actions.stop), axis=1)
        plain = fit_persistent(X, c.Y, data.train, ridge)
        blind = skill_of(_mse(c.Y - plain.mean(X), data.held), persistence)
    return tuple(
        Skill(name, float(mine[i]), None if blind is None else float(blind[i]))
        for i, name in enumerate(channels)
    )


def horizon_errors(
    lam: LAM, chain: Chain, rows: Bool[np.ndarray, " n"], horizons: tuple[int, ...], lags: int
) -> dict[int, HorizonErrors]:
    """Errors of the model and of persistence, h steps ahead.

    Every step from the origin to h lies among the chosen rows, so that none was fitted on. Inputs over the
    horizon are the logged ones; latents are held as they were known at the origin and decay by their
    persistence.

    Args:
        lam: The model.
        chain: Transitions.
        rows: Which of them may be used.
        horizons: Steps ahead, ascending.
        lags: Samples of history in ``chain.X``.
    """
    chan = chain.Y.shape[1]
    path = lam.infer(chain.X, chain.Y, chain.start, "filtered")
    ahead = _steps_ahead(chain, rows & chain.usable)
    origins = np.flatnonzero(ahead >= 1)
    history = chain.X[origins, : lags * chan].copy()
    out = {}
    for h in range(1, max(horizons) + 1):
        keep = ahead[origins] >= h
        origins, history = origins[keep], history[keep]
        X = chain.X[origins + h - 1].copy()
        X[:, : lags * chan] = history
        mean = lam.forward.mean(X)
        if path is not None and lam.inverse is not None:
            mean = mean + (path.prior[origins] * lam.inverse.phi ** (h - 1)) @ lam.inverse.B.T
        if h in horizons:
            truth, now = chain.Y[origins + h - 1], chain.X[origins, :chan]
            out[h] = HorizonErrors(_mse(truth - mean), _mse(truth - now), int(origins.size))
        history = np.concatenate([mean, history[:, : (lags - 1) * chan]], axis=1)
    return out


def _steps_ahead(chain: Chain, rows: Bool[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """How many transitions from each one on, itself included, are among the rows and in its segment."""
    run = np.cumsum(~rows | chain.start)
    return np.where(rows, np.searchsorted(run, run, side="right") - np.arange(len(rows)), 0)


def _mse(
    error: Float[np.ndarray, "n chan"], rows: Bool[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, " chan"]:
    """Mean square of each channel where it was measured; NaN where it never was."""
    chosen = error if rows is None else error[rows]
    seen = np.isfinite(chosen)
    count = seen.sum(axis=0)
    total = (np.where(seen, chosen, 0.0) ** 2).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
