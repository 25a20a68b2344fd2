"""Train one composition on a panel, as one candidate among others."""

import numpy as np
from jaxtyping import Int

from tslam.config import FitConfig
from tslam.dynamics.composed_lam import ComposedLAM
from tslam.dynamics.composition import Composition
from tslam.dynamics.forward import fit_persistent
from tslam.panel.panel import Panel
from tslam.select.candidates import Candidate, Data, causal_score
from tslam.select.neural import stop_rows
from tslam.train.composed import train_composed
from tslam.train.episode import Episode

__all__ = ["fit_composition"]


def fit_composition(
    panel: Panel, data: Data, parts: Composition, config: FitConfig, *, seed: int, device: str, progress: bool
) -> tuple[Candidate, dict[str, list[tuple[int, float]]]]:
    """Train one composition.

    Args:
        panel: The data.
        data: Its transitions and split.
        parts: The composition.
        config: Width, epochs, step size, batch, ridge.
        seed: Of everything random.
        device: Where to train.
        progress: Show epochs.

    Raises:
        ConfigError: the composition asks for what the data do not have.
        TrainingError: the loss left the finite numbers.
    """
    c = data.chain
    train, stop = stop_rows(data)
    linear = fit_persistent(c.X, c.Y, data.train, config.penalty)
    episode = Episode(
        c.X, c.Y, c.start, train, stop, data.structure.lags, panel.actions[c.rows], _partners(panel, c.rows)
    )
    names = [f"{name}[{offset:+d}]" for name, offset in c.terms]
    net, history = train_composed(
        parts, episode, linear, config, seed=seed, device=device, progress=progress, names=names
    )
    lam = ComposedLAM.of(net, linear, c.X, c.Y, c.start, data.train)
    curves = {
        "train_loss": [(e.epoch, e.train) for e in history],
        "stop_loss": [(e.epoch, e.stop) for e in history],
    }
    return Candidate(lam, data.structure, causal_score(lam, data)), curves


def _partners(panel: Panel, rows: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """For each transition one of the next series that has the same time; -1 where there is none."""
    out = np.full(len(rows), -1, np.int64)
    if len(panel.series_names) < 2:
        return out
    at: dict[object, list[int]] = {}
    for i, stamp in enumerate(panel.time[rows].tolist()):
        at.setdefault(stamp, []).append(i)
    for group in at.values():
        if len(group) > 1:
            out[group] = np.roll(group, -1)
    return out
