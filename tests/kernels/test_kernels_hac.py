"""The test of a mean under serial correlation, against statsmodels and against its own size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.kernels.hac import mean_test


def autoregressive(n: int, phi: float, seed: int) -> np.ndarray:
    """A stationary AR(1) series of mean 0."""
    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=n)
    values = np.empty(n)
    values[0] = shocks[0] / np.sqrt(1 - phi**2)
    for t in range(1, n):
        values[t] = phi * values[t - 1] + shocks[t]
    return values


@given(st.integers(10, 300), st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_statsmodels_says_the_same(n: int, bandwidth: int, seed: int) -> None:
    from statsmodels.regression.linear_model import OLS

    bandwidth = min(bandwidth, n // 2)
    values = 0.3 + autoregressive(n, 0.6, seed)
    fit = OLS(values, np.ones(n)).fit(
        cov_type="HAC", cov_kwds={"maxlags": bandwidth, "use_correction": False}
    )
    mine = mean_test(values, bandwidth)
    assert mine.mean == pytest.approx(fit.params[0], rel=1e-8)
    assert mine.error == pytest.approx(fit.bse[0], rel=1e-8)
    assert mine.t == pytest.approx(fit.tvalues[0], rel=1e-8)
    one_sided = fit.pvalues[0] / 2 if mine.t > 0 else 1 - fit.pvalues[0] / 2
    assert mine.p == pytest.approx(one_sided, rel=1e-6, abs=1e-12)


def test_the_rule_of_newey_and_west_sets_the_bandwidth() -> None:
    values = autoregressive(1000, 0.5, 0)
    assert mean_test(values) == mean_test(values, 6)


@given(st.integers(0, 2**32 - 1))
def test_what_is_missing_is_left_out(seed: int) -> None:
    values = autoregressive(80, 0.4, seed)
    holed = np.insert(values, [0, 20, 20, 80], np.nan)
    assert mean_test(holed, 3) == mean_test(values, 3)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, np.nan, 2.0], [np.nan] * 5])
def test_too_few_values_say_nothing(values: list[float]) -> None:
    test = mean_test(np.array(values, float))
    assert (test.t, test.p) == (0.0, 0.5)
    assert test.error == np.inf


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_it_rejects_a_true_null_about_as_often_as_it_says(phi: float) -> None:
    rejected = np.mean([mean_test(autoregressive(1000, phi, seed), 20).p < 0.05 for seed in range(600)])
    assert 0.03 < rejected < 0.085


def test_without_a_bandwidth_serial_correlation_is_taken_for_evidence() -> None:
    rejected = np.mean([mean_test(autoregressive(1000, 0.8, seed), 0).p < 0.05 for seed in range(200)])
    assert rejected > 0.2
