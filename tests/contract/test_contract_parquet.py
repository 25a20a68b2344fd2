"""Parquet files as one lazy frame: plain, in folders that are columns, and not whole."""

from pathlib import Path

import polars as pl
import pytest

from tslam.contract import Contract
from tslam.contract.parquet import scan
from tslam.errors import FrameError

CONTRACT = Contract(
    columns=(
        {"name": "ts", "role": "time"},
        {"name": "unit", "role": "series"},
        {"name": "x", "role": "observation", "maximum": 5},
    )
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two units in folders of their own, below a folder that is named like a partition and is none."""
    for unit, worst in (("a", 1.0), ("b", 9.0)):
        folder = tmp_path / "run=3" / "data" / f"unit={unit}" / "year=2026"
        folder.mkdir(parents=True)
        clock = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1, 0, 4), "1m", eager=True)
        pl.DataFrame({"ts": clock, "x": [1.0, 2.0, 3.0, 4.0, worst]}).write_parquet(folder / "part.parquet")
    return tmp_path / "run=3" / "data"


@pytest.mark.parametrize("form", ["{}", "{}/**/*.parquet", "{}/*/year=2026/*.parquet"])
def test_folders_that_name_a_value_are_columns(data: Path, form: str) -> None:
    frame = scan(form.format(data)).collect()
    assert frame.columns == ["ts", "x", "unit", "year"]
    assert frame["unit"].to_list() == ["a"] * 5 + ["b"] * 5
    result = CONTRACT.check(form.format(data))
    assert [(f.column, f.check, f.row, f.value) for f in result.failures] == [("x", "maximum", 9, 9.0)]


def test_values_have_the_type_that_they_read_like(data: Path) -> None:
    frame = scan(str(data)).collect()
    assert frame.schema["year"].is_integer()
    (data / "unit=b").rename(data / "unit=b%20c")
    (data / "unit=a").rename(data / "unit=__HIVE_DEFAULT_PARTITION__")
    assert scan(str(data)).collect()["unit"].to_list() == [None] * 5 + ["b c"] * 5


def test_a_single_file_is_what_stands_in_it(data: Path) -> None:
    file = data / "unit=a" / "year=2026" / "part.parquet"
    assert scan(str(file)).collect_schema().names() == ["ts", "x"]
    assert scan(str(file.parent)).collect_schema().names() == ["ts", "x"]


def test_what_the_files_say_themselves_is_kept(data: Path) -> None:
    file = data / "unit=a" / "year=2026" / "part.parquet"
    pl.read_parquet(file, hive_partitioning=False).with_columns(run=pl.lit(7)).write_parquet(file)
    assert scan(str(data)).collect()["run"].to_list() == [7] * 5 + [None] * 5


def test_a_file_that_is_not_whole_is_named(data: Path) -> None:
    file = data / "unit=b" / "year=2026" / "part.parquet"
    file.write_bytes(b"PAR1")
    with pytest.raises(FrameError, match=r"unit=b.*cannot be read"):
        CONTRACT.check(str(data))
