"""Held-out skill against persistence, per channel and horizon."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.lam import LAM
from tslam.panel.chain import Chain
from tslam.select.candidates import Data

__all__ = ["Skill", "horizon_errors", "one_step_skill"]


@dataclass(frozen=True)
class Skill:
    """1 − error / error of persistence, of one channel, one step ahead, on held-out rows."""

    channel: str
    skill: float
    without_actions: float | None


def one_step_skill(lam: LAM, data: Data, channels: tuple[str, ...]) -> tuple[Skill, ...]:
    """Skill of every channel, beside that of a ridge model that does not see the logged actions.

    Args:
        lam: The fitted model.
        data: Transitions and split.
        channels: Names of the observations.
    """
    c = data.chain
    now = c.X[:, : len(channels)]
    persistence = _mse(c.Y - now, data.held)
    mine = 1.0 - _mse(c.Y - lam.predict(c.X, c.Y, c.start), data.held) / persistence
    blind: Float[np.ndarray, " chan"] | None = None
    if c.actions.stop > c.actions.start:
        X = np.delete(c.X, np.arange(c.actions.start, c.actions.stop), axis=1)
        plain = fit_ridge(X, c.Y, data.train, 1e-3)
        blind = 1.0 - _mse(c.Y - plain.mean(X), data.held) / persistence
    return tuple(
        Skill(name, float(mine[i]), None if blind is None else float(blind[i]))
        for i, name in enumerate(channels)
    )


def horizon_errors(
    lam: LAM, chain: Chain, rows: Bool[np.ndarray, " n"], horizons: tuple[int, ...], lags: int
) -> dict[int, tuple[Float[np.ndarray, " chan"], Float[np.ndarray, " chan"], int]]:
    """Mean squared error of the model and of persistence, h steps ahead, from the chosen origins.

    Inputs over the horizon are the logged ones; latents are held as they were known at the origin and
    decay by their persistence.

    Returns:
        Horizon to (model, persistence, number of origins).
    """
    chan = chain.Y.shape[1]
    furthest = max(horizons)
    n = len(chain.rows)
    segment = np.cumsum(chain.start)
    origins = np.flatnonzero(rows)
    origins = origins[origins + furthest - 1 < n]
    last = origins + furthest - 1
    together = (segment[last] == segment[origins]) & (last - origins == furthest - 1)
    inside = np.cumsum(np.append(0, ~chain.usable))
    origins = origins[together & (inside[last + 1] == inside[origins])]
    out = {}
    if origins.size == 0:
        return out
    path = lam.infer(chain.X, chain.Y, chain.start, "filtered")
    history = chain.X[origins, : lags * chan].copy()
    now = history[:, :chan].copy()
    for h in range(1, furthest + 1):
        X = chain.X[origins + h - 1].copy()
        X[:, : lags * chan] = history
        mean = lam.forward.mean(X)
        if path is not None and lam.inverse is not None:
            z = path.prior[origins] * lam.inverse.phi ** (h - 1)
            mean = mean + z @ lam.inverse.B.T
        if h in horizons:
            truth = chain.Y[origins + h - 1]
            out[h] = (_mse(truth - mean), _mse(truth - now), int(origins.size))
        history = np.concatenate([mean, history[:, : (lags - 1) * chan]], axis=1)
    return out


def _mse(
    error: Float[np.ndarray, "n chan"], rows: Bool[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, " chan"]:
    chosen = error if rows is None else error[rows]
    seen = np.isfinite(chosen)
    total = np.where(seen, chosen, 0.0)
    return np.asarray((total**2).sum(axis=0) / np.maximum(seen.sum(axis=0), 1) + 1e-30)
