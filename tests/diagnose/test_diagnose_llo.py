"""LLO: 2 where z is the action, 0 where it is the noise."""

import numpy as np
import pytest

from tslam.diagnose.llo import linear_latent_optimality, missed


def test_llo_of_the_action_of_the_noise_and_of_a_mixture() -> None:
    rng = np.random.default_rng(0)
    a, e, o = (rng.normal(size=(20_000, width)) for width in (3, 3, 6))
    assert linear_latent_optimality(a @ rng.normal(size=(3, 3)), a, e, o).value == pytest.approx(
        2.0, abs=0.01
    )
    assert linear_latent_optimality(e, a, e, o).value == pytest.approx(0.0, abs=0.01)
    assert linear_latent_optimality(a + e, a, e, o).value == pytest.approx(1.0, abs=0.05)


def test_where_there_is_no_noise_its_term_is_one() -> None:
    a = np.random.default_rng(1).normal(size=(500, 2))
    assert linear_latent_optimality(a, a, np.zeros((500, 4)), np.zeros((500, 2))).noise == 1.0


def test_a_latent_that_is_repeated_or_still_adds_nothing() -> None:
    rng = np.random.default_rng(2)
    z, t = rng.normal(size=(300, 1)), rng.normal(size=(300, 2))
    assert missed(np.column_stack([z, z, np.ones(300)]), t) == pytest.approx(missed(z, t))
    assert missed(np.ones((300, 1)), t) == pytest.approx(1.0)
