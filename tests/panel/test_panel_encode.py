"""Columns of every kind become channels, the same way for the frames that come later."""

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel_cases import contract

from tslam.contract.model import Column
from tslam.contract.roles import Kind, Role
from tslam.errors import FrameError
from tslam.panel import Encoding
from tslam.panel.encode import MOST_LEVELS, encode, learn

NAN = float("nan")


def _action(values: Any, **settings: Any) -> tuple[dict[str, list[float]], list[str]]:
    """Channels of an action column by part, and all notes."""
    column = values if isinstance(values, pl.Series) else pl.Series(values)
    frame = pl.DataFrame({"x": np.arange(float(column.len())), "u": column})
    encoding, learnt = learn(frame, contract(*_columns(**settings)))
    channels, notes = encode(frame, encoding, Role.ACTION)
    parts = [feature.part for feature in encoding.features(Role.ACTION)]
    return {part: channels[:, i].tolist() for i, part in enumerate(parts)}, learnt + notes


def _columns(**settings: Any) -> tuple[Column, Column]:
    return Column(name="x", role="observation"), Column(name="u", role="action", **settings)


@pytest.mark.parametrize(
    ("values", "settings", "expected"),
    [
        (pl.Series([1, 2, None], dtype=pl.UInt8), {}, {"value": [1, 2, NAN]}),
        (pl.Series([1.5, None, 2], dtype=pl.Float32), {}, {"value": [1.5, NAN, 2]}),
        (pl.Series(["1.25", None], dtype=pl.String).cast(pl.Decimal(10, 2)), {}, {"value": [1.25, NAN]}),
        ([True, None, False], {}, {"value": [1, NAN, 0]}),
        ([1, None, 0], {"kind": "boolean"}, {"value": [1, NAN, 0]}),
        ([True, False], {"kind": "continuous"}, {"value": [1, 0]}),
        ([None, 3.0, None], {"kind": "event"}, {"value": [0, 3, 0]}),
        ([None, None], {"kind": "event"}, {"value": [0, 0]}),
        (
            [None, "restart", None, "deploy"],
            {"kind": "event"},
            {"=deploy": [0, 0, 0, 1], "=restart": [0, 1, 0, 0]},
        ),
        (["b", "a", "c", "b", None], {}, {"=a": [0, 1, 0, 0, NAN], "=c": [0, 0, 1, 0, NAN]}),
        (["b", "a"], {}, {"=b": [1, 0]}),
        (["b", "c", "c", "b", "a", "b"], {}, {"=a": [0, 0, 0, 0, 1, 0], "=c": [0, 1, 1, 0, 0, 0]}),
        (["a", "a"], {}, {"=a": [1, 1]}),
        ([2, 1, 2], {"kind": "categorical"}, {"=1": [0, 1, 0]}),
        ([2.0, 1.5, 2.0, None], {"kind": "categorical"}, {"=1.5": [0, 1, 0, NAN]}),
        (
            pl.Series(["lo", "hi", None], dtype=pl.Enum(["lo", "hi"])),
            {"kind": "ordinal"},
            {"value": [0, 1, NAN]},
        ),
        (["hi", "lo"], {"kind": "ordinal", "levels": ("lo", "mid", "hi")}, {"value": [2, 0]}),
        ([3, 1], {"kind": "ordinal"}, {"value": [3, 1]}),
        ([0.0, 90.0, 450.0, None], {"period": 360}, {"sin": [0, 1, 1, NAN], "cos": [1, 0, 0, NAN]}),
        ([None, None], {}, {"value": [NAN, NAN]}),
        (pl.Series([None, None], dtype=pl.String), {}, {"value": [NAN, NAN]}),
    ],
)
def test_every_kind_has_its_channels(
    values: Any, settings: dict[str, Any], expected: dict[str, list[float]]
) -> None:
    channels, _ = _action(values, **settings)
    assert list(channels) == list(expected)
    for part, numbers in expected.items():
        np.testing.assert_allclose(channels[part], numbers, atol=1e-12)


def test_event_nulls_and_empty_inputs_are_said() -> None:
    assert "Event 'u' is null in 2 rows: no event there (0)." in _action([None, 3.0, None], kind="event")[1]
    assert "Action 'u' is null in every row; it stays, never measured." in _action([None, None])[1]


def test_circular_observations_have_two_channels() -> None:
    frame = pl.DataFrame({"x": [0.0, 180.0]})
    encoding, _ = learn(frame, contract(Column(name="x", role="observation", kind="circular", period=360)))
    assert [f.name for f in encoding.features(Role.OBSERVATION)] == ["x[sin]", "x[cos]"]
    np.testing.assert_allclose(encode(frame, encoding, Role.OBSERVATION)[0], [[0, 1], [0, -1]], atol=1e-12)


