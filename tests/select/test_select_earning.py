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


def judged(record: plants.Record, latents: int = 1) -> tuple[LAM, tuple[LatentInfo, ...], Data]:
    d = data(panel(record))
    lam, infos = earned_latents(fit_held_family(d, FitConfig(), latents).lam, d, record.observations)
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


def test_the_strongest_comes_first() -> None:
    lam, infos, d = judged(plants.linear(3000, 1, noise=0.3).drop("action_1", "action_2"), latents=2)
    assert [i.name for i in infos] == ["latent_0", "latent_1"]
    assert infos[0].t_value >= infos[1].t_value
    assert infos[0].earned
    assert lam.inverse is not None
    c = d.chain
    whole = lam.causal_gain(c.X, c.Y, c.start)[d.held].mean()
    assert 1000 * whole >= max(i.gain for i in infos)
    np.testing.assert_array_equal([i.persistence for i in infos], lam.inverse.phi)


def test_a_latent_without_memory_has_no_gain_at_all() -> None:
    record = plants.linear(800, 0, d=4).drop("action_1")
    d = data(panel(record))
    _, (info,) = earned_latents(fit_linear_family(d, FitConfig(), 1).lam, d, record.observations)
    assert (info.earned, info.gain, info.t_value, info.persistence) == (False, 0.0, 0.0, 0.0)


def test_without_latents_there_is_nothing_to_judge() -> None:
    record = plants.linear(400, 0, d=3)
    d = data(panel(record))
    lam = fit_linear_family(d, FitConfig(), 0).lam
    assert earned_latents(lam, d, record.observations) == (lam, ())


def test_a_handful_of_rows_earns_nothing() -> None:
    record = plants.linear(2000, 1, noise=0.3).drop("action_1")
    lam, (info,), d = judged(record)
    assert info.earned
    few = d.held & (np.cumsum(d.held) < FEWEST_HELD)
    _, (info,) = earned_latents(lam, Data(d.structure, d.chain, d.train, few), record.observations)
    assert not info.earned
