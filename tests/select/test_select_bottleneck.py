"""The bottleneck of a composition, chosen by what held-out transitions take to write down."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tslam
from tslam.dynamics.code_length import _of_codes, _of_posterior
from tslam.errors import ConfigError
from tslam.plants.plant import stamped

ROWS, CHAN = 1600, 6


def _frame(action: np.ndarray) -> pl.DataFrame:
    """Six channels under an action that nobody logged, another value at every step."""
    rng = np.random.default_rng(1)
    B = rng.normal(size=CHAN)
    o = np.zeros((ROWS, CHAN))
    for t in range(ROWS - 1):
        o[t + 1] = 0.6 * o[t] + B * action[t] + 0.1 * rng.normal(size=CHAN)
    return stamped({f"y_{i}": o[:, i] for i in range(CHAN)}, 10.0)


def _fit(frame: pl.DataFrame, **config: object) -> tslam.LatentActionModel:
    settings = {"preset": "composed", "epochs": 40, "hidden": 32} | config
    return tslam.fit(frame, time="time", config=tslam.FitConfig.model_validate(settings))


def test_as_many_codes_as_the_action_has_levels_and_a_trace_of_what_was_tried(tmp_path: Path) -> None:
    frame = _frame(np.random.default_rng(0).integers(0, 4, ROWS) - 1.5)
    model = _fit(frame)
    said = " ".join(model.trace)
    assert model.family == "composed"
    assert "4 codes. " in said + " "
    assert "budget: 11 fits of 5 epochs, then 3 of 40" in said
    found = model.diagnose(frame).codebook
    assert found is not None
    assert found.perplexity[0] > 3.5
    again = tslam.load(model.save(tmp_path / "model"))
    assert again.infer(frame).equals(model.infer(frame))


@pytest.mark.parametrize("size", [0.0, 1.1])
def test_codes_that_nothing_asks_for_are_not_taken(size: float) -> None:
    model = _fit(_frame(size * np.random.default_rng(0).normal(size=ROWS)))
    assert model.family == "linear"
    assert "None surely saves anything" in " ".join(model.trace)


def test_more_latents_than_observations_are_refused_before_training() -> None:
    with pytest.raises(ConfigError, match="7 latents were asked for and there are 6 observations"):
        _fit(_frame(np.zeros(ROWS) + np.arange(ROWS) % 7), latents=7)


def test_a_code_takes_its_entropy_and_a_posterior_its_divergence() -> None:
    rng = np.random.default_rng(0)
    known = np.ones(40_000, bool)
    codes = rng.integers(0, 4, (known.size, 2))
    assert _of_codes(codes, known).mean() == pytest.approx(2 * np.log(4), rel=1e-3)
    assert _of_codes(np.zeros_like(codes), known).mean() == pytest.approx(0.0, abs=1e-6)
    # a channel of unit signal and variance v of noise carries ½ log(1 + 1 / v)
    mean, v = rng.normal(size=(known.size, 1)), 0.25
    found = _of_posterior(mean, np.full_like(mean, v), known).mean()
    assert found == pytest.approx(0.5 * np.log(1 + 1 / v), rel=0.02)
