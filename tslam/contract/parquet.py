"""Parquet files as one lazy frame."""

import glob
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from tslam.errors import FrameError

__all__ = ["files_at", "scan", "scan_files"]

_NOTHING = "__HIVE_DEFAULT_PARTITION__"
_SUFFIXES = {".parquet", ".pq", ".parq"}


def files_at(path: str) -> list[str]:
    """The Parquet files that a path, a folder or a glob names, in order.

    Raises:
        FrameError: there is no such file, or it is not named as Parquet.
    """
    if Path(path).is_dir():
        path = str(Path(path) / "**" / "*.parquet")
    files = [path] if Path(path).is_file() else sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - absolute globs
    if not files:
        raise FrameError(f"No file at {path!r}. Give the path, folder or glob of Parquet files that exist.")
    other = [f for f in files if Path(f).suffix.lower() not in _SUFFIXES]
    if other:
        raise FrameError(
            f"{other[0]!r} is not named as a Parquet file (.parquet). Read other formats with polars or "
            "pandas and give the frame, for example polars.read_csv(path, try_parse_dates=True)."
        )
    return files


def scan(path: str) -> pl.LazyFrame:
    """Parquet files one below the other; a column that some files lack is null there.

    Below a folder or a glob, folders such as ``unit=a`` are columns (Hive partitions).

    Args:
        path: A file, a folder or a glob.

    Raises:
        FrameError: there is no such file, or it is not named as Parquet.
    """
    if "://" in path:
        return pl.scan_parquet(path)
    return scan_files(files_at(path), path)


def scan_files(files: Iterable[str], path: str) -> pl.LazyFrame:
    """Some of the files that ``path`` names, read as ``scan`` reads all of them.

    Raises:
        FrameError: a file cannot be read.
    """
    base = _base(path)
    return pl.concat([_opened(file, base) for file in files], how="diagonal_relaxed")


def _base(path: str) -> Path:
    """The folder below which a path names files."""
    if Path(path).is_dir():
        return Path(path).resolve()
    plain = takewhile(lambda part: not glob.has_magic(part), Path(path).parent.parts)
    return Path(*plain).resolve()


def _opened(file: str, base: Path) -> pl.LazyFrame:
    where = Path(file).resolve().parent
    below = where.relative_to(base).parts if where.is_relative_to(base) else ()
    said = dict(part.split("=", 1) for part in below if "=" in part)
    plain = pl.scan_parquet(file)
    if not said:
        return plain
    try:
        own = plain.collect_schema()
        types = pl.scan_parquet(file, hive_partitioning=True).collect_schema()
    except pl.exceptions.PolarsError as found:
        raise FrameError(f"{file!r} cannot be read: {found}. Check that it is whole.") from found
    # by hand, since polars would take folders above the base for columns as well
    return plain.with_columns(
        pl.lit(None if value == _NOTHING else unquote(value)).cast(types[key]).alias(key)
        for key, value in said.items()
        if key not in own
    )
