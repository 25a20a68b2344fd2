"""A latent earns its place by causal, held-out prediction, and never on a plant that hides nothing."""

import numpy as np
import pytest
from select_cases import data, panel

from tslam import plants
from tslam.audit.gap import LatentInfo
from tslam.config import FitConfig
from tslam.dynamics.lam import LAM
from tslam.select.candidates import Data, fit_held_family, fit_linear_family
from tslam.select.earning import FEWEST_HELD, earned_latents

RIDGE = 1e-5


def judged(record: plants.Record, latents: int = 1) -> tuple[LAM, tuple[LatentInfo, ...], Data]:
    d = data(panel(record))
    lam, infos = earned_latents(fit_held_family(d, FitConfig(), latents).lam, d, record.observations, RIDGE)
    return lam, infos, d


@pytest.mark.parametrize("white", [False, True])
@pytest.mark.parametrize("noise", [0.1, 0.3, 1.0])
def test_none_is_earned_where_nothing_is_hidden(noise: float, *, white: bool) -> None:
    for seed in range(2):
        _, (info,), _ = judged(plants.linear(2000, seed, d=8, noise=noise, white=white))
        assert not info.earned
        assert info.t_value < 1.645


@pytest.mark.parametrize(("noise", "seed"), [(0.1, 0), (0.3, 1), (1.0, 2)])
def test_a_hidden_held_action_earns(noise: float, seed: int) -> None:
    record = plants.linear(3000, seed, noise=noise).drop("action_1")
    _, (info,), _ = judged(record)
    assert info.earned
    assert info.t_value > 3
    assert info.p_value < 0.01
    assert info.gain > 20
    assert info.persistence > 0.9
    assert set(info.channels) & set(record.effects["action_1"])


def test_a_hidden_white_action_is_recovered_and_never_earns() -> None:
    # no past tells the next draw, so that no causal prediction can be better for it
    for seed in range(2):
        _, (info,), _ = judged(plants.linear(2000, seed, noise=0.3, white=True).drop("action_1"))
        assert not info.earned


def test_what_latents_are_worth_adds_up_to_what_all_of_them_are() -> None:
    lam, infos, d = judged(plants.linear(3000, 1, noise=0.3).drop("action_1", "action_2"), latents=3)
    assert [i.name for i in infos] == ["latent_0", "latent_1", "latent_2"]
    assert infos[0].gain > infos[1].gain > infos[2].gain
    c = d.chain
    whole = lam.causal_gain(c.X, c.Y, c.start)[d.held].mean()
    assert 1000 * whole == pytest.approx(sum(i.gain for i in infos))
    assert lam.inverse is not None
    np.testing.assert_array_equal([i.persistence for i in infos], lam.inverse.phi)


@pytest.mark.parametrize(("hidden", "seed"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_as_many_earn_as_are_hidden(hidden: int, seed: int) -> None:
    # a latent that another one could stand in for adds nothing, however much of the level it carries
    record = plants.linear(3000, seed, noise=0.3).drop(*["action_1", "action_2"][:hidden])
    _, infos, _ = judged(record, latents=3)
    assert [i.earned for i in infos] == [k < hidden for k in range(3)]


def test_a_latent_is_worth_what_a_fit_without_it_lacks() -> None:
    record = plants.linear(3000, 1, noise=0.3).drop("action_1", "action_2")
    _, (alone,), _ = judged(record)
    _, (first, second), d = judged(record, latents=2)
    assert first.gain == pytest.approx(alone.gain, rel=0.05)
    whole = fit_held_family(d, FitConfig(), 2).lam.causal_gain(d.chain.X, d.chain.Y, d.chain.start)
    assert second.gain == pytest.approx(1000 * whole[d.held].mean() - alone.gain, rel=0.05)


def test_a_latent_without_memory_has_no_gain_at_all() -> None:
    record = plants.linear(800, 0, d=4).drop("action_1")
    d = data(panel(record))
    _, (info,) = earned_latents(fit_linear_family(d, FitConfig(), 1).lam, d, record.observations, RIDGE)
    assert (info.earned, info.gain, info.t_value, info.persistence) == (False, 0.0, 0.0, 0.0)
    _, infos = earned_latents(fit_linear_family(d, FitConfig(), 2).lam, d, record.observations, RIDGE)
    assert {(i.earned, i.gain, i.t_value) for i in infos} == {(False, 0.0, 0.0)}


def test_without_latents_there_is_nothing_to_judge() -> None:
    record = plants.linear(400, 0, d=3)
    d = data(panel(record))
    lam = fit_linear_family(d, FitConfig(), 0).lam
    assert earned_latents(lam, d, record.observations, RIDGE) == (lam, ())


def test_a_handful_of_rows_earns_nothing() -> None:
    record = plants.linear(2000, 1, noise=0.3).drop("action_1")
    lam, (info,), d = judged(record)
    assert info.earned
    few = d.held & (np.cumsum(d.held) < FEWEST_HELD)
    _, (info,) = earned_latents(lam, Data(d.structure, d.chain, d.train, few), record.observations, RIDGE)
    assert not info.earned
