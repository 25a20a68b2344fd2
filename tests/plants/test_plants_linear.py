"""The linear plant keeps its equation, and its shares are those that a long history shows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tslam.errors import ConfigError, RoleError
from tslam.plants import LinearShares, LinearTruth, Record, linear, linear_shares, tank

PARTS = ("history", "actions", "exogenous", "latents", "unexplained")


def _truth(record: Record) -> LinearTruth:
    assert isinstance(record.truth, LinearTruth)
    return record.truth


def _columns(record: Record, names: tuple[str, ...]) -> np.ndarray:
    return np.column_stack([np.empty((record.truth.frame.height, 0)), *record.truth.frame.select(names)])


def test_the_next_row_follows_from_the_matrices_but_for_white_noise() -> None:
    record = linear(rows=20_000, seed=1, exog=2)
    truth = _truth(record)
    o, a, x = (_columns(record, names) for names in (record.observations, record.actions, record.exogenous))
    e = o[1:] - o[:-1] @ truth.A.T - a[:-1] @ truth.B.T - x[:-1] @ truth.E.T
    np.testing.assert_allclose(e.std(axis=0), truth.noise, rtol=0.03)
    assert np.abs((e[1:] * e[:-1]).mean(axis=0)).max() < 0.03 * truth.noise**2
    correlation = np.corrcoef(np.hstack([e, o[:-1], a[:-1], x[:-1]]).T)[: len(e.T), len(e.T) :]
    assert np.abs(correlation).max() < 0.04
    assert 0.86 < np.abs(np.linalg.eigvals(truth.A)).max() < 0.94
    np.testing.assert_allclose(np.linalg.norm(truth.B, axis=0), 1.0)


def test_effects_are_the_nonzeros_of_the_matrix() -> None:
    record = linear(rows=10, seed=7, d=9, actions=2)
    for j, action in enumerate(record.actions):
        rows = np.flatnonzero(_truth(record).B[:, j])
        assert len(rows) == 2
        assert record.effects[action] == tuple(record.observations[i] for i in rows)


@pytest.mark.parametrize(("dwell", "white"), [(20.0, False), (50.0, True)])
def test_actions_are_held_and_drawn_anew(dwell: float, white: bool) -> None:
    record = linear(rows=60_000, seed=0, d=2, actions=4, dwell=dwell, white=white)
    kept = 0.0 if white else 1.0 - 1.0 / dwell
    acts = _columns(record, record.actions)
    for lag in (0, 1, 5):
        products = (acts[lag:] * acts[: len(acts) - lag]).mean()
        assert abs(products - kept**lag) < 0.05
    moved = np.array([len(rows) for rows in record.moves.values()]) / 60_000
    np.testing.assert_allclose(moved, 1.0 - kept, rtol=0.08)


def test_a_typical_move_stands_out_of_the_noise() -> None:
    record = linear(rows=6000, seed=0)
    truth = _truth(record)
    for j, action in enumerate(record.actions):
        column = record.frame[action].to_numpy()
        typical = np.median(np.abs(np.diff(column)[record.moves[action] - 1]))
        assert typical * np.abs(truth.B[:, j]).max() / truth.noise >= 2.0


def _measured(record: Record, hidden: tuple[str, ...], lags: int) -> dict[str, np.ndarray]:
    """Shares of a history by least squares."""
    o = _columns(record, record.observations)
    rows = np.arange(lags - 1, len(o) - 1)
    past = np.hstack([o[rows - lag] for lag in range(lags)])
    a, x, z = (
        _columns(record, names)[rows]
        for names in (
            tuple(n for n in record.actions if n not in hidden),
            tuple(n for n in record.exogenous if n not in hidden),
            hidden,
        )
    )
    whole = np.mean((o[rows + 1] - o[rows]) ** 2, axis=0)

    def error(*given: np.ndarray) -> np.ndarray:
        X, Y = np.hstack([past, *given]), o[rows + 1]
        left = Y - X @ np.linalg.solve(X.T @ X, X.T @ Y)
        return np.mean(left**2, axis=0) / whole

    h, ha, hx, hax, full = error(), error(a), error(x), error(a, x), error(a, x, z)
    return {
        "history": 1 - h,
        "actions": 0.5 * (h - ha + hx - hax),
        "exogenous": 0.5 * (h - hx + ha - hax),
        "latents": hax - full,
        "unexplained": full,
    }


@pytest.mark.parametrize(
    ("options", "hidden", "lags"),
    [
        ({}, "action_1", 1),
        ({"exog": 2}, None, 1),
        ({"d": 6, "noise": 0.5, "sensor": 0.2, "dwell": 20.0}, "action_0", 3),
        ({"d": 8, "white": True}, "action_2", 2),
        ({"d": 5, "exog": 2}, "exog_1", 1),
    ],
)
def test_shares_are_those_of_a_long_history(options: dict, hidden: str | None, lags: int) -> None:
    record = linear(rows=400_000, seed=11, **options)
    exact = linear_shares(record, hidden, lags)
    seen = _measured(record, () if hidden is None else (hidden,), lags)
    for part in PARTS:
        np.testing.assert_allclose(getattr(exact, part), seen[part], atol=0.012, err_msg=part)
    assert exact.channels == record.observations


def _stack(shares: LinearShares) -> np.ndarray:
    return np.array([getattr(shares, part) for part in PARTS])


@settings(max_examples=15)
@given(
    seed=st.integers(0, 1000),
    lags=st.integers(1, 4),
    d=st.integers(1, 8),
    actions=st.integers(1, 3),
    exog=st.integers(0, 2),
    dwell=st.floats(1.0, 500.0),
    sensor=st.sampled_from([0.0, 0.3]),
)
def test_shares_are_shares(seed: int, lags: int, **options: Any) -> None:
    record = linear(2, seed, **options)
    parts = _stack(linear_shares(record, "action_0", lags))
    np.testing.assert_allclose(parts.sum(axis=0), 1.0, atol=1e-9)
    assert parts.min() > -1e-9
    longer = linear_shares(record, "action_0", lags + 1)
    assert (longer.history >= parts[0] - 1e-9).all()


def test_what_nobody_hides_leaves_only_the_noise() -> None:
    record = linear(rows=2, seed=3)
    open_book = linear_shares(record)
    np.testing.assert_allclose(open_book.latents, 0.0)
    closed = linear_shares(record, "action_2")
    np.testing.assert_allclose(closed.unexplained, open_book.unexplained)
    assert closed.latents.max() > 0.02


def test_a_record_hides_what_it_dropped() -> None:
    record = linear(rows=2, seed=3)
    by_name = linear_shares(_truth(record), "action_2", lags=2)
    np.testing.assert_array_equal(_stack(linear_shares(record.drop("action_2"), lags=2)), _stack(by_name))
    both = linear_shares(record.drop("action_2"), "action_0", lags=2)
    assert (both.latents >= by_name.latents - 1e-9).all()


def test_a_plant_out_of_range_is_refused_with_the_next_step() -> None:
    for options in ({"d": 0}, {"actions": 0}, {"exog": -1}):
        with pytest.raises(ConfigError, match="d >= 1"):
            linear(10, **options)
    for options in ({"dwell": 0.5}, {"noise": -1.0}, {"sensor": -0.1}):
        with pytest.raises(ConfigError, match="dwell >= 1"):
            linear(10, **options)


def test_shares_need_a_linear_plant_a_known_input_and_a_sample() -> None:
    with pytest.raises(ConfigError, match="plant 'linear'"):
        linear_shares(tank(10))
    with pytest.raises(RoleError, match=r"hidden input.*Did you mean 'action_1'"):
        linear_shares(linear(10), "acton_1")
    with pytest.raises(ConfigError, match="lags >= 1"):
        linear_shares(linear(10), lags=0)