def test_observations_never_measured_have_no_channel_and_one_must_be_left() -> None:
    columns = [Column(name=name, role="observation") for name in ("x", "y", "z")]
    given_ = contract(*columns[:2], columns[2].model_copy(update={"required": False}))
    encoding, notes = learn(pl.DataFrame({"x": [1.0], "y": [None]}), given_)
    assert [code.column for code in encoding.codes] == ["x"]
    assert "Observation 'y' is null in every row; it has no channel." in notes
    assert "Column 'z' of the contract is not in the frame; the fit goes without it." in notes
    with pytest.raises(FrameError, match=r"All observations are null in every row: \['x', 'y'\]"):
        learn(pl.DataFrame({"x": [None], "y": pl.Series([None], dtype=pl.String)}), given_)


def test_infinities_are_counted_by_column() -> None:
    frame = pl.DataFrame({"x": [1.0, float("inf"), -float("inf")], "u": [1.0, None, float("inf")]})
    with pytest.raises(FrameError, match=r"'x' 2 \(first in row 1\); 'u' 1 \(first in row 2\)"):
        learn(frame, contract())
    finite = frame.with_columns(pl.lit(1.0).alias("x"), pl.lit(1.0).alias("u"))
    with pytest.raises(FrameError, match="Infinite"):
        encode(frame, learn(finite, contract())[0], Role.OBSERVATION)


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ([str(i) for i in range(MOST_LEVELS + 1)], {}, "21 levels .at most 20.*ordinal.*ignore"),
        (["a", "b"], {"kind": "ordinal"}, "Give its levels in order"),
        (["a", "b"], {"kind": "ordinal", "levels": ("a",)}, r"Unknown levels \['b'\].*ordinal"),
        (["a", "b"], {"kind": "continuous"}, "continuous, and holds text .such as 'a'.*categorical"),
        ([0, 2], {"kind": "boolean"}, r"boolean and holds \[2\.0\]"),
        ([[1], [2]], {}, "holds List"),
        (pl.Series([1, 2]).cast(pl.Datetime), {}, "holds Datetime"),
    ],
)
def test_values_that_do_not_suit_the_kind_are_refused(
    values: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(FrameError, match=message):
        _action(values, **settings)


@pytest.mark.parametrize("settings", [{}, {"kind": "categorical"}, {"kind": "continuous"}])
def test_text_observations_are_refused_with_the_ways_out(settings: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match=r"Observation 'x' holds String .such as 'on'.*exogenous.*ignore"):
        learn(pl.DataFrame({"x": ["on"]}), contract(Column(name="x", role="observation", **settings)))


def test_later_frames_get_the_layout_that_was_learnt() -> None:
    first = pl.DataFrame({"x": [1.0] * 4, "u": ["a", "a", "b", "c"], "v": [None] * 4, "w": [1, 2, 3, 4]})
    roles = (*_columns(), Column(name="v", role="action"), Column(name="w", role="action"))
    encoding, _ = learn(first, contract(*roles))
    later = pl.DataFrame({"x": [1.0] * 3, "u": ["d", "b", "a"], "v": [1.0, 2.0, 3.0]})
    channels, notes = encode(later, encoding, Role.ACTION)
    np.testing.assert_array_equal(channels, [[0, 0, NAN, NAN], [1, 0, NAN, NAN], [0, 0, NAN, NAN]])
    assert notes == [
        (
            "Unknown levels ['d'] in 1 rows of 'u': all its channels are 0 there "
            "(known levels: ['b', 'c', 'a'])."
        ),
        "Column 'v' was empty when the encoding was learnt; what it holds here is left out.",
        "Column 'w' is not in the frame; its channels are never measured.",
    ]


@given(
    levels=st.lists(st.text(max_size=5), min_size=1, max_size=30),
    kind=st.sampled_from(["categorical", "event"]),
)
def test_an_encoding_survives_json_and_encodes_the_same(levels: list[str], kind: str) -> None:
    frame = pl.DataFrame({"x": np.zeros(len(levels)), "u": levels})
    if len(set(levels)) > MOST_LEVELS:
        return
    encoding, _ = learn(frame, contract(*_columns(kind=kind)))
    again = Encoding.from_dict(json.loads(json.dumps(encoding.to_dict())))
    assert again == encoding
    assert again.codes[1].kind is Kind(kind)
    channels, _ = encode(frame, again, Role.ACTION)
    most = max(sorted(set(levels)), key=levels.count)
    for level, row in zip(levels, channels, strict=True):
        named = [f.part for f, value in zip(again.features(Role.ACTION), row, strict=True) if value == 1]
        hidden = kind == "categorical" and level == most and len(set(levels)) > 1
        assert named == ([] if hidden else [f"={level}"])
