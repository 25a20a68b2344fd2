"""Replays: nothing changed is the history itself; what is changed does what the plant would do."""

from typing import Any

import numpy as np
import pytest

import tslam
from tslam import errors
from tslam.plants.plant import TIME, Record


@pytest.fixture(scope="module")
def record() -> Record:
    return tslam.plants.simulate("tank", rows=2500, seed=1)


@pytest.fixture(scope="module")
def model(record: Record) -> tslam.LatentActionModel:
    return tslam.fit(record.frame, **record.roles(), config="linear", progress=False)


def test_with_nothing_changed_it_is_the_history(record: Record, model: tslam.LatentActionModel) -> None:
    frame = record.frame
    out = model.replay(frame, start=frame[TIME][2000], actions={"valve": frame["valve"][2000:2499].to_list()})
    assert out.height == 499
    for name in record.observations:
        assert np.allclose(out[name], out[f"{name}_if"], atol=1e-9)


def test_a_valve_that_had_stayed(record: Record, model: tslam.LatentActionModel) -> None:
    frame, move = record.frame, int(record.moves["valve"][record.moves["valve"] > 1500][0])
    out = model.replay(
        frame, start=frame[TIME][move - 1], actions={"valve": None}, end=frame[TIME][move + 20]
    )
    opened = frame["valve"][move] > frame["valve"][move - 1]
    effect = (out["flow_out"] - out["flow_out_if"]).to_numpy()
    assert out.height == 21
    assert abs(effect[0]) < 1e-9  # the row of the move is not touched yet
    assert np.sign(effect[1]) == (1 if opened else -1)
    assert "valve as it was at the start" in out["assumes"][0]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"actions": {}}, errors.ConfigError),
        ({"actions": {"valv": None}}, errors.RoleError),
        ({"actions": {"latent_0": 1.0}}, errors.UnvalidatedLatentError),
        ({"actions": {"valve": None}, "start": "yesterday"}, errors.FrameError),
    ],
)
def test_what_cannot_be_is_refused(
    record: Record, model: tslam.LatentActionModel, asked: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        model.replay(record.frame, **({"start": record.frame[TIME][2000]} | asked))
