"""Composed networks: stages, swaps, shifts, consistency and representation do what they are for."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tslam.config import FitConfig
from tslam.diagnose.llo import missed
from tslam.dynamics import objectives
from tslam.dynamics.composed import ComposedNet, Transition
from tslam.dynamics.composed_lam import ComposedLAM
from tslam.dynamics.composition import Composition
from tslam.dynamics.forward import fit_ridge
from tslam.errors import ConfigError
from tslam.train import composed
from tslam.train.composed import ComposedDivergedError, train_composed
from tslam.train.episode import Episode, endogenous

ROWS, CHAN = 1500, 6
CONFIG = FitConfig(hidden=32, epochs=30)


class World:
    """Two series under the same actions, one logged (G), one not (B); each has an outside (M) of its own."""

    def __init__(self, *, outside: float = 0.1, logged: float = 0.0) -> None:
        rng = np.random.default_rng(0)
        self.B, self.G, self.M = np.linalg.qr(rng.normal(size=(CHAN, 3)))[0].T
        n = 2 * ROWS
        self.hidden, self.told = (np.tile(rng.choice([-1.0, 0.0, 1.0], ROWS), 2) for _ in range(2))
        self.wind = outside * rng.normal(size=n)
        self.X = rng.normal(size=(n, CHAN))
        self.Y = 0.8 * self.X + np.outer(self.hidden, self.B) + logged * np.outer(self.told, self.G)
        self.Y += np.outer(self.wind, self.M) + 0.05 * rng.normal(size=(n, CHAN))
        rows = np.arange(n)
        self.episode = Episode(
            self.X, self.Y, rows % ROWS == 0, rows % 10 < 6, rows % 10 == 7, 1,
            np.full((n, 1), np.nan), np.roll(rows, ROWS),
        )  # fmt: skip
        self.held = rows % 10 == 9

    def latents(self, parts: Composition, episode: Episode | None = None) -> tuple[ComposedNet, np.ndarray]:
        """A trained net and its latents, as it gives them."""
        e = episode or self.episode
        linear = fit_ridge(e.X, e.Y, e.train, 1e-5)
        net, _ = train_composed(parts, e, linear, CONFIG, seed=0)
        x, y = torch.tensor(e.X), torch.tensor(e.Y)
        with torch.inference_mode():
            z = net.infer(Transition(x, y, y, torch.ones(len(x), 1) / parts.horizon)).z
        return net, z.double().numpy()


def _missed(w: World, z: np.ndarray, what: np.ndarray) -> float:
    return missed(z[w.held], what[w.held, None])


def test_what_is_known_explains_first_is_frozen_and_the_rest_is_learnt_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    w = World(logged=1.0)
    begun: list[dict[str, torch.Tensor]] = []
    begin = ComposedNet.begin

    def noted(net: ComposedNet, stage: int) -> None:
        begun.append({k: v.clone() for k, v in net.state_dict().items()})
        begin(net, stage)

    monkeypatch.setattr(ComposedNet, "begin", noted)
    parts = Composition(bottleneck="vq", codes=8, latents=2, staged=True, actions=20.0)
    net, z = w.latents(parts, replace(w.episode, labels=w.told[:, None]))
    assert len(begun) == 2
    assert _missed(w, z[:, :1], w.told) < 0.2
    assert _missed(w, z[:, :1], w.hidden) > 0.5
    assert _missed(w, z, w.hidden) < 0.2
    after = net.state_dict()
    first = [k for k in after if k.split(".")[0] in {"idm", "squeeze"}]
    assert first
    assert all(torch.equal(after[k], begun[1][k]) for k in first)
    assert any(not torch.equal(begun[0][k], begun[1][k]) for k in first)
    again = ComposedLAM.of(
        net, fit_ridge(w.X, w.Y, w.episode.train, 1e-5), w.X, w.Y, w.episode.start, w.episode.train
    )
    codes = again.codes(w.X, w.Y)
    assert codes is not None
    assert codes.shape[1] == 2


def test_a_swap_across_series_keeps_the_outside_out_of_a_network() -> None:
    w = World(outside=2.0)
    _, own = w.latents(Composition(latents=1))
    _, swapped = w.latents(Composition(latents=1, swap=1.0))
    assert _missed(w, own, w.wind) < 0.2
    assert _missed(w, swapped, w.wind) > 0.9
    assert _missed(w, swapped, w.hidden) < 0.3 < _missed(w, own, w.hidden)


@pytest.mark.parametrize("by", ["labels", "series"])
def test_an_endogenous_representation_keeps_what_actions_reach_and_drops_the_outside(by: str) -> None:
    w = World(outside=2.0)
    e = replace(w.episode, labels=w.hidden[:, None]) if by == "labels" else w.episode
    phi = endogenous(e, 1)
    assert np.linalg.norm(phi @ w.M) < 0.15
    assert np.linalg.norm(phi @ w.B) > 0.9
    _, z = w.latents(Composition(latents=1, endogenous=True), e)
    assert _missed(w, z, w.wind) > 0.9
    assert _missed(w, z, w.hidden) < 0.2


def test_a_representation_of_nothing_is_refused() -> None:
    w = World()
    rng = np.random.default_rng(1)
    alone = np.full(2 * ROWS, -1)
    with pytest.raises(ConfigError, match="there is neither"):
        w.latents(Composition(endogenous=True), replace(w.episode, partner=alone))
    with pytest.raises(ConfigError, match="needs at least two"):
        w.latents(Composition(swap=1.0), replace(w.episode, partner=alone))
    with pytest.raises(ConfigError, match="No logged action can be told"):
        endogenous(replace(w.episode, labels=rng.normal(size=(2 * ROWS, 1))), 1)
    with pytest.raises(ConfigError, match="alike in no direction"):
        endogenous(replace(w.episode, partner=rng.permutation(2 * ROWS)), 1)
    with pytest.raises(ConfigError, match="labels for no row"):
        w.latents(Composition(actions=1.0))


def _net(parts: Composition) -> tuple[ComposedNet, Transition]:
    w = World()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        linear = fit_ridge(w.X, w.Y, w.episode.train, 1e-5)
        spec = composed.NetSpec(CHAN, CHAN, 1, 0, 2, 8)
        net = ComposedNet.starting_at(parts, spec, linear, w.X, w.Y)
    x, y = torch.tensor(w.X[:64]), torch.tensor(w.Y[:64])
    return net.train(), Transition(x, y, y, torch.ones(64, 1))


@pytest.mark.parametrize("how", ["shared", "independent"])
def test_shifts_are_those_that_were_asked_for(how: objectives.Augmented) -> None:
    net, t = _net(Composition(augmentation=0.5))
    with torch.random.fork_rng():
        moved = objectives._shifted(net, t, how)
    now, after = moved.X - t.X, moved.Y - t.Y
    assert float(now.abs().mean()) > 0.01
    assert torch.allclose(now, after) == (how == "shared")
    assert torch.allclose(moved.ahead - t.ahead, after) == (how == "shared")


SWAPPED = (tuple(range(CHAN)), (1, 0, *range(2, CHAN)))
"""The first two channels may change places."""


def test_orders_are_drawn_alike_for_all_samples_and_anew_for_the_forward_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, t = _net(Composition(symmetries=SWAPPED))
    t = t._replace(ahead=t.Y + 1)
    read: list[Transition] = []
    told: list[torch.Tensor] = []
    infer, correction = net.infer, net.correction
    monkeypatch.setattr(net, "infer", lambda t: (read.append(t), infer(t))[1])
    monkeypatch.setattr(net, "correction", lambda X, z: (told.append(X), correction(X, z))[1])
    with torch.random.fork_rng():
        objectives.objective(net, t)
    (seen,), (X,) = read, told
    swapped = [(v[:, 0] == t.X[:, 1]) & (v[:, 1] == t.X[:, 0]) for v in (seen.X, X)]
    for v, which in zip((seen.X, X), swapped, strict=True):
        assert 10 < int(which.sum()) < 54
        assert torch.equal(v[~which], t.X[~which])
        assert torch.equal(v[:, 2:], t.X[:, 2:])
    which = swapped[0][:, None]
    assert torch.equal(seen.Y, torch.where(which, t.Y[:, SWAPPED[1]], t.Y))
    assert torch.equal(seen.ahead, torch.where(which, t.ahead[:, SWAPPED[1]], t.ahead))
    assert 10 < int((swapped[0] != swapped[1]).sum()) < 54


def test_past_samples_change_places_too_and_logged_inputs_do_not() -> None:
    net, t = _net(Composition(symmetries=SWAPPED))
    longer = t._replace(X=torch.cat([t.X, t.X + 1, t.X[:, :2] + 2], dim=1))
    net.spec = replace(net.spec, lags=2)
    with torch.random.fork_rng():
        X = objectives._reordered(net, longer).X
    which = X[:, 0] != t.X[:, 0]
    assert which.any()
    assert torch.equal(X[which, CHAN], t.X[which, 1] + 1)
    assert torch.equal(X[:, 2 * CHAN :], t.X[:, :2] + 2)


def test_what_hangs_on_a_place_is_not_read_where_places_may_change() -> None:
    w = World(outside=0.0)
    rng = np.random.default_rng(1)
    w.X[:, :2] = 0.0
    light = 2.0 * rng.normal(size=len(w.X))
    w.Y[:, :2] = np.outer(light, [1.0, -1.0])
    action = w.hidden * w.B[2:].max()
    x, y = (torch.tensor(v[:, SWAPPED[1]]) for v in (w.X, w.Y))

    def latents(parts: Composition) -> tuple[np.ndarray, np.ndarray]:
        net, z = w.latents(parts)
        with torch.inference_mode():
            other = net.infer(Transition(x, y, y, torch.ones(len(x), 1))).z.double().numpy()
        return z, other

    own, other = latents(Composition(latents=1, one_unit=True))
    assert _missed(w, own, light) < 0.2
    assert np.square(own - other).mean() > own.var()
    own, other = latents(Composition(latents=1, one_unit=True, symmetries=SWAPPED))
    assert _missed(w, own, light) > 0.9
    assert _missed(w, own, action) < 0.2
    assert np.square(own - other).mean() < 0.1 * own.var()


def test_channels_that_change_places_are_counted_in_one_unit_and_all_where_it_is_asked_for() -> None:
    own = _net(Composition())[0].scale
    some = _net(Composition(symmetries=SWAPPED))[0].scale
    one = _net(Composition(one_unit=True))[0].scale
    assert torch.allclose(some[:2], own[:2].square().mean().sqrt().expand(2))
    assert torch.equal(some[2:], own[2:])
    assert torch.allclose(one, own.square().mean().sqrt().expand(CHAN))


def test_orders_that_are_no_symmetries_are_refused() -> None:
    w = World()
    for orders, message in (
        (((0, 1, 2), (0, 2, 1)), "no order of 6 observations"),
        (((0, 0, *range(2, CHAN)),), "no order of 6 observations"),
        (SWAPPED[1:], "one after the other"),
    ):
        with pytest.raises(ConfigError, match=message):
            w.latents(Composition(symmetries=orders))


def test_a_latent_that_hangs_on_its_place_pays_for_inconsistency() -> None:
    net, t = _net(Composition())
    with torch.no_grad(), torch.random.fork_rng():
        for p in (*net.idm.parameters(), *net.decoder.parameters()):
            p.zero_()
        z = torch.randn(64, 2)
        place = float(objectives._read_again(net, t, z))
        plain = float(objectives.objective(net, t))
        net.parts = Composition(consistency=1.0)
        net.idm[-1].bias.fill_(0.5)
        steady = float(objectives._read_again(net, t, net.infer(t).z))
    assert place > 0.5
    assert steady == 0.0
    assert math.isfinite(plain)


def test_consistency_makes_the_same_latent_readable_elsewhere() -> None:
    w = World()
    parts = Composition(latents=4)

    def away(parts: Composition) -> float:
        net, z = w.latents(parts)
        x = torch.tensor(w.X)
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(0)
            y = torch.tensor(w.Y)
            t = Transition(x, y, y, torch.ones(len(x), 1))
            return float(objectives._read_again(net, t, torch.tensor(z).float()))

    assert away(parts.model_copy(update={"consistency": 1.0})) < 0.5 * away(parts)


def test_a_loss_that_is_no_number_keeps_the_best_network_before(monkeypatch: pytest.MonkeyPatch) -> None:
    w = World()
    advance = composed._Run.advance

    def broken(run: composed._Run) -> bool:
        if len(run.history) == 3:
            with torch.no_grad():
                run.net.direct.weight.fill_(math.nan)
        return advance(run)

    monkeypatch.setattr(composed._Run, "advance", broken)
    with pytest.raises(ComposedDivergedError, match=r"epoch 4 .* largest regressor") as caught:
        w.latents(Composition(latents=2))
    good = caught.value.last_good
    assert good is not None
    assert all(torch.isfinite(v).all() for v in good.state_dict().values())
