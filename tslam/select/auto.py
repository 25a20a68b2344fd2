"""``"auto"``: cheap first, and on to the next family only where held-out evidence says so."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tslam.audit.ground import robust_scatter, student_score
from tslam.config import FitConfig
from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.products import Products
from tslam.errors import ConfigError
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.chain import Structure, chain
from tslam.panel.panel import Panel
from tslam.panel.split import Split, split
from tslam.select.candidates import Candidate, Data, compare, fit_held_family, fit_linear_family
from tslam.select.neural import fit_neural_family
from tslam.select.timing import decide_timing

__all__ = ["Choice", "choose", "prepare"]

_SURE = 0.01
"""p below which a costlier candidate is taken to be better."""
_LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Lags tried, up to the configured most."""


@dataclass(frozen=True, eq=False)
class Choice:
    """The candidate taken, its data, and what was tried on the way."""

    candidate: Candidate
    data: Data
    trace: tuple[str, ...]
    history: dict[str, list[tuple[int, float]]]
    """Scores over the fit, by name: (step, value) pairs."""


def prepare(panel: Panel, config: FitConfig) -> Callable[[Structure], Data]:
    """A way to get transitions and the split of any structure; every structure holds out the same rows."""
    cache: dict[Structure, Data] = {}
    widest = max(config.lags or config.max_lags, 1)

    def data(structure: Structure) -> Data:
        if structure not in cache:
            if len(cache) > 2:
                cache.pop(next(iter(cache)))
            c = chain(panel, structure)
            s: Split = split(
                panel,
                c.rows,
                mode=config.holdout,
                fraction=config.holdout_fraction,
                purge=widest,
            )
            cache[structure] = Data(structure, c, s.train & c.usable, s.held & c.usable)
        return cache[structure]

    return data


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
        FrameError: too few rows to hold some out.
    """
    chan = len(panel.channels)
    if config.latents is not None and config.latents > chan:
        raise ConfigError(
            f"{config.latents} latents were asked for and there are {chan} observations {list(panel.channels)}. "
            "A latent is a direction among the observations: ask for at most as many."
        )
    data = prepare(panel, config)
    trace: list[str] = []
    history: dict[str, list[tuple[int, float]]] = {}
    lags = config.lags or _choose_lags(panel, data, config, trace, history)
    structure, told = decide_timing(panel, Structure(lags, _input_lags(lags)), data, config)
    trace.extend(told)
    latents = 1 if config.latents is None else config.latents
    linear = fit_linear_family(data(structure), config, latents)
    if config.family == "linear":
        return Choice(linear, data(structure), tuple(trace), history)
    best, at = linear, structure
    if config.family in ("held", "auto") and latents:
        best, at = _try_held(linear, structure, data, config, latents, trace)
    if config.family in ("neural", "auto") and _wants_neural(panel, data(structure), config, trace):
        best, at = _try_neural(
            best,
            at,
            structure,
            data,
            config,
            latents,
            trace,
            history,
            seed=seed,
            device=device,
            progress=progress,
        )
    trace.append(
        f"Taken: {best.lam.family} with {at.lags} lag{'s' * (at.lags > 1)} and {best.lam.latents} "
        f"latent{'s' * (best.lam.latents != 1)}, held-out log-score {best.mean:.3f} nats per row."
    )
    return Choice(best, data(at), tuple(trace), history)


def _input_lags(lags: int) -> int:
    """Inputs are held: their last two samples tell level and move, more tells little."""
    return min(2, lags)


def _choose_lags(
    panel: Panel,
    data: Callable[[Structure], Data],
    config: FitConfig,
    trace: list[str],
    history: dict[str, list[tuple[int, float]]],
) -> int:
    """The fewest lags that are not surely worse than the best."""
    shortest = min(s.stop - s.start for s in panel.segments if s.stop - s.start > 1)
    tried: list[Candidate] = []
    for lags in (n for n in _LAGS if n <= config.max_lags):
        if lags > 1 and lags >= shortest and len(panel.segments) == 1:
            break
        tried.append(fit_linear_family(data(Structure(lags, _input_lags(lags))), config, 0))
    history["lags"] = [(c.structure.lags, c.mean) for c in tried]
    best = max(tried, key=lambda c: c.mean)
    for candidate in tried:
        gain = compare(best, candidate)
        if candidate is best or gain.p > _SURE:
            trace.append(
                f"{candidate.structure.lags} lag{'s' * (candidate.structure.lags > 1)} of {[c.structure.lags for c in tried]}: "
                f"held-out log-score {candidate.mean:.3f} nats per row, best {best.mean:.3f} with {best.structure.lags}."
            )
            return candidate.structure.lags
    return best.structure.lags


def _try_held(
    linear: Candidate,
    structure: Structure,
    data: Callable[[Structure], Data],
    config: FitConfig,
    latents: int,
    trace: list[str],
) -> tuple[Candidate, Structure]:
    """Held latents with the shortest history and with the chosen one: history hides levels."""
    options = {structure.lags} if config.lags else {1, structure.lags}
    fitted = []
    for lags in sorted(options):
        one = Structure(lags, _input_lags(lags), structure.within)
        fitted.append(fit_held_family(data(one), config, latents))
    best = max(fitted, key=lambda c: c.mean)
    gain = compare(best, linear)
    trace.append(f"Held latents, {best.structure.lags} lags, against linear: {_in_words(gain)}.")
    if config.family == "held" or gain.p < _SURE:
        return best, best.structure
    return linear, structure


def _wants_neural(panel: Panel, data: Data, config: FitConfig, trace: list[str]) -> bool:
    """Is a linear forward model wrong? Products of signals are the cheap test."""
    if config.family == "neural":
        return True
    c = data.chain
    late = c.history.stop
    now = [i for i, (_, offset) in enumerate(c.terms) if offset == 0 or (offset == 1 and i >= late)]
    products = Products.learn(c.X[data.train][:, now], len(panel.channels)).of(c.X[:, now])
    wide = np.column_stack([c.X, products])
    plain = np.nan_to_num(c.Y - fit_ridge(c.X, c.Y, data.train, config.ridge).mean(c.X))
    # a Student density: where tails are heavy, a few rows would decide a Gaussian comparison
    scatter, _ = robust_scatter(plain[data.train], np.isfinite(c.Y[data.train]))
    best: MeanTest | None = None
    for penalty in (0.01, 0.1):
        weights = np.append(np.full(c.X.shape[1], config.ridge), np.full(products.shape[1], penalty))
        rich = np.nan_to_num(c.Y - fit_ridge(wide, c.Y, data.train, weights).mean(wide))
        difference = student_score(rich, scatter) - student_score(plain, scatter)
        gain = mean_test(np.where(data.held, difference, np.nan))
        best = gain if best is None or gain.t > best.t else best
    assert best is not None
    wanted = best.p < _SURE
    trace.append(
        f"Products of signals against linear: {_in_words(best)}; nonlinear {'wanted' if wanted else 'not wanted'}."
    )
    return wanted


def _try_neural(
    best: Candidate,
    at: Structure,
    structure: Structure,
    data: Callable[[Structure], Data],
    config: FitConfig,
    latents: int,
    trace: list[str],
    history: dict[str, list[tuple[int, float]]],
    *,
    seed: int,
    device: str,
    progress: bool,
) -> tuple[Candidate, Structure]:
    neural, curve = fit_neural_family(
        data(structure), config, latents, seed=seed, device=device, progress=progress
    )
    history.update(curve)
    gain = compare(neural, best)
    trace.append(f"Neural against {best.lam.family}: {_in_words(gain)}.")
    if config.family == "neural" or gain.p < _SURE:
        return neural, structure
    return best, at


def _in_words(gain: MeanTest) -> str:
    return f"{1000 * gain.mean:+.1f} held-out nats per 1,000 rows (t = {gain.t:.1f})"
