"""``model.diagnose``: every question has a figure, what it is held against, and a sentence."""

import numpy as np
import pytest

import tslam
from tslam import plants
from tslam.errors import ConfigError, FrameError

ROWS = 3000


@pytest.fixture(scope="module")
def record() -> plants.Record:
    return plants.linear(ROWS, 0, d=12, noise=0.3).drop("action_1")


@pytest.fixture(scope="module")
def model(record: plants.Record) -> tslam.LatentActionModel:
    return tslam.fit(record.frame, **record.roles(), config=tslam.FitConfig(family="held", lags=1, latents=1))


def test_a_held_latent_of_an_unlogged_action_is_told_for_what_it_is(
    record: plants.Record, model: tslam.LatentActionModel
) -> None:
    truth = record.truth.frame.select("action_1")
    d = model.diagnose(record.frame, truth=truth)
    assert d.latents == 1
    assert 500 < d.rows < ROWS
    assert d.scene_cut is not None
    assert d.scene_cut.ratio > 2
    assert d.cycle is not None
    assert d.cycle.ratio < 1.1
    assert d.time_alignment is not None
    assert d.time_alignment.peak == 0
    assert d.past_future is not None
    assert d.past_future.similarity > d.past_future.null + 0.2
    assert d.truth is not None
    assert d.truth.action < 0.7
    assert {e.action for e in d.excitation} == set(record.actions)
    assert all(e.free > 0.1 for e in d.excitation)
    assert d.codebook is None
    readings = dict(d.answers())
    assert {"scene cut", "cycle", "capacity", "time alignment", "past future", "truth"} <= readings.keys()
    assert all(text.endswith((".", ":", ";")) and len(text) > 30 for text in readings.values())
    assert "asked about" in str(d)
    assert type(d).model_validate_json(d.model_dump_json()) == d


def test_the_same_seed_says_the_same_and_other_rows_are_asked_about_whole(
    record: plants.Record, model: tslam.LatentActionModel
) -> None:
    assert model.diagnose(record.frame) == model.diagnose(record.frame)
    assert model.diagnose(record.frame.head(500)).rows == 499


def test_a_model_without_latents_is_asked_what_can_be_asked(record: plants.Record) -> None:
    model = tslam.fit(record.frame, **record.roles(), config=tslam.FitConfig(family="linear", latents=0))
    d = model.diagnose(record.frame)
    assert (d.latents, d.scene_cut, d.cycle, d.past_future) == (0, None, None, None)
    assert d.capacity.knee >= 1
    assert d.capacity.errors[0] == 1.0


def test_bad_input_is_refused(record: plants.Record, model: tslam.LatentActionModel) -> None:
    with pytest.raises(ConfigError, match="truth has 7 rows and the frame 3000"):
        model.diagnose(record.frame, truth=np.zeros((7, 1)))
    with pytest.raises(ConfigError, match="not numbers"):
        model.diagnose(record.frame, truth=["open"] * ROWS)
    with pytest.raises(FrameError, match="needs 40"):
        model.diagnose(record.frame.head(20))
