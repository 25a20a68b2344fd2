"""Which bottleneck, and how tight: chosen by what held-out transitions take to write down."""

from dataclasses import dataclass, replace

import numpy as np

from tslam.config import FitConfig
from tslam.dynamics.code_length import told
from tslam.dynamics.composed_lam import ComposedLAM
from tslam.dynamics.composition import Composition
from tslam.dynamics.lam import log_score
from tslam.dynamics.linear import residual_covariance
from tslam.errors import ConfigError
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.chain import Structure
from tslam.panel.panel import Panel
from tslam.seeding import generator
from tslam.select.auto import Choice, choose, prepare
from tslam.select.candidates import Candidate, Data
from tslam.select.composition import fit_composition

__all__ = ["choose_bottleneck"]

_TRIED: tuple[Composition, ...] = (
    *(Composition(bottleneck="vq", codes=n, latents=1, closed=True) for n in (2, 4, 8, 16)),
    *(Composition(bottleneck="vq", codes=n, latents=2, closed=True) for n in (4, 8, 16, 32, 64)),
    *(Composition(bottleneck="noisy", beta=b, closed=True) for b in (1e-3, 1e-2, 1e-1)),
)
"""Bottlenecks and strengths whose z takes a number of nats to tell; of a sparse z there is no such number."""
_SHORT = 8
"""The first round trains for one epoch in this many."""
_FINAL = 3
"""Compositions that the second round trains in full."""
_SURE = 0.01
_ROWS_PER_CODE = 20
"""A codebook is tried where there are this many training rows for each of its entries."""


@dataclass(frozen=True, eq=False)
class _Trial:
    parts: Composition
    candidate: Candidate
    gain: MeanTest
    """Held-out nats per transition that telling z and then o_{t+1} saves on telling o_{t+1} at once."""
    history: dict[str, list[tuple[int, float]]]

    @property
    def name(self) -> str:
        strength = f"{self.parts.codes} codes" if self.parts.discrete else f"beta {self.parts.beta:g}"
        return f"{self.parts.bottleneck} of {self.parts.latents}, {strength}"

    @property
    def saved(self) -> str:
        return f"{self.gain.mean:+.3f} (t = {self.gain.t:.1f})"


def choose_bottleneck(panel: Panel, config: FitConfig, *, seed: int, device: str, progress: bool) -> Choice:
    """Fit compositions in two rounds; take what writes held-out transitions down in the fewest nats.

    The first round trains each for an eighth of the epochs, the second the best three in full. The linear
    model, whose Gaussian latents save nothing by this measure, is taken where nothing surely saves more.

    Args:
        panel: The data.
        config: Lags and latents, where given; width, epochs, step size, batch.
        seed: Of everything random.
        device: Where to train.
        progress: Show epochs.

    Raises:
        ConfigError: more latents than observations.
    """
    chan = len(panel.channels)
    if config.latents is not None and not 1 <= config.latents <= chan:
        raise ConfigError(
            f"{config.latents} latents were asked for and there are {chan} observations "
            f"{list(panel.channels)}. A latent is a direction among them: ask for 1 to {chan}."
        )
    lags = config.lags or 1
    data = prepare(panel, config)(Structure(lags, min(2, lags)))
    tried = [
        parts.model_copy(update={"latents": config.latents or min(parts.latents, chan)})
        for parts in _TRIED
        if not parts.discrete or parts.codes * _ROWS_PER_CODE <= int(data.train.sum())
    ]

    def round_of(some: list[Composition], epochs: int) -> list[_Trial]:
        short = config.model_copy(update={"epochs": epochs})
        found = [_trial(panel, data, parts, short, seed, device, progress=progress) for parts in some]
        return sorted(found, key=lambda trial: -trial.gain.mean)

    epochs = max(1, config.epochs // _SHORT)
    first = round_of(tried, epochs)
    second = round_of([trial.parts for trial in first[:_FINAL]], config.epochs)
    best = second[0]
    budget = f"{len(first)} fits of {epochs} epochs, then {len(second)} of {config.epochs}"
    trace = (
        f"Bottleneck by held-out nats saved per transition; budget: {budget}.",
        f"First round: {'; '.join(f'{trial.name} {trial.saved}' for trial in first)}.",
        f"Second round: {'; '.join(f'{trial.name} {trial.saved}' for trial in second)}.",
    )
    if best.gain.p >= _SURE:
        told_why = "None surely saves anything: the linear model tells as much by latents of no memory."
        family = config.model_copy(update={"family": "linear", "preset": None, "lags": lags})
        linear = choose(panel, family, seed=seed, device=device, progress=progress)
        return replace(linear, trace=(*trace, told_why, *linear.trace))
    return Choice(best.candidate, data, (*trace, f"Taken: {best.name}."), best.history, config.penalty)


def _trial(
    panel: Panel,
    data: Data,
    parts: Composition,
    config: FitConfig,
    seed: int,
    device: str,
    *,
    progress: bool,
) -> _Trial:
    c = data.chain
    candidate, history = fit_composition(
        panel, data, parts, config, seed=seed, device=device, progress=progress
    )
    lam = candidate.lam
    assert isinstance(lam, ComposedLAM)
    X = c.X
    said = told(lam.net, X, np.where(c.usable[:, None], c.Y, np.nan), data.train, generator(seed, "told"))
    before, after = c.Y - lam.baseline.mean(X), c.Y - said.mean
    gain = log_score(after, residual_covariance(after, data.train)) - said.nats
    gain = gain - log_score(before, residual_covariance(before, data.train))
    return _Trial(parts, candidate, mean_test(np.where(data.held, gain, np.nan)), history)
