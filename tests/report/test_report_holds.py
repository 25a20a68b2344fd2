"""How a latent moves: levels that lie apart are told, what is graded or unsure is not."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tslam.panel.panel import Segment
from tslam.report.facts import LatentFacts
from tslam.report.holds import latent_facts

RNG = np.random.default_rng(4)
STEPS = np.repeat([0.0, 2.0, 0.0, 5.0, 2.0, 0.0], 60)
PULSES = np.where(np.arange(400) % 37 == 5, 3.0, 0.0)


def seen(values: Any, noise: float = 0.05) -> LatentFacts:
    noisy = np.asarray(values, float) + noise * RNG.standard_normal(len(values))
    noisy[:3] = np.nan
    panel: Any = SimpleNamespace(
        segments=(Segment(0, 0, len(noisy) // 2), Segment(0, len(noisy) // 2, len(noisy)))
    )
    return latent_facts(panel, noisy[:, None], ["latent_0"])[0]


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1])
def test_levels_that_are_held_are_told(noise: float) -> None:
    assert seen(STEPS, noise).levels == pytest.approx((0.0, 2.0, 5.0), abs=0.05)


@pytest.mark.parametrize(
    "values",
    [
        RNG.standard_normal(500),
        np.cumsum(RNG.standard_normal(500)),
        np.repeat(RNG.uniform(0, 10, 60), 30),
        np.zeros(300),
        np.full(300, np.nan),
        np.zeros(4),
    ],
    ids=["white", "walk", "graded", "still", "unknown", "short"],
)
def test_what_holds_no_few_levels_has_none(values: Any) -> None:
    assert seen(values, 0.0 if values.std() == 0 else 0.05) == LatentFacts(name="latent_0")


def test_brief_moves_to_one_side_are_pulses_and_others_are_not() -> None:
    assert seen(PULSES).pulses
    assert seen(PULSES).levels is None
    both = PULSES * np.where(np.arange(400) % 74 == 5, 1.0, -1.0)
    assert not seen(both).pulses
    assert not seen(STEPS).pulses
