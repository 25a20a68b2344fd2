"""``"auto"``: cheap first, and on to the next family only where held-out evidence says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock

import numpy as np
from jaxtyping import Float

from tslam.config import LEAST_RIDGE, Family, FitConfig
from tslam.dynamics.forward import fit_persistent
from tslam.dynamics.lam import log_score
from tslam.dynamics.linear import residual_covariance
from tslam.dynamics.products import Products
from tslam.errors import ConfigError, FrameError, TrainingError
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.chain import Structure, chain
from tslam.panel.panel import Panel
from tslam.panel.split import LEAST_HELD, LEAST_TRAIN, split
from tslam.panel.windows import transitions
from tslam.select.candidates import Candidate, Data, compare, fit_linear_family, input_lags
from tslam.select.earning import FEWEST_HELD
from tslam.select.held import HeldSearch, earns
from tslam.select.neural import fit_neural_family
from tslam.select.telling import with_reader
from tslam.select.timing import decide_timing

__all__ = ["Choice", "choose", "prepare"]

_SURE = 0.01
"""p below which a costlier candidate is taken to be better."""
_LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Lags tried, up to the configured most."""
_KEPT = 0.9
"""Lags are tried while they leave this share of the transitions a whole window."""
_RIDGES = (1e-3, 1e-2, 1e-1)
"""Ridge penalties tried beside the least one, each per row."""
_PRODUCT_RIDGES = (0.01, 0.1)
"""Ridge penalties tried on the products of signals."""


@dataclass(frozen=True, eq=False)
class Choice:
    """The candidate taken, its data, and what was tried on the way."""

    candidate: Candidate
    data: Data
    trace: tuple[str, ...]
    history: dict[str, list[tuple[int, float]]]
    """Scores over the fit, by name: (step, value) pairs."""
    ridge: float
    """Penalty of its regressions."""


def choose(panel: Panel, config: FitConfig, *, seed: int, device: str, progress: bool) -> Choice:
    """Fit the configured family, or the one that held-out evidence asks for.

    Args:
        panel: The data.
        config: Family, lags, latents; what is None is chosen here.
        seed: Of everything random (the neural family).
        device: Where the neural family trains.
        progress: Show what is going on.

    Raises:
        ConfigError: more latents than observations.
        FrameError: too few rows to hold some out, or nothing varies.
    """
    chan = len(panel.channels)
    if not np.nanmax(np.abs(panel.obs)) > 0:
        raise FrameError(
            f"No observation ever varies: {list(panel.channels)}. There is nothing to explain: give columns "
            "that show how the system responds."
        )
    if config.latents is not None and config.latents > chan:
        raise ConfigError(
            f"{config.latents} latents were asked for and there are {chan} observations "
            f"{list(panel.channels)}. A latent is a direction among them: ask for at most as many."
        )
    search = _Search(panel, config, prepare(panel, config))
    structure = search.structure()
    best = search.linear(structure)
    if search.asks_for("held") and search.latents:
        best = search.held(best)
    if search.asks_for("neural") and search.wants_neural(structure):
        best = search.neural(best, seed=seed, device=device, progress=progress)
    search.trace.append(
        f"Taken: {best.lam.family} with {_plural(best.structure.lags, 'lag')} and "
        f"{_plural(best.lam.latents, 'latent')}, held-out log-score {best.mean:.3f} nats per row."
    )
    return Choice(
        best, search.data(best.structure), tuple(search.trace), search.history, search.config.penalty
    )


def prepare(panel: Panel, config: FitConfig) -> Callable[[Structure], Data]:
    """A way to get transitions and the split of any structure; every structure holds out the same rows."""
    cache: dict[Structure, Data] = {}
    lock = Lock()
    widest = config.lags or config.max_lags

    def data(structure: Structure) -> Data:
        with lock:
            if structure not in cache:
                if len(cache) > 3:
                    cache.pop(next(iter(cache)))
                c = chain(panel, structure)
                s = split(panel, c.rows, mode=config.holdout, fraction=config.holdout_fraction, purge=widest)
                found = Data(structure, c, s.train & c.usable, s.held & c.usable)
                _refuse_few(found)
                cache[structure] = found
            return cache[structure]

    return data


