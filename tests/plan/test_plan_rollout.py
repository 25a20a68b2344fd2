"""Forecasts: right inputs at the right step, frames in and out, intervals that hold."""

from typing import Any, NoReturn

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import tslam
from tslam import errors
from tslam.plants.plant import TIME, Record

HORIZON = 12


@pytest.fixture(scope="module")
def record() -> Record:
    return tslam.plants.simulate("tank", rows=3000, seed=0)


@pytest.fixture(scope="module")
def model(record: Record) -> tslam.LatentActionModel:
    return tslam.fit(record.frame.head(1500), **record.roles(), config="linear", progress=False)


def test_a_rollout_is_the_models_own_prediction_step_after_step(
    record: Record, model: tslam.LatentActionModel
) -> None:
    history, future = record.frame.head(2000), record.frame[2000 : 2000 + HORIZON]
    out = model.rollout(history, HORIZON, actions=future, exog=future, latents="none")
    part = model._fitted.parts[0]
    panel = model._panel(record.frame.head(2000 + HORIZON))
    from tslam.panel.chain import chain

    c = chain(panel, part.structure)
    first = int(np.flatnonzero(c.rows == 1999)[0])
    sd, mean = panel.scaling.obs_sd[0], panel.scaling.obs_mean[0]
    X = c.X[first : first + HORIZON].copy()
    lags, chan = part.structure.lags, len(panel.channels)
    past = X[0, : lags * chan]
    for h in range(HORIZON):
        X[h, : lags * chan] = past
        ahead = part.lam.forward.mean(X[[h]])[0]
        assert np.allclose(out.select(panel.channels)[h].to_numpy()[0], ahead * sd + mean)
        past = np.concatenate([ahead, past[: (lags - 1) * chan]])
    assert out[TIME].equals(future[TIME])


def test_what_is_planned_moves_what_it_drives_and_nothing_before(
    record: Record, model: tslam.LatentActionModel
) -> None:
    history = record.frame.head(2000)
    plain = model.rollout(history, HORIZON)
    now = float(history["valve"][-1])
    later = model.rollout(history, HORIZON, actions={"valve": [now] * 4 + [now + 30] * (HORIZON - 4)})
    change = (later["flow_out"] - plain["flow_out"]).abs().to_numpy()
    assert change[:4].max() < 1e-9
    assert change[4:].min() > 1.0


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_frames_go_back_in_kind(record: Record, model: tslam.LatentActionModel, kind: str) -> None:
    history = record.frame.head(2000)
    given: Any = history.to_pandas() if kind == "pandas" else history.to_arrow()
    out = model.rollout(given, 3)
    assert type(out) is type(given)
    assert pl.DataFrame(out)["level_1"].to_list() == model.rollout(history, 3)["level_1"].to_list()


def test_series_are_forecast_side_by_side(record: Record) -> None:
    fleet = pl.concat(
        tslam.plants.simulate("tank", rows=800, seed=seed).frame.with_columns(unit=pl.lit(f"u{seed}"))
        for seed in range(2)
    )
    model = tslam.fit(fleet, **record.roles(), series="unit", config="linear", progress=False)
    out = model.rollout(fleet, 4, actions={"valve": 60.0})
    alone = model.rollout(fleet.filter(pl.col("unit") == "u1"), 4, actions={"valve": 60.0})
    assert out["unit"].to_list() == ["u0"] * 4 + ["u1"] * 4
    assert np.allclose(out.filter(pl.col("unit") == "u1")["level_1"], alone["level_1"])


def test_an_event_that_was_logged_last_is_not_held() -> None:
    rng = np.random.default_rng(0)
    push = (rng.random(900) < 0.05).astype(float)
    push[-1] = 1.0
    level = np.zeros(900)
    for t in range(899):
        level[t + 1] = 0.9 * level[t] + push[t] + 0.01 * rng.standard_normal()
    frame = pl.DataFrame({TIME: np.arange(900.0), "level": level, "push": push})
    model = tslam.fit(frame, actions={"push": {"kind": "event"}}, time=TIME, config="linear", progress=False)
    out = model.rollout(frame, 10, latents="none")["level"].to_numpy()
    assert out[0] == pytest.approx(0.9 * level[-1] + 1.0, abs=0.05)  # the last one still acts
    assert out[-1] < out[0] / 2


def test_intervals_hold_on_time_that_nothing_was_learnt_from(
    record: Record, model: tslam.LatentActionModel
) -> None:
    later = record.frame[1500:]
    inside = np.zeros(3)
    ends = range(1300, 1490, 7)
    for end in ends:
        history, truth = later.head(end), later[end : end + 10]
        out = model.rollout(history, 10, actions=truth, exog=truth)
        assert out["held"].is_between(0.87, 0.93).all()
        for i, step in enumerate((0, 4, 9)):
            inside[i] += np.mean(
                [truth[c][step] <= out[f"{c}_upper"][step] and truth[c][step] >= out[f"{c}_lower"][step]
                 for c in model._fitted.channels]
            )  # fmt: skip
    assert (np.abs(inside / len(ends) - 0.9) < 0.07).all()


def test_too_few_past_forecasts_give_no_interval(record: Record, model: tslam.LatentActionModel) -> None:
    out = model.rollout(record.frame[1500:1540], 20)
    assert out["level_1"].null_count() == 0
    assert out["level_1_upper"][-1] is None


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"horizon": 0}, errors.ConfigError),
        ({"coverage": 1.0}, errors.ConfigError),
        ({"latents": "frozen"}, errors.ConfigError),
        ({"actions": {"valv": 1.0}}, errors.RoleError),
        ({"actions": {"valve": [1.0, 2.0]}}, errors.FrameError),
        ({"actions": {"inlet_temp": 1.0}}, errors.RoleError),
        ({"actions": {"latent_0": 1.0}}, errors.UnvalidatedLatentError),
    ],
)
def test_what_cannot_be_is_refused(
    record: Record, model: tslam.LatentActionModel, asked: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        model.rollout(record.frame, **({"horizon": HORIZON} | asked))


def test_a_frame_that_does_not_reach_the_horizon_is_refused(
    record: Record, model: tslam.LatentActionModel
) -> None:
    with pytest.raises(errors.FrameError, match="has no value in"):
        model.rollout(record.frame.head(2000), HORIZON, actions=record.frame[2000:2004])


def test_rollouts_and_replays_count_on_one_thread(
    record: Record, model: tslam.LatentActionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def spy(*_: object, **__: object) -> NoReturn:
        threads.append({p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"})
        raise ZeroDivisionError

    for name in ("roll", "replay"):
        monkeypatch.setattr(f"tslam.acting.{name}", spy)
    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(ZeroDivisionError):
            model.rollout(record.frame, HORIZON)
        with pytest.raises(ZeroDivisionError):
            model.replay(record.frame, start=record.frame[TIME][10], actions={})
    assert threads == [{1}, {1}]
