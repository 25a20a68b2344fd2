"""Frames held against a contract: every failure, the same from polars and from pandas."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.contract import CheckResult, Column, Contract
from tslam.contract.check import check
from tslam.errors import ContractError, FrameError

START = datetime.fromisoformat("2024-01-01")
DAY = START.date()
MIDNIGHT = "2024-01-01T00:00:00.000000"
CONTRACT = Contract(
    name="plant",
    columns=(
        Column(name="when", role="time"),
        Column(name="unit", role="series"),
        Column(name="level", role="observation", minimum=0, maximum=5),
        Column(name="mode", role="action", levels=["on", "off"]),
        Column(name="step", role="action", levels=[1, 2]),
        Column(name="open", role="action", kind="boolean"),
        Column(name="spare", role="exogenous", required=False),
        Column(name="note", role="ignore"),
    ),
)
GOOD: dict[str, list[Any]] = {
    "when": [START + timedelta(minutes=i) for i in (0, 1, 0, 1)],
    "unit": ["a", "a", "b", "b"],
    "level": [0.0, 5.0, None, 2.5],
    "mode": ["on", "off", None, "on"],
    "step": [1, 2, 2, 1],
    "open": [True, False, True, False],
}
KINDS: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: frame.to_pandas(),
    "arrow": lambda frame: frame.to_arrow(),
    "pandas on Arrow": lambda frame: frame.to_arrow().to_pandas(types_mapper=pd.ArrowDtype),
    "pandas of categories": lambda frame: (
        frame.with_columns(pl.selectors.string().cast(pl.Categorical))
        .to_arrow()
        .to_pandas(types_mapper=pd.ArrowDtype)
    ),
}


def places(result: CheckResult) -> list[tuple[str, str, int | None, Any]]:
    return [(f.column, f.check, f.row, f.value) for f in result.failures]


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_that_meets_the_contract_passes(kind: str) -> None:
    result = CONTRACT.check(KINDS[kind](pl.DataFrame(GOOD)))
    assert result.ok
    assert (result.rows, result.total, result.failures, result.counts) == (4, 0, (), ())
    result.raise_if_failed()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("level", [0.0, 5.1, -1.0, None], [("maximum", 1, 5.1), ("minimum", 2, -1.0)]),
        ("level", [0.0, float("inf"), 1.0, 1.0], [("finite", 1, "inf"), ("maximum", 1, "inf")]),
        ("level", [0.0, float("nan"), 1.0, 1.0], []),
        ("level", ["a", "b", "c", "d"], [("type", None, "text")]),
        ("level", [None] * 4, []),
        ("mode", ["on", "ON", None, "off"], [("levels", 1, "ON")]),
        ("step", [1, 3, 2, 1], [("levels", 1, 3)]),
        ("step", ["1", "2", "1.0", "2"], [("levels", 2, "1.0")]),
        ("step", [True, True, False, True], [("levels", 2, False)]),
        ("open", [0, 1, 2, 1], [("boolean", 2, 2)]),
        ("open", ["x", "y", "x", "y"], [("type", None, "text")]),
        ("when", [START] * 3 + [START + timedelta(1)], [("unique", 0, MIDNIGHT), ("unique", 1, MIDNIGHT)]),
        ("when", [START, None, None, START], [("not_null", 1, None), ("not_null", 2, None)]),
        ("when", [0.5, 1.5, 0.5, 0.5], [("unique", 2, 0.5), ("unique", 3, 0.5)]),
        ("when", ["0", "1", "0", "1"], [("type", None, "text")]),
        ("when", [DAY, DAY, date.max, date.min], [("unique", 0, MIDNIGHT), ("unique", 1, MIDNIGHT)]),
        ("unit", ["a", "a", None, "b"], [("not_null", 2, None)]),
        ("unit", [0.5, 0.5, 1.0, 1.0], []),
    ],
)  # fmt: skip
def test_each_failure_is_found_with_its_row_and_value(
    kind: str, column: str, values: list[Any], found: list[tuple[str, int | None, Any]]
) -> None:
    frame = pl.DataFrame(GOOD | {column: values}, strict=False)
    result = CONTRACT.check(KINDS[kind](frame))
    assert places(result) == [(column, *failure) for failure in found]
    assert result.ok == (not found)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_are_not_there_fail_unless_they_may_be_missing(kind: str) -> None:
    frame = pl.DataFrame(GOOD).drop("unit", "open")
    result = CONTRACT.check(KINDS[kind](frame))
    # Without the series every stamp stands twice.
    assert [(f.column, f.check) for f in result.failures][0::5] == [("when", "unique"), ("open", "present")]
    assert ("unit", "present", None, None) in places(result)
    assert "spare" not in str(result)
    with pytest.raises(ContractError, match="unit: found nothing, expected a column of that name"):
        result.raise_if_failed()


def test_all_failures_are_counted_and_some_are_listed() -> None:
    frame = pl.DataFrame({"t": range(5000), "x": [-1.0] * 5000, "y": [2.0] * 4999 + [9.0]})
    contract = Contract(
        columns=(
            Column(name="t", role="time"),
            Column(name="x", role="observation", minimum=0),
            Column(name="y", role="observation", maximum=5),
        )
    )
    result = check(frame, contract, limit=3)
    assert places(result) == [("x", "minimum", row, -1.0) for row in range(3)] + [("y", "maximum", 4999, 9.0)]
    assert [(count.column, count.check, count.count) for count in result.counts] == [
        ("x", "minimum", 5000),
        ("y", "maximum", 1),
    ]
    assert result.total == 5001
    assert CheckResult.model_validate_json(result.model_dump_json()) == result
    with pytest.raises(
        ContractError, match=r"x: found -1.0 in row 0 and 4,999 more, expected at least 0; y: found 9.0"
    ):
        result.raise_if_failed()


def test_a_lazy_frame_is_looked_at_value_by_value() -> None:
    lazy = pl.LazyFrame(GOOD | {"level": [-3.0, 0.0, 0.0, 0.0]})
    assert places(CONTRACT.check(lazy)) == [("level", "minimum", 0, -3.0)]


def test_files_are_checked_as_one_frame_and_a_stamp_in_two_of_them_is_found(tmp_path: Path) -> None:
    pl.DataFrame(GOOD).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame(GOOD | {"level": [0.0, 0.0, 9.0, 0.0]}).tail(2).write_parquet(tmp_path / "b.parquet")
    found = [("when", "unique", row) for row in (2, 3, 4, 5)] + [("level", "maximum", 4)]
    for frame in (str(tmp_path / "*.parquet"), tmp_path, pl.scan_parquet(tmp_path / "*.parquet")):
        assert [(f.column, f.check, f.row) for f in CONTRACT.check(frame).failures] == found
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(FrameError, match="cannot be read"):
        CONTRACT.check(tmp_path)
    with pytest.raises(FrameError, match="No file at"):
        CONTRACT.check("absent.parquet")


def test_switching_pandera_off_in_the_environment_passes_nothing() -> None:
    from pandera.config import ValidationDepth, config_context

    frame = pl.DataFrame(GOOD | {"level": [-3.0, 0.0, 0.0, 0.0]})
    with config_context(validation_enabled=False, validation_depth=ValidationDepth.SCHEMA_ONLY):
        assert not CONTRACT.check(frame).ok
        assert not CONTRACT.check(frame.to_pandas()).ok


stamps = st.none() | st.integers(0, 3).map(lambda i: START + timedelta(minutes=i))
cells = {
    "when": stamps,
    "unit": st.none() | st.sampled_from(["a", "b"]),
    "level": st.none() | st.sampled_from([-1.0, 0.0, 4.0, 6.0, float("nan"), float("inf"), float("-inf")]),
    "mode": st.none() | st.sampled_from(["on", "off", "bad", "On"]),
    "step": st.none() | st.integers(0, 3),
    "open": st.none() | st.booleans(),
}
TYPES = {
    "when": pl.Datetime("us"),
    "unit": pl.String,
    "level": pl.Float64,
    "mode": pl.String,
    "step": pl.Int64,
    "open": pl.Boolean,
}


@given(
    st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=8),
    st.sets(st.sampled_from([*cells]), max_size=2),
)
def test_polars_and_pandas_give_the_same_failures_in_the_same_words(
    rows: list[dict[str, Any]], dropped: set[str]
) -> None:
    frame = pl.DataFrame(rows, schema=TYPES).drop(*dropped)
    expected = CONTRACT.check(frame)
    assert CONTRACT.check(frame.to_pandas()) == expected
    assert CONTRACT.check(frame.lazy()) == expected
    assert check(frame.lazy(), CONTRACT, limit=1) == check(frame, CONTRACT, limit=1)
    assert CONTRACT.check(frame.to_pandas(use_pyarrow_extension_array=True)) == expected
    objects = pd.DataFrame({name: pd.Series(frame[name].to_list(), dtype=object) for name in frame.columns})
    # A column of nothing but None has no type there, which is no type of a time or of a series.
    if all(frame[name].null_count() < frame.height for name in frame.columns):
        assert CONTRACT.check(objects) == expected


def test_types_of_both_kinds_of_frame_fall_into_the_same_families() -> None:
    inputs = [Column(name=name, role="action", levels=[1, 2]) for name in "abcd"]
    contract = Contract(
        columns=(Column(name="t", role="time"), *inputs, Column(name="y", role="observation"))
    )
    polars = pl.DataFrame(
        {
            "t": [START, START + timedelta(1)],
            "a": ["1", "3"],
            "b": [1, 3],
            "c": [Decimal(1), Decimal(3)],
            "d": [[1], [3]],
            "y": [1.0, 2.0],
        },
        schema_overrides={"a": pl.Categorical, "b": pl.UInt8, "c": pl.Decimal(5, 1)},
    )
    pandas = pd.DataFrame({name: polars[name].to_list() for name in polars.columns})
    pandas["a"], pandas["b"] = pandas["a"].astype("category"), pandas["b"].astype("Int8")
    found = [
        ("a", "levels", 1, "3"),
        ("b", "levels", 1, 3),
        ("c", "levels", 1, 3.0),
        ("d", "type", None, "other"),
    ]
    assert places(contract.check(polars)) == places(contract.check(pandas)) == found


def test_a_numeric_time_that_the_contract_knows_of_must_be_numeric() -> None:
    contract = Contract(
        columns=(Column(name="t", role="time", kind="continuous"), Column(name="x", role="observation"))
    )
    assert contract.check(pl.DataFrame({"t": [1, 2], "x": [1.0, 2.0]})).ok
    result = contract.check(pl.DataFrame({"t": [START, START + timedelta(1)], "x": [1.0, 2.0]}))
    assert places(result) == [("t", "type", None, "time")]


@pytest.mark.parametrize("name", ["when", None])
def test_a_pandas_index_of_stamps_is_the_time(name: str | None) -> None:
    contract = Contract(
        columns=(Column(name="when", role="time"), Column(name="x", role="observation", maximum=1))
    )
    index = pd.DatetimeIndex(["2024-01-01", "2024-01-01", "2024-01-03"], tz="Europe/Berlin", name=name)
    result = contract.check(pd.DataFrame({"x": [1, 2, 1]}, index=index))
    stamp = "2024-01-01T00:00:00.000000+01:00"
    assert places(result) == [
        ("when", "unique", 0, stamp),
        ("when", "unique", 1, stamp),
        ("x", "maximum", 1, 2),
    ]


def test_series_and_time_may_both_stand_in_the_index() -> None:
    index = pd.MultiIndex.from_arrays([GOOD["unit"], GOOD["when"]], names=["unit", "when"])
    frame = pd.DataFrame({name: GOOD[name] for name in GOOD if name not in index.names}, index=index)
    assert CONTRACT.check(frame).ok


@pytest.mark.parametrize("frame", [{"a": [1]}, np.zeros((2, 2)), None])
def test_what_is_no_frame_is_a_frame_error(frame: Any) -> None:
    with pytest.raises(FrameError, match=r"is not a frame\. Give a polars or pandas frame"):
        CONTRACT.check(frame)


def test_a_column_that_stands_twice_is_a_frame_error() -> None:
    frame = pd.DataFrame([[START, 1.0, 2.0]], columns=["when", "level", "level"])
    with pytest.raises(FrameError, match=r"\['level'\] stand more than once"):
        CONTRACT.check(frame)


def test_an_empty_frame_has_nothing_that_fails() -> None:
    frame = pl.DataFrame(GOOD).clear()
    assert CONTRACT.check(frame).ok
    assert CONTRACT.check(frame.to_pandas()).ok
    assert CONTRACT.check(pa.Table.from_pylist([], schema=frame.to_arrow().schema)).ok
