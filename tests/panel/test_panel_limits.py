"""Where channels stand at a limit."""

import numpy as np
import pytest

from tslam.panel.limits import limits_of, standing


def test_values_pile_up_at_a_limit_and_nowhere_else() -> None:
    rng = np.random.default_rng(0)
    wandering = np.cumsum(rng.standard_normal(3000)) / 20
    brim = np.quantile(wandering, 0.85)
    full = np.minimum(wandering, brim) + 0.01 * rng.standard_normal(3000)
    held = np.repeat(rng.integers(0, 6, 50), 60) + 0.01 * rng.standard_normal(3000)
    skewed = rng.lognormal(sigma=1.0, size=3000)
    values = np.column_stack([full, held, skewed])
    limits = limits_of(values, np.array([0.015, 0.015, 0.1]))
    assert limits[1, 0] == pytest.approx(brim, abs=0.05)
    assert (limits[0] < values.min(axis=0)).all()
    assert (limits[1, 1:] > values.max(axis=0)[1:]).all()
    there = standing(values, limits)
    assert there[:, 0].mean() == pytest.approx(0.14, abs=0.02)
    assert not there[:, 1:].any()
