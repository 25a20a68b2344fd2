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
