"""Training: better where the plant bends, never worse where it does not, and honest about what went wrong."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from train_cases import QUICK, Problem, problem

from tslam.config import FitConfig
from tslam.dynamics.forward import LinearForward
from tslam.errors import ConfigError, TrainingError
from tslam.panel import build, columns
from tslam.panel.chain import Structure, chain
from tslam.plants import simulate
from tslam.train.loop import DivergedError, Trained, train_forward


def _train(p: Problem, config: FitConfig = QUICK, seed: int = 0, **settings: object) -> Trained:
    given_ = {"start": p.start, "config": config, "seed": seed, "device": "cpu", **settings}
    return train_forward(p.X, p.Y, p.train, p.stop, **given_)


def test_a_bent_plant_is_predicted_better_than_by_ridge() -> None:
    p = problem()
    done = _train(p)
    assert p.error(done.forward.mean(p.X)) < 0.5 * p.error(p.start.mean(p.X))
    assert done.best_epoch > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_straight_plant_costs_next_to_nothing(seed: int) -> None:
    p = problem(bend=0.0, seed=seed)
    done = _train(p, seed=seed)
    assert p.error(done.forward.mean(p.X)) < 1.02 * p.error(p.start.mean(p.X))


def test_training_stops_where_nothing_is_to_be_learned() -> None:
    p = problem(2000, bend=0.0)
    done = _train(p, QUICK.model_copy(update={"epochs": 200}))
    assert "no progress on the stop rows for 20 epochs" in done.stopped_because
    assert done.best_epoch < done.history[-1].epoch < 200


def test_the_noise_of_each_channel_is_learned() -> None:
    p = problem(rows=1500, noise=0.3)
    done = _train(p)
    left = p.Y - done.forward.mean(p.X)
    np.testing.assert_allclose(done.forward.variance, (left[p.held] ** 2).mean(axis=0), rtol=0.35)


@settings(max_examples=8)
@given(rate=st.floats(1e-5, 30.0), bend=st.sampled_from([0.0, 1.0]), seed=st.integers(0, 99))
def test_the_end_is_never_worse_than_the_linear_start_on_the_stop_rows(
    rate: float, bend: float, seed: int
) -> None:
    p = problem(300, bend=bend, seed=seed)
    config = QUICK.model_copy(update={"learning_rate": rate, "epochs": 25})
    try:
        done = _train(p, config, seed)
    except DivergedError as error:
        done = error.last_good or pytest.fail("the linear start was good")
    best = done.history[done.best_epoch]
    assert best.stop == min(entry.stop for entry in done.history if np.isfinite(entry.stop))
    assert best.stop <= done.history[0].stop
    left = (p.Y - done.forward.mean(p.X))[p.stop]
    variance = done.forward.variance
    again = 0.5 * (np.log(2 * np.pi * variance) + left**2 / variance).mean()
    assert again == pytest.approx(best.stop, abs=1e-4)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    p = problem()
    first, second, other = (_train(p, seed=seed).forward.net.state() for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["first.weight"], other["first.weight"])


def test_nothing_is_drawn_from_the_global_generators() -> None:
    before, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - looked at, not used
    _train(problem(200))
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numbers)  # noqa: NPY002 - looked at, not used


def test_rows_of_neither_kind_are_not_read() -> None:
    p = problem()
    spoilt = p._replace(X=p.X.copy(), Y=p.Y.copy())
    spoilt.X[p.held], spoilt.Y[p.held] = np.nan, np.inf
    plain, other = (_train(q, start=p.start).forward.net.state() for q in (p, spoilt))
    assert all(np.array_equal(plain[name], other[name]) for name in plain)


def test_missing_targets_are_left_out_and_a_channel_without_any_stays_linear() -> None:
    p = problem()
    p.Y[np.random.default_rng(0).random(p.Y.shape) < 0.3] = np.nan
    p.Y[:, 2] = np.nan
    start = LinearForward(np.nan_to_num(p.start.weights), np.nan_to_num(p.start.bias))
    done = _train(p, start=start)
    assert p.error(done.forward.mean(p.X)) < 0.6 * p.error(start.mean(p.X))
    np.testing.assert_allclose(done.forward.mean(p.X)[:, 2], start.mean(p.X)[:, 2], atol=1e-12)


def test_a_channel_that_the_linear_part_explains_exactly_does_no_harm() -> None:
    p = problem()
    p.Y[:, 2] = p.X[:, 0]
    done = _train(p)
    left = (p.Y - done.forward.mean(p.X))[p.held]
    assert np.abs(left[:, 2]).max() < 0.05
    assert p.error(done.forward.mean(p.X)) < 0.6 * p.error(p.start.mean(p.X))


def test_a_simulated_tank_is_predicted_better_than_by_ridge() -> None:
    record = simulate("tank", rows=3000, seed=1)
    from tslam.contract.arguments import from_arguments

    contract, _ = from_arguments(columns(record.frame), **record.roles())
    c = chain(build(record.frame, contract), Structure(lags=4, input_lags=2))
    block = np.arange(c.rows.size) // 75 % 6
    p = Problem(c.X, c.Y, (block < 3) & c.usable, (block == 3) & c.usable, (block > 3) & c.usable)
    done = _train(p, FitConfig(hidden=32, epochs=150, learning_rate=5e-3, batch=256))
    left = [
        np.nanmean((p.Y - mean)[p.held] ** 2, axis=0) for mean in (done.forward.mean(p.X), p.start.mean(p.X))
    ]
    assert np.sort(left[0] / left[1])[1] < 0.6
    assert np.max(left[0] / left[1]) < 1.05


def test_rows_marked_twice_are_refused() -> None:
    p = problem(120)
    with pytest.raises(ConfigError, match="60 rows are marked both train and stop"):
        _train(p._replace(stop=p.train))


@pytest.mark.parametrize("kind", ["train", "stop"])
def test_rows_without_a_target_are_refused(kind: str) -> None:
    p = problem(60)
    start = p.start
    p.Y[getattr(p, kind)] = np.nan
    with pytest.raises(ConfigError, match=f"rows marked {kind}"):
        _train(p, start=start)


def test_values_that_are_not_numbers_are_named() -> None:
    p = problem(60)
    start = p.start
    p.X[0, 3] = np.nan
    with pytest.raises(TrainingError, match="1 rows are not: the largest is 'flow, 2 steps ago' with inf"):
        _train(p, start=start, names=["a", "b", "c", "flow, 2 steps ago", "d"])
    p.X[0, 3] = 0.0
    p.Y[0, 1] = -np.inf
    with pytest.raises(TrainingError, match="Target 1 is infinite in 1 rows"):
        _train(p, start=start)


def test_a_start_that_is_not_finite_names_the_largest_regressor() -> None:
    p = problem(60)
    start = p.start
    p.X[np.flatnonzero(p.stop)[0], 2] = 1e30
    with pytest.raises(
        DivergedError, match=r"epoch 0 .* largest regressor is regressor 2 with 1e\+30"
    ) as info:
        _train(p, start=start)
    assert info.value.last_good is None


def test_one_wild_regressor_spoils_nothing() -> None:
    p = problem()
    deaf = LinearForward(p.start.weights * (np.arange(5) < 4)[:, None], p.start.bias)
    p.X[np.flatnonzero(p.train)[0], 4] = 1e12
    assert p.error(_train(p, start=deaf).forward.mean(p.X)) < 0.5 * p.error(deaf.mean(p.X))


def test_a_run_that_diverges_keeps_the_last_good_model() -> None:
    p = problem(300)
    # the warm-up divides the first step by ten; then every weight moves by about 1e37
    with pytest.raises(DivergedError, match=r"epoch \d+ .* learning rate .* largest regressor") as info:
        _train(p, QUICK.model_copy(update={"learning_rate": 1e38}))
    good = info.value.last_good
    assert good is not None
    assert np.isfinite(good.forward.mean(p.X)).all()
    assert "epoch" in good.stopped_because
    assert p.error(good.forward.mean(p.X)) <= 1.01 * p.error(p.start.mean(p.X))
