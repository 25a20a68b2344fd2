"""What ``auto`` takes, and what it says of its reasons."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from select_cases import bent, chosen, curled, data, panel, panel_of

from tslam import plants
from tslam.config import FitConfig
from tslam.dynamics.neural import NeuralForward
from tslam.dynamics.products import ProductForward
from tslam.errors import ConfigError, FrameError, TrainingError
from tslam.panel.chain import Structure
from tslam.plants.plant import stamped
from tslam.select import auto, held
from tslam.select.auto import prepare
from tslam.select.candidates import compare, fit_held_family, fit_linear_family


def test_a_clean_linear_plant_with_white_actions_is_linear() -> None:
    choice = chosen(panel(plants.linear(2000, 0, d=5, white=True)))
    assert choice.candidate.lam.family == "linear"
    assert choice.candidate.structure.lags == 1
    said = "\n".join(choice.trace)
    assert "nonlinear not wanted" in said
    assert "Taken: linear with 1 lag and 1 latent" in said


@pytest.mark.parametrize(("noise", "seed"), [(0.1, 0), (0.3, 1), (1.0, 2)])
def test_a_hidden_held_action_is_held(noise: float, seed: int) -> None:
    choice = chosen(panel(plants.linear(3000, seed, noise=noise).drop("action_1")))
    assert choice.candidate.lam.family == "held"
    inverse = choice.candidate.lam.inverse
    assert inverse is not None
    assert inverse.phi[0] > 0.9
    said = next(s for s in choice.trace if s.startswith("Held latents"))
    assert "against linear: +" in said


def test_what_products_tell_is_closed_form() -> None:
    choice = chosen(panel_of(bent(2000, 0), ("a", "b")), hidden=16, epochs=25)
    assert choice.candidate.lam.family == "held"
    assert isinstance(choice.candidate.lam.forward, ProductForward)
    said = "\n".join(choice.trace)
    assert "nonlinear wanted" in said
    assert "products of signals, against linear: +" in said


def test_where_products_help_a_network_is_tried() -> None:
    choice = chosen(panel_of(curled(2000, 0), ("a", "b")), hidden=16, epochs=20)
    assert any(s.startswith("Neural against ") for s in choice.trace)
    assert {"lags", "train_nll", "stop_nll"} <= set(choice.history)


def test_a_neural_model_where_it_is_asked_for() -> None:
    choice = chosen(panel_of(curled(2000, 0), ("a", "b")), family="neural", hidden=16, epochs=20)
    assert isinstance(choice.candidate.lam.forward, NeuralForward)


def test_more_latents_are_taken_where_more_is_hidden() -> None:
    record = plants.linear(4000, 0, d=8, noise=0.2).drop("action_0", "action_1")
    assert chosen(panel(record)).candidate.lam.latents >= 2
    assert chosen(panel(record), latents=1).candidate.lam.latents == 1
    assert chosen(panel(record), max_latents=1).candidate.lam.latents == 1


@pytest.mark.parametrize("family", ["linear", "held", "neural"])
def test_a_configured_family_is_taken_whatever_the_evidence(family: str) -> None:
    p = panel(plants.linear(600, 0, d=3))
    assert chosen(p, family=family, epochs=2, hidden=4).candidate.lam.family == family


def test_lags_are_the_fewest_that_will_do() -> None:
    rng = np.random.default_rng(0)
    o = np.zeros(3000)
    for t in range(3, 3000):
        o[t] = 0.5 * o[t - 1] - 0.6 * o[t - 3] + 0.1 * rng.normal()
    p = panel_of(stamped({"o": o, "a": rng.normal(size=3000)}, 1.0), ("a",))
    choice = chosen(p, family="linear")
    assert choice.candidate.structure.lags == 3
    assert choice.trace[0].startswith("3 lags of [1, 2, 3, 4, 6]: held-out log-score")
    assert chosen(p, family="linear", max_lags=2).candidate.structure.lags <= 2
    assert chosen(p, family="linear", lags=5).candidate.structure.lags == 5


def test_lags_that_few_segments_are_long_enough_for_are_not_tried() -> None:
    frame = plants.linear(2000, 0, d=3).frame.filter(pl.int_range(pl.len()) % 25 < 10)
    choice = chosen(panel_of(frame, ("action_0", "action_1", "action_2"), ("exog_0",)), max_gap=3)
    assert "lag of [1]" in choice.trace[0] or "lags of [1, 2]" in choice.trace[0]


def test_every_structure_holds_out_the_same_rows() -> None:
    p = panel(plants.linear(600, 0, d=3))
    find = prepare(p, FitConfig())
    one, six = find(Structure(1)), find(Structure(6, 2, frozenset({"exog_0"})))
    np.testing.assert_array_equal(one.chain.rows, six.chain.rows)
    both = one.chain.usable & six.chain.usable
    np.testing.assert_array_equal(one.held[both], six.held[both])
    np.testing.assert_array_equal(one.train[both], six.train[both])
    assert not (one.train & one.held).any()


def test_no_training_window_reaches_into_what_is_held_out() -> None:
    d = data(panel(plants.linear(600, 0, d=3)), lags=6)
    held = d.chain.rows[d.held]
    for t in d.chain.rows[d.train]:
        assert not np.isin(np.arange(t - 5, t + 2), held + 1).any()


def test_too_few_held_out_rows_decide_nothing() -> None:
    choice = chosen(panel(plants.linear(120, 0, d=3).drop("action_1")))
    assert choice.candidate.lam.family == "linear"
    assert choice.candidate.structure.lags == 1
    assert "fewer than 50, cannot tell candidates apart" in choice.trace[0]


def test_more_regressors_than_rows_are_told() -> None:
    choice = chosen(panel(plants.linear(200, 0)), family="linear", lags=12)
    assert any("expect little of this model" in s for s in choice.trace)


class TestRefusals:
    """What selection cannot work with, said before anything is fitted."""

    def test_more_latents_than_channels(self) -> None:
        with pytest.raises(ConfigError, match=r"4 latents were asked for and there are 3 observations"):
            chosen(panel(plants.linear(300, 0, d=3)), latents=4)

    def test_nothing_that_varies(self) -> None:
        rng = np.random.default_rng(0)
        frame = stamped({"o": np.full(100, 3.0), "a": rng.normal(size=100)}, 1.0)
        with pytest.raises(FrameError, match="No observation ever varies") as told:
            chosen(panel_of(frame, ("a",)))
        assert "['o']" in str(told.value)

    def test_lags_longer_than_the_segments(self) -> None:
        frame = plants.linear(900, 0, d=3).frame.filter(pl.int_range(pl.len()) % 30 < 12)
        p = panel_of(frame, ("action_0", "action_1", "action_2"), ("exog_0",))
        with pytest.raises(FrameError, match="With 16 lags, 0 transitions") as told:
            chosen(p, family="linear", lags=16)
        assert "fewer lags" in str(told.value)


class TestUnfittable:
    """A family that cannot be fitted ends a fit only where somebody insists on it."""

    def fail(self, *_: object, **__: object) -> None:
        raise TrainingError("no finite numbers")

    def test_auto_goes_on_without_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(held, "fit_held_family", self.fail)
        monkeypatch.setattr(auto, "fit_neural_family", self.fail)
        choice = chosen(panel_of(bent(800, 0), ("a", "b")))
        assert choice.candidate.lam.family == "linear"
        said = "\n".join(choice.trace)
        assert "The held family could not be fitted: no finite numbers" in said
        assert "The neural family could not be fitted: no finite numbers" in said

    @pytest.mark.parametrize("family", ["held", "neural"])
    def test_who_asks_for_it_is_told(self, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr({"held": held, "neural": auto}[family], f"fit_{family}_family", self.fail)
        with pytest.raises(TrainingError, match="no finite numbers"):
            chosen(panel(plants.linear(300, 0, d=3)), family=family)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_candidates_are_compared_on_held_out_rows_alone(seed: int) -> None:
    d = data(panel(plants.linear(400, seed % 50, d=3)))
    c = fit_linear_family(d, FitConfig(), 1)
    assert (np.isfinite(c.score) == d.held).all()
    better = fit_held_family(d, FitConfig(iterations=10), 1)
    assert compare(better, c).mean == pytest.approx(better.mean - c.mean)
    assert compare(c, c).t == 0.0
