"""Fit a system of the literature by its name: the same splits, scores and latents as every other family."""

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from tslam.audit.gap import LatentInfo
from tslam.config import FitConfig
from tslam.dynamics.composed_lam import ComposedLAM
from tslam.dynamics.composition import Composition
from tslam.dynamics.forward import fit_persistent
from tslam.dynamics.lam import LAM
from tslam.dynamics.presets import preset
from tslam.errors import ConfigError
from tslam.kernels.hac import mean_test
from tslam.panel.chain import Structure
from tslam.panel.panel import Panel
from tslam.select.auto import Choice, choose, prepare
from tslam.select.candidates import Candidate, Data, causal_score
from tslam.select.earning import described
from tslam.select.neural import stop_rows
from tslam.train.composed import train_composed
from tslam.train.episode import Episode

__all__ = ["choose_preset", "composed_latents"]

_LAGS = 4
"""Past samples of a window; one for everything that sees a transition alone."""


def choose_preset(
    panel: Panel, config: FitConfig, name: str, *, seed: int, device: str, progress: bool
) -> Choice:
    """Fit the preset of that name.

    Args:
        panel: The data.
        config: Lags and latents, where given, go before the preset's; width, epochs, step size, batch.
        name: Such as ``paper:lapo``.
        seed: Of everything random.
        device: Where to train.
        progress: Show epochs.

    Raises:
        ConfigError: no such preset, or it asks for what the data do not have.
    """
    found = preset(name)
    told = f"Preset {name}: {found.source}; on series: {found.changed}."
    if not isinstance(found.parts, Composition):
        latents = config.latents if config.latents is not None else min(2, len(panel.channels))
        lags = config.lags or (1 if found.parts == "linear" else None)
        family = config.model_copy(update={"family": found.parts, "latents": latents, "lags": lags})
        choice = choose(panel, family, seed=seed, device=device, progress=progress)
        return replace(choice, trace=(told, *choice.trace))
    chan = len(panel.channels)
    if config.latents is not None and not 1 <= config.latents <= chan:
        raise ConfigError(
            f"{config.latents} latents were asked for and there are {chan} observations "
            f"{list(panel.channels)}. A latent is a direction among them: ask for 1 to {chan}."
        )
    parts = found.parts.model_copy(update={"latents": config.latents or min(found.parts.latents, chan)})
    lags = config.lags or (_LAGS if parts.sees == "window" else 1)
    data = prepare(panel, config)(Structure(lags, min(2, lags)))
    candidate, history = _fit(panel, data, parts, config, seed=seed, device=device, progress=progress)
    sizes = f"{lags} lags, {candidate.lam.latents} latents" + (f", {parts.codes} codes" * parts.discrete)
    trace = (told, f"{sizes}; held-out log-score {candidate.mean:.3f} nats per row.")
    return Choice(candidate, data, trace, history, config.penalty)


def _fit(
    panel: Panel, data: Data, parts: Composition, config: FitConfig, *, seed: int, device: str, progress: bool
) -> tuple[Candidate, dict[str, list[tuple[int, float]]]]:
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


def composed_latents(lam: LAM, data: Data, channels: tuple[str, ...]) -> tuple[LatentInfo, ...]:
    """What each latent's persistence adds to causal held-out prediction, and whether that earns it a place.

    Args:
        lam: The model.
        data: Transitions and split.
        channels: Names of the observations.
    """
    assert isinstance(lam, ComposedLAM)
    assert lam.inverse is not None
    c = data.chain
    gains = [lam.causal_gain_of(k, c.X, c.Y, c.start) for k in range(lam.latents)]
    worth = [mean_test(np.where(data.held, gain, np.nan)) for gain in gains]
    return described(lam.inverse, worth, data, channels)


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
