"""Observations are scaled by series, inputs over all; nothing measured is lost."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.panel import Scaling
from tslam.panel.scale import adopt, apply, estimate

NAN = float("nan")


def _arrays(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    series = np.sort(rng.integers(0, 3, rows))
    obs = rng.normal(size=(rows, 2)) * 10.0 ** rng.integers(-3, 6, 2) + 10.0 ** rng.integers(-3, 6, 2)
    obs[rng.random(obs.shape) < 0.2] = NAN
    return obs, rng.normal(3, 2, (rows, 1)), rng.normal(size=(rows, 0)), series


@given(seed=st.integers(0, 10**6), rows=st.integers(30, 80))
def test_scaled_observations_have_mean_0_and_sd_1_in_each_series_and_scale_back(seed: int, rows: int) -> None:
    obs, actions, exog, series = _arrays(seed, rows)
    scaling = estimate(obs, actions, exog, series, ("a", "b", "c"))
    scaled, inputs = obs.copy(), actions.copy()
    apply(scaling, scaled, inputs, exog, series)
    for code in range(3):
        for channel in scaled[series == code].T:
            known = channel[np.isfinite(channel)]
            if known.size > 1:
                assert abs(known.mean()) < 1e-6
                assert known.std() == pytest.approx(1, abs=1e-6)
    assert inputs.mean() == pytest.approx(0, abs=1e-9)
    assert inputs.std() == pytest.approx(1)
    back = scaled * scaling.obs_sd[series] + scaling.obs_mean[series]
    np.testing.assert_allclose(back, obs, rtol=1e-9, atol=1e-9 * np.nanmax(np.abs(obs)))


def test_what_does_not_vary_becomes_exact_zeros_and_what_is_absent_takes_the_pooled_moments() -> None:
    obs = np.array([[0.1, 1.0], [0.1, 3.0], [0.1, NAN], [5.0, NAN]])
    actions = np.array([[NAN, 7e9], [NAN, 7e9], [NAN, 7e9], [NAN, NAN]])
    series = np.array([0, 0, 0, 1])
    scaling = estimate(obs, actions, np.zeros((4, 0)), series, ("a", "b", "none"))
    apply(scaling, obs, actions, np.zeros((4, 0)), series)
    np.testing.assert_array_equal(obs, [[0, -1], [0, 1], [0, NAN], [0, NAN]])
    np.testing.assert_array_equal(actions, [[NAN, 0], [NAN, 0], [NAN, 0], [NAN, NAN]])
    assert scaling.obs_mean[1, 1] == 2
    np.testing.assert_array_equal(scaling.act_sd, [1, 1])
    np.testing.assert_allclose(scaling.obs_mean[2], [1.325, 2])


def test_noise_of_rounding_is_no_variation() -> None:
    obs = np.nextafter(7e9, [[8e9], [7e9], [8e9]])
    scaling = estimate(obs, np.zeros((3, 0)), np.zeros((3, 0)), np.zeros(3, int), ("a",))
    assert scaling.obs_sd[0, 0] == 1


def test_huge_values_do_not_overflow() -> None:
    obs = np.array([[1e200], [3e200]])
    scaling = estimate(obs, np.zeros((2, 0)), np.zeros((2, 0)), np.zeros(2, int), ("a",))
    assert scaling.obs_sd[0, 0] == pytest.approx(1e200)


@given(seed=st.integers(0, 10**6))
def test_a_scaling_survives_json_exactly(seed: int) -> None:
    obs, actions, exog, series = _arrays(seed, 40)
    scaling = estimate(obs, actions, exog, series, ("a", "b", "c"))
    again = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    assert again.series == scaling.series
    for name in ("obs_mean", "obs_sd", "act_mean", "act_sd", "exog_mean", "exog_sd"):
        np.testing.assert_array_equal(getattr(again, name), getattr(scaling, name))
        assert getattr(again, name).shape == getattr(scaling, name).shape


def test_known_series_take_the_fitted_moments_and_new_ones_keep_theirs() -> None:
    def scaling(names: tuple[str, ...], value: float) -> Scaling:
        rows = np.full((len(names), 1), value) * np.arange(1, len(names) + 1)[:, None]
        return Scaling(names, rows, rows, *(np.full(1, value) for _ in range(4)))

    merged, unknown = adopt(scaling(("b", "c", "d"), 10.0), scaling(("a", "b", "c"), 1.0))
    assert merged.series == ("b", "c", "d")
    assert unknown == ("d",)
    np.testing.assert_array_equal(merged.obs_mean[:, 0], [2, 3, 30])
    assert merged.act_mean[0] == 1
