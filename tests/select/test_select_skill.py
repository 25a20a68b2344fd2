"""Skill: what errors come to, how far a forecast may look, and that it looks at nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from select_cases import data, panel

from tslam import plants
from tslam.config import FitConfig
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM
from tslam.panel.chain import Chain
from tslam.select.candidates import fit_held_family, fit_linear_family
from tslam.select.skill import horizon_errors, one_step_skill, skill_of


@pytest.fixture(scope="module")
def record() -> plants.Record:
    return plants.linear(1500, 0, d=4)


def test_skill_is_one_less_the_share_of_the_error() -> None:
    skill = skill_of(np.array([0.1, 2.0, 0.0, np.nan, 0.2]), np.array([0.4, 1.0, 0.0, np.nan, 0.0]))
    np.testing.assert_allclose(skill, [0.75, -1.0, 0.0, 0.0, 0.0])


def test_without_its_actions_a_model_has_less_skill(record: plants.Record) -> None:
    d = data(panel(record))
    lam = fit_linear_family(d, FitConfig(), 0).lam
    skills = one_step_skill(lam, d, record.observations, 1e-5)
    assert [s.channel for s in skills] == list(record.observations)
    driven = {c for a in record.actions for c in record.effects[a]}
    for s in skills:
        assert s.without_actions is not None
        assert s.skill > s.without_actions - 0.01
    assert any(s.skill > (s.without_actions or 0) + 0.1 for s in skills if s.channel in driven)


def test_without_actions_there_is_nothing_to_leave_out(record: plants.Record) -> None:
    bare = record.drop(*record.actions)
    d = data(panel(bare))
    skills = one_step_skill(fit_linear_family(d, FitConfig(), 0).lam, d, record.observations, 1e-5)
    assert {s.without_actions for s in skills} == {None}


def test_one_step_ahead_is_the_one_step_prediction(record: plants.Record) -> None:
    d = data(panel(record.drop("action_1")), lags=2)
    lam = fit_held_family(d, FitConfig(), 1).lam
    c = d.chain
    found = horizon_errors(lam, c, d.held, (1,), 2)[1]
    error = (c.Y - lam.predict(c.X, c.Y, c.start))[d.held]
    np.testing.assert_allclose(found.model, (error**2).mean(axis=0))
    assert found.origins == d.held.sum()


def test_a_forecast_is_its_own_history() -> None:
    """Two lags, a held push and an input: h steps ahead by hand."""
    rng = np.random.default_rng(0)
    n, chan, phi = 40, 2, 0.9
    forward = LinearForward(rng.normal(size=(5, chan)) / 3, rng.normal(size=chan))
    inverse = HeldInverse(rng.normal(size=(chan, 1)), np.eye(chan), np.array([phi]))
    lam = LAM("held", forward, inverse, forward, np.eye(chan))
    series, inputs = rng.normal(size=(n + 2, chan)), rng.normal(size=n)
    X = np.column_stack([series[1 : n + 1], series[:n], inputs])
    start = np.arange(n) == 0
    terms = tuple((str(i), 0) for i in range(5))
    c = Chain(
        np.arange(n), start, np.ones(n, bool), X, series[2:], slice(0, 4), slice(4, 5), slice(5, 5), terms
    )
    path = lam.infer(c.X, c.Y, start, "filtered")
    assert path is not None
    squares = []
    for t in range(n - 2):
        now, before = X[t, :2], X[t, 2:4]
        for h in range(3):
            mean = forward.mean(np.concatenate([now, before, [inputs[t + h]]])[None])[0]
            mean = mean + inverse.B[:, 0] * path.prior[t, 0] * phi**h
            now, before = mean, now
        squares.append((c.Y[t + 2] - now) ** 2)
    found = horizon_errors(lam, c, np.ones(n, bool), (3,), 2)
    assert list(found) == [3]
    np.testing.assert_allclose(found[3].model, np.mean(squares, axis=0))
    np.testing.assert_allclose(found[3].persistence, np.mean((c.Y[2:] - X[: n - 2, :2]) ** 2, axis=0))


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_every_step_of_a_forecast_lies_among_the_rows(seed: int, horizon: int) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    rows, usable, start = rng.random(n) < 0.7, rng.random(n) < 0.9, rng.random(n) < 0.1
    start[0] = True
    forward = LinearForward(np.zeros((1, 1)), np.zeros(1))
    lam = LAM("linear", forward, None, forward, np.eye(1))
    X, Y = rng.normal(size=(n, 1)), rng.normal(size=(n, 1))
    c = Chain(np.arange(n), start, usable, X, Y, slice(0, 1), slice(1, 1), slice(1, 1), (("o", 0),))
    fine = [
        t
        for t in range(n - horizon + 1)
        if (rows & usable)[t : t + horizon].all() and not start[t + 1 : t + horizon].any()
    ]
    found = horizon_errors(lam, c, rows, (horizon,), 1)[horizon]
    assert found.origins == len(fine)
    if fine:
        last = np.array(fine) + horizon - 1
        np.testing.assert_allclose(found.persistence, ((Y[last] - X[fine]) ** 2).mean(axis=0))