@dataclass(eq=False)
class _Search:
    """One walk through the candidates, and what it says on the way."""

    panel: Panel
    config: FitConfig
    data: Callable[[Structure], Data]
    trace: list[str] = field(default_factory=list)
    history: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    _bends: bool | None = None

    @property
    def latents(self) -> int:
        return 1 if self.config.latents is None else self.config.latents

    def asks_for(self, family: Family) -> bool:
        """Is the family configured, or are there held-out rows enough for it to show that it is better?"""
        return self.config.family == family or (self.config.family == "auto" and self.enough)

    @cached_property
    def enough(self) -> bool:
        """Are there held-out rows enough to tell candidates apart? Said once where not."""
        held = int(self.data(Structure(self.config.lags or 1)).held.sum())
        if held < FEWEST_HELD:
            self.trace.append(
                f"{_plural(held, 'held-out row')}, fewer than {FEWEST_HELD}, cannot tell candidates apart: "
                "what was not configured is the simplest there is."
            )
        return held >= FEWEST_HELD

    def structure(self) -> Structure:
        """Lags and timing."""
        lags = self.config.lags or (self._lags() if self.enough else 1)
        if self.config.ridge is None:
            self.config = self.config.model_copy(update={"ridge": self._ridge(lags)})
        found, told = decide_timing(self.panel, Structure(lags, input_lags(lags)), self.data, self.config)
        data = self.data(found)
        width, train = data.chain.X.shape[1], int(data.train.sum())
        if width >= train:
            self.trace.append(
                f"{_plural(width, 'regressor')} and only {_plural(train, 'training row')}: expect little of "
                "this model, or ask for fewer lags."
            )
        self.trace.extend(told)
        return found

    def _lags(self) -> int:
        """The fewest lags that are not surely worse than the best."""
        most = _KEPT * transitions(self.panel, 1).size
        lags = [n for n in _LAGS if n <= self.config.max_lags and transitions(self.panel, n).size >= most]
        tried = [fit_linear_family(self.data(Structure(n, input_lags(n))), self.config, 0) for n in lags]
        self.history["lags"] = [(c.structure.lags, c.mean) for c in tried]
        best = max(tried, key=lambda c: c.mean)
        taken = next(c for c in tried if c is best or compare(best, c).p > _SURE)
        self.trace.append(
            f"{_plural(taken.structure.lags, 'lag')} of {lags}: held-out log-score {taken.mean:.3f} nats per "
            f"row, best {best.mean:.3f} with {best.structure.lags}."
        )
        return taken.structure.lags

    def _ridge(self, lags: int) -> float:
        """The penalty that predicts best; the largest where there are too few rows to tell."""
        if not self.enough:
            return _RIDGES[-1]
        data = self.data(Structure(lags, input_lags(lags)))
        tried = {
            r: fit_linear_family(data, self.config.model_copy(update={"ridge": r}), 0)
            for r in (LEAST_RIDGE, *_RIDGES)
        }
        taken = max(tried, key=lambda r: tried[r].mean)
        if taken > LEAST_RIDGE:
            self.trace.append(
                f"Ridge penalty {taken:g} towards persistence: held-out log-score {tried[taken].mean:.3f} "
                f"nats per row, {tried[LEAST_RIDGE].mean:.3f} with next to none."
            )
        return taken

    def linear(self, structure: Structure) -> Candidate:
        return fit_linear_family(self.data(structure), self.config, self.latents)

    def held(self, linear: Candidate) -> Candidate:
        """Held latents, where they predict better, or as well and tell what history only carries."""
        within = linear.structure.within
        walk = HeldSearch(self.data, self.config, within, len(self.panel.channels))
        try:
            best = walk.best(linear.structure.lags)
        except TrainingError as error:
            return self._without("held", linear, error)
        gain = compare(best.candidate, linear)
        self.trace.append(
            f"Held latents ({best.latents}), {_plural(best.lags, 'lag')}"
            f"{', products of signals' if best.products else ''}, against linear: {_in_words(gain)}."
        )
        if self.config.family == "held" or gain.p < _SURE:
            return self._told_apart(best.candidate)
        earned = earns(best, self.data(best.candidate.structure))
        if earned.p < _SURE and compare(linear, best.candidate).p >= _SURE:
            self.trace.append(
                f"As good a prediction, told by latents that gain {_in_words(earned)} on the same model "
                "without them."
            )
            return self._told_apart(best.candidate)
        return linear

    def _told_apart(self, held: Candidate) -> Candidate:
        """Its latents read by a model of segments, where their levels are clear."""
        found = with_reader(held, self.data(held.structure), self.config)
        if found.lam.told is not None:
            self.trace.append(
                f"{_plural(found.lam.told.latents, 'latent')} read by a regression with an offset for each "
                "segment between moves, which leaves levels to them."
            )
        return found

    def bends(self, structure: Structure) -> bool:
        """Is a linear forward model wrong? Products of signals are the cheap test, made once."""
        if self._bends is None:
            gain = _gain_of_products(self.data(structure), len(self.panel.channels), self.config.penalty)
            self._bends = gain.p < _SURE
            self.trace.append(
                f"Products of signals against linear: {_in_words(gain)}; "
                f"nonlinear {'wanted' if self._bends else 'not wanted'}."
            )
        return self._bends

    def wants_neural(self, structure: Structure) -> bool:
        """Is it configured, or is a linear forward model wrong?"""
        return self.config.family == "neural" or self.bends(structure)

    def neural(self, best: Candidate, *, seed: int, device: str, progress: bool) -> Candidate:
        """A network that sees what the best so far sees, with as many latents, told what they tell."""
        told = best if best.lam.family == "held" else self._told(best)
        data = self.data((told or best).structure)
        latents = max(best.lam.latents, self.latents) if told is None else told.lam.latents
        try:
            neural, curve = fit_neural_family(
                data, self.config, latents, seed=seed, device=device, progress=progress, told=told
            )
        except TrainingError as error:
            return self._without("neural", best, error)
        self.history.update(curve)
        gain = compare(neural, best)
        self.trace.append(f"Neural against {best.lam.family}: {_in_words(gain)}.")
        return neural if self.config.family == "neural" or gain.p < _SURE else best

    def _told(self, linear: Candidate) -> Candidate | None:
        """Held latents for a network that is asked for and has nothing to start them from.

        None for a preset, which does what its paper says.
        """
        asked = self.config.family == "neural" and self.config.preset is None
        if not asked or not self.latents or not self.enough:
            return None
        walk = HeldSearch(self.data, self.config, linear.structure.within, len(self.panel.channels))
        try:
            return walk.best(linear.structure.lags).candidate
        except TrainingError:
            return None  # the network is fitted without, as where there are too few rows

    def _without(self, family: Family, best: Candidate, error: TrainingError) -> Candidate:
        """What there is already, where a family that nobody insists on could not be fitted."""
        if self.config.family == family:
            raise error
        self.trace.append(f"The {family} family could not be fitted: {error}")
        return best


