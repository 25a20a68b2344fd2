"""What leaks of the outside world into z: the algebra, and what is measured."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from page import Plot, Section, Table
from world import orthonormal

from tslam.config import FitConfig
from tslam.diagnose.llo import missed
from tslam.dynamics.closed_form import fit_closed_form, fit_swapped
from tslam.dynamics.composed_lam import ComposedLAM
from tslam.dynamics.composition import Composition
from tslam.dynamics.forward import fit_ridge
from tslam.dynamics.moments import Moments
from tslam.train.composed import train_composed
from tslam.train.episode import Episode

CHAN, ACT, OUT, ROWS = 24, 3, 3, 40_000
NET_ROWS = 6_000
STRENGTHS = (0.25, 0.5, 0.8, 1.25, 2.0, 4.0)


@dataclass(frozen=True)
class Series:
    """o = M_s s + M_x ξ with s' = s + X a and ξ' = F ξ + w."""

    now: np.ndarray
    after: np.ndarray
    action: np.ndarray
    innovation: np.ndarray
    season: np.ndarray
    """F ξ − ξ: the part of the outside change that history tells."""
    outside: np.ndarray
    """Covariance of M_x w."""


def series(strength: float, seed: int, *, coupled: float = 0.0, bent: bool = False) -> Series:
    """One series; the outside is seen in the same channels as the state.

    Args:
        strength: Standard deviation of the innovation, that of the action being 1.
        seed: Of everything random.
        coupled: Correlation of a with w: 0 keeps exogenous and endogenous parts independent.
        bent: Observe o + 0.3 sin(2 o) instead of o.
    """
    rng = np.random.default_rng(seed)
    Ms, Mx = orthonormal(rng, CHAN, ACT), orthonormal(rng, CHAN, OUT)
    F = 0.9 * orthonormal(rng, OUT, OUT)
    s, xi = rng.normal(size=(ROWS, ACT)), rng.normal(size=(ROWS, OUT)) * 2.0
    w = rng.normal(size=(ROWS, OUT))
    action = np.sqrt(1 - coupled**2) * rng.normal(size=(ROWS, ACT)) + coupled * w[:, :ACT]
    w *= strength
    background = 0.02 * rng.normal(size=(2, ROWS, CHAN))
    now = s @ Ms.T + xi @ Mx.T + background[0]
    after = (s + action) @ Ms.T + (xi @ F.T + w) @ Mx.T + background[1]
    if bent:
        now, after = (o + 0.3 * np.sin(2 * o) for o in (now, after))
    return Series(now, after, action, w, xi @ F.T - xi, strength**2 * Mx @ Mx.T)


def sections() -> Iterator[Section]:
    """All that the page says of the outside world."""
    yield _leakage()
    yield _nonlinear()
    yield _remedies()
    yield _remedies_in_a_network()
    yield _transfer()


def _shares(s: Series, F: np.ndarray) -> tuple[float, float, float]:
    z = fit_closed_form(Moments.of(np.column_stack([F, s.after])), F.shape[1], ACT).infer(F, s.after)
    return tuple(1 - missed(z, target) for target in (s.action, s.innovation, s.season))


def _leakage() -> Section:
    table = Table(("innovation / action", "R² of the action", "of the innovation", "of the predictable part"))
    lines: dict[str, list[float]] = {"action": [], "innovation": [], "predictable part": []}
    for strength in STRENGTHS:
        found = _shares(s := series(strength, 0), s.now)
        for line, value in zip(lines.values(), found, strict=True):
            line.append(value)
        table.add(strength, *(f"{value:.3f}" for value in found))
    worse = Table(("innovation / action 0.5", "R² of the action", "of the innovation", "of the predictable"))
    for label, options in (
        ("as above", {}),
        ("a and w correlated, .5", {"coupled": 0.5}),
        ("a and w correlated, .9", {"coupled": 0.9}),
        ("observed through a bend", {"bent": True}),
    ):
        s = series(0.5, 0, **options)
        worse.add(label, *(f"{value:.3f}" for value in _shares(s, s.now)))
    plot = Plot(
        "reproduce-leakage", "innovation / action", "R² from z", STRENGTHS, lines, {"equal": 1.0}, log=True
    )
    return Section(
        "Only the innovation of the outside leaks",
        "o = M_s s + M_x ξ, s' = s + X a, ξ' = F ξ + w, 24 channels, 3 actions, 3 exogenous variables that "
        "nobody measured, dz = 3. z takes w where w is the stronger, and never F ξ − ξ, which history tells "
        'however strong it is (after "Why Latent Actions Fail, and How to Prevent It", arXiv 2605.20223; the '
        "algebra is ours). Correlated with the action, the innovation is in z for a reason that no remedy of "
        "the latent can mend. Observed through a bend (o + 0.3 sin 2o) the same linear model says the same.",
        (table, worse),
        (plot,),
    )


def _nonlinear() -> Section:
    table = Table(
        ("innovation / action", "world", "R² of the action", "of the innovation", "of the predictable part")
    )
    for strength in (0.5, 2.0):
        for label, options in (
            ("independent", {}),
            ("observed through a bend", {"bent": True}),
            ("a and w correlated, .5", {"coupled": 0.5}),
        ):
            s = series(strength, 0, **options)
            z = _network_latents(s.now[:NET_ROWS], s.after[:NET_ROWS])
            targets = (s.action, s.innovation, s.season)
            table.add(strength, label, *(f"{1 - missed(z, t[:NET_ROWS]):.3f}" for t in targets))
    return Section(
        "The same in a network",
        "A composed network (transition, noisy z of 3, two hidden layers), 6,000 rows of the same worlds. "
        "What leaks is the innovation, by the same order of strengths; the predictable part stays out.",
        (table,),
    )


def _network_latents(now: np.ndarray, after: np.ndarray) -> np.ndarray:
    scale = now.std(axis=0)
    X, Y = now / scale, after / scale
    rows = np.arange(len(X))
    train, stop, start = rows % 10 < 8, rows % 10 == 8, rows == 0
    linear = fit_ridge(X, Y, train, 1e-6)
    parts = Composition(bottleneck="noisy", beta=3e-3, latents=ACT)
    episode = Episode(X, Y, start, train, stop, 1, np.zeros((len(X), 0)), np.full(len(X), -1))
    net, _ = train_composed(parts, episode, linear, FitConfig(epochs=40), seed=0)
    return ComposedLAM.of(net, linear, X, Y, start, train).read(X, Y)


def _remedies() -> Section:
    table = Table(("innovation twice the action", "R² of the action", "of the innovation"))
    s = series(2.0, 0)
    xi_after = s.season + s.innovation  # measured: ξ_{t+1} beside history
    moments = Moments.of(np.column_stack([s.now, s.after]))
    z = {
        "nothing done": fit_closed_form(moments, CHAN, ACT).infer(s.now, s.after),
        "swap across series, as often as not": fit_swapped(moments, CHAN, ACT, s.outside).infer(
            s.now, s.after
        ),
        "swap alone": fit_swapped(moments, CHAN, ACT, s.outside, 30.0).infer(s.now, s.after),
    }
    F = np.column_stack([s.now, xi_after])
    z["x_t, x_{t+1} measured and given"] = fit_closed_form(
        Moments.of(np.column_stack([F, s.after])), CHAN + OUT, ACT
    ).infer(F, s.after)
    for label, latents in z.items():
        table.add(label, *(f"{1 - missed(latents, target):.3f}" for target in (s.action, s.innovation)))
    return Section(
        "What keeps the outside out",
        "Measuring it and giving it to the forward model settles the matter. Without, a swap (z read on one "
        "series must predict another, with its own innovation, under the same action) turns the subspace.",
        (table,),
    )


def _remedies_in_a_network() -> Section:
    """The same remedies where z is read by a network: two series under the same actions."""
    table = Table(("innovation twice the action", "R² of the action", "of the innovation"))
    s = series(2.0, 0)
    n = NET_ROWS
    # the second series: the same actions, other states, other outside
    Ms = np.linalg.lstsq(s.action, s.after - s.now, rcond=None)[0]
    other = np.arange(n, 2 * n)
    after = s.after[other] + (s.action[:n] - s.action[other]) @ Ms
    scale = s.now.std(axis=0)
    X, Y = (np.vstack(v) / scale for v in ((s.now[:n], s.now[other]), (s.after[:n], after)))
    rows = np.arange(2 * n)
    train, stop, start = rows % 10 < 8, rows % 10 == 8, rows % n == 0
    linear = fit_ridge(X, Y, train, 1e-6)
    labels = np.full((2 * n, ACT), np.nan)
    labels[:n] = s.action[:n]
    for label, given, options in (
        ("nothing done", False, {}),
        ("swap alone", False, {"swap": 1.0}),
        ("representation: what series have in common", False, {"endogenous": True}),
        ("representation: what logged actions reach", True, {"endogenous": True}),
    ):
        parts = Composition.model_validate({"bottleneck": "noisy", "beta": 3e-3, "latents": ACT} | options)
        told = labels if given else labels[:, :0]
        episode = Episode(X, Y, start, train, stop, 1, told, np.roll(rows, n))
        net, _ = train_composed(parts, episode, linear, FitConfig(epochs=40), seed=0)
        z = ComposedLAM.of(net, linear, X, Y, start, train).read(X, Y)[:n]
        table.add(label, *(f"{1 - missed(z, t[:n]):.3f}" for t in (s.action, s.innovation)))
    return Section(
        "The remedies in a network",
        "Two series of 6,000 rows under the same actions, each with an innovation of its own. The network "
        "as above; a swap makes z of one series predict the other, a representation keeps the directions in "
        "which the series move alike, or those that tell a logged action one to four steps later.",
        (table,),
    )


def _transfer() -> Section:
    table = Table(("innovation / action", "z of one series on another", "the right action", "no action"))
    for strength in (0.25, 0.5, 2.0):
        one, two = series(strength, 0), series(strength, 0)
        rng = np.random.default_rng(9)
        lam = fit_closed_form(Moments.of(np.column_stack([one.now, one.after])), CHAN, ACT)
        # the second series: same actions, other states, other outside
        order = rng.permutation(ROWS)
        Ms = np.linalg.lstsq(one.action, one.after - lam.forward.mean(one.now), rcond=None)[0]
        pushed = one.action @ Ms
        rest = (two.after - two.action @ Ms)[order]
        now, after = two.now[order], rest + pushed
        errors = [
            after - lam.predict(now, lam.infer(one.now, one.after)),
            after - lam.forward.mean(now) - pushed,
            after - lam.forward.mean(now),
        ]
        table.add(strength, *(f"{float((e**2).sum(axis=1).mean()):.3f}" for e in errors))
    return Section(
        "Transfer: z read on one series, applied to another",
        "Mean squared error, summed over channels, of the next sample of a second series in which the same "
        "actions were taken from other states and under other outside innovations. The second column knows "
        "the actions. z carries over what it holds of the action, and brings the other series' outside.",
        (table,),
    )
