"""Every kind of source gives the same frame, and results go back in kind."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from panel_cases import contract, frame

from tslam.contract.model import Column
from tslam.errors import FrameError, RoleError
from tslam.panel import back, columns, read


def test_all_sources_give_the_same_frame(tmp_path: Path) -> None:
    given = frame().with_columns(pl.lit("not used").alias("remark"))
    given.write_parquet(tmp_path / "plant.parquet")
    sources = {
        "polars": [given, given.lazy(), tmp_path / "plant.parquet", str(tmp_path / "*.parquet"), tmp_path],
        "pandas": [given.to_pandas(), given.to_pandas().set_index("time")],
        "arrow": [given.to_arrow()],
    }
    for kind, them in sources.items():
        for source in them:
            got, like = read(source, contract())
            assert like == kind
            assert got.equals(given.select("time", "x", "u"))
            assert columns(source).keys() == {"time", "x", "u", "remark"}


def test_lazy_sources_read_only_the_columns_of_the_contract() -> None:
    def fail(_: pl.Series) -> pl.Series:
        raise AssertionError("read")

    lazy = frame().lazy().with_columns(pl.col("x").map_batches(fail, return_dtype=pl.Float64).alias("remark"))
    got, _ = read(lazy, contract())
    assert got.columns == ["time", "x", "u"]
    assert columns(lazy)["remark"] == pl.Float64


def test_files_below_one_another_may_lack_columns(tmp_path: Path) -> None:
    frame(40).write_parquet(tmp_path / "a.parquet")
    frame(30).drop("u").with_columns(pl.col("x").cast(pl.Float32)).write_parquet(tmp_path / "b.parquet")
    got, _ = read(str(tmp_path / "*.parquet"), contract())
    assert got.height == 70
    assert got["u"].null_count() == 30
    assert got.schema["x"] == pl.Float64


@pytest.mark.parametrize("name", [None, "time", "stamp"])
def test_a_datetime_index_is_the_time_column(name: str | None) -> None:
    source = frame().to_pandas().set_index("time").rename_axis(name)
    assert columns(source)[name or "time"] == pl.Datetime("us")
    wanted = contract().model_copy(
        update={"columns": (Column(name=name or "when", role="time"), *contract().columns[1:])}
    )
    got, _ = read(source, wanted)
    assert got[name or "when"].to_list() == frame()["time"].to_list()


def test_periods_and_named_index_levels_are_columns() -> None:
    source = pd.DataFrame(
        {"x": [1.0, 2.0], "u": [0, 1]},
        index=pd.MultiIndex.from_arrays([["a", "b"], pd.period_range("2024-01-01", periods=2, freq="h")]),
    ).rename_axis(["plant", None])
    got, _ = read(source, contract(series="plant"))
    assert got["plant"].to_list() == ["a", "b"]
    assert got["time"].to_list() == [
        dt.datetime.fromisoformat("2024-01-01T00:00"),
        dt.datetime.fromisoformat("2024-01-01T01:00"),
    ]


def test_odd_but_usable_pandas_columns() -> None:
    source = pd.DataFrame(
        {
            "time": pd.date_range("2024", periods=3, freq="h", tz=dt.timezone(dt.timedelta(hours=2))),
            "x": [Decimal("1.5"), None, Decimal("2.25")],
            "u": [True, None, False],
            "mixed": [1, "a", {}],
        }
    )
    assert columns(source)["mixed"] == pl.Object
    got, _ = read(source, contract())
    assert got["x"].cast(pl.Float64).to_list() == [1.5, None, 2.25]
    assert got["u"].to_list() == [True, None, False]
    assert got["time"][0] == dt.datetime(2023, 12, 31, 22, tzinfo=dt.UTC)


def test_errors_name_what_was_found_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "plant.csv").write_text("time,x\n")
    (tmp_path / "broken.parquet").write_text("no parquet")
    cases = [
        (tmp_path / "nothing.parquet", "No file at .*nothing.parquet"),
        (str(tmp_path / "*.nothing"), "No file at"),
        (tmp_path / "plant.csv", "polars.read_csv"),
        (tmp_path / "broken.parquet", "cannot be read"),
        ({"time": [1], "x": [1]}, "builtins.dict is not a frame"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), r"\['x'\] stand more than once"),
        (pd.DataFrame({"time": [1, 2], "x": [1, "a"], "u": [0, 1]}), "'x' mixes types"),
    ]
    for source, message in cases:
        with pytest.raises(FrameError, match=message):
            read(source, contract())


def test_a_source_that_fails_on_the_way_is_a_frame_error() -> None:
    for text in (pl.lit("a"), pl.col("x").cast(pl.String) + "a"):
        with pytest.raises(FrameError, match="cannot be read"):
            read(frame().lazy().with_columns(text.cast(pl.Float64).alias("x")), contract())
    zone = pa.timestamp("us", "+05:30")
    with pytest.raises(FrameError, match=r"(?s)Arrow table cannot be read.*Cast the column"):
        read(pa.table({"time": pa.array([0, 1], zone), "x": [1.0, 2.0], "u": [1, 2]}), contract())


def test_addresses_are_left_to_the_reader_of_files(tmp_path: Path) -> None:
    frame().write_parquet(tmp_path / "plant.parquet")
    assert read((tmp_path / "plant.parquet").as_uri(), contract())[0].height == 60


def test_required_columns_must_be_there_and_others_may_lack() -> None:
    with pytest.raises(RoleError, match="'x' was given the role 'observation' and is not in the frame"):
        read(frame().drop("x"), contract())
    with pytest.raises(RoleError, match="Did you mean 'time'"):
        read(
            frame().rename({"time": "Time"}).rename({"Time": "times"}).rename({"times": "time"}),
            _other_time(),
        )
    optional = contract(Column(name="x", role="observation", required=False), Column(name="u", role="action"))
    got, _ = read(frame().drop("x"), optional)
    assert got.columns == ["time", "u"]
    got, _ = read(frame().drop("u"), contract())
    assert got.columns == ["time", "x"]


def _other_time() -> object:
    columns_ = (Column(name="tme", role="time", required=False), *contract().columns[1:])
    return contract().model_copy(update={"columns": columns_})


def test_results_go_back_in_kind_with_their_zone_and_roles() -> None:
    result = frame(3).with_columns(pl.col("time").dt.replace_time_zone("Europe/Berlin"))
    assert back(result, "polars", roles={"u": "latent"}) is result
    in_pandas = back(result, "pandas", roles={"u": "latent"})
    assert str(in_pandas["time"].dtype) == "datetime64[us, Europe/Berlin]"
    assert in_pandas.attrs == {"tslam.roles": {"u": "latent"}}
    table = back(result, "arrow", roles={"u": "latent"})
    assert isinstance(table, pa.Table)
    assert table.schema.field("u").metadata == {b"tslam.role": b"latent"}
    assert table.schema.field("x").metadata is None
    assert table.schema.field("time").type.tz == "Europe/Berlin"