def _gain_of_products(data: Data, channels: int, ridge: float) -> MeanTest:
    """Held-out gain of products of current signals over a linear model, with the better of two penalties."""
    c = data.chain
    current = c.X[:, [i for i, (_, offset) in enumerate(c.terms) if offset == 0]]
    products = Products.learn(current[data.train], channels).of(current)
    wide = np.column_stack([c.X, products])
    plain = fit_persistent(c.X, c.Y, data.train, ridge)
    base = _scores(c.Y - plain.mean(c.X), data)
    gains = []
    for penalty in _PRODUCT_RIDGES:
        weights = np.append(np.full(c.X.shape[1], ridge), np.full(products.shape[1], penalty))
        rich = fit_persistent(wide, c.Y, data.train, weights)
        gains.append(mean_test(np.where(data.held, _scores(c.Y - rich.mean(wide), data) - base, np.nan)))
    return max(gains, key=lambda gain: gain.t)


def _scores(residual: Float[np.ndarray, "n chan"], data: Data) -> Float[np.ndarray, " n"]:
    return log_score(residual, residual_covariance(residual, data.train))


def _refuse_few(data: Data) -> None:
    train, held = int(data.train.sum()), int(data.held.sum())
    if train < LEAST_TRAIN or held < LEAST_HELD:
        raise FrameError(
            f"With {_plural(data.structure.lags, 'lag')}, {train} transitions with a whole window are left "
            f"to train on (at least {LEAST_TRAIN}) and {held} to hold out (at least {LEAST_HELD}). Give a "
            "longer record, ask for fewer lags, or raise max_gap if the record has many gaps."
        )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _in_words(gain: MeanTest) -> str:
    return f"{1000 * gain.mean:+.1f} held-out nats per 1,000 rows (t = {gain.t:.1f})"
