"""Fit a system of the literature by its name: the same splits, scores and latents as every other family."""

from dataclasses import replace

import numpy as np

from tslam.audit.gap import LatentInfo
from tslam.config import FitConfig
from tslam.dynamics.composed_lam import ComposedLAM
from tslam.dynamics.composition import Composition
from tslam.dynamics.lam import LAM
from tslam.dynamics.presets import CHOSEN, preset
from tslam.errors import ConfigError
from tslam.kernels.hac import mean_test
from tslam.panel.chain import Structure
from tslam.panel.panel import Panel
from tslam.select.auto import Choice, choose, prepare
from tslam.select.bottleneck import choose_bottleneck
from tslam.select.candidates import Data
from tslam.select.composition import fit_composition
from tslam.select.earning import described

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
        name: Such as ``paper:lapo``; ``composed`` for a bottleneck that is chosen on held-out rows.
        seed: Of everything random.
        device: Where to train.
        progress: Show epochs.

    Raises:
        ConfigError: no such preset, or it asks for what the data do not have.
    """
    if name == CHOSEN:
        return choose_bottleneck(panel, config, seed=seed, device=device, progress=progress)
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
    candidate, history = fit_composition(
        panel, data, parts, config, seed=seed, device=device, progress=progress
    )
    sizes = f"{lags} lags, {candidate.lam.latents} latents" + (f", {parts.codes} codes" * parts.discrete)
    trace = (told, f"{sizes}; held-out log-score {candidate.mean:.3f} nats per row.")
    return Choice(candidate, data, trace, history, config.penalty)


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
