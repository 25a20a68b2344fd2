"""Parquet files as one lazy frame."""

import glob
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from tslam.errors import FrameError

__all__ = ["files_at", "scan", "scan_files"]

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

    Args:
        path: A file, a folder or a glob.

    Raises:
        FrameError: there is no such file, or it is not named as Parquet.
    """
    if "://" in path:
        return pl.scan_parquet(path)
    return scan_files(files_at(path))


def scan_files(files: Iterable[str]) -> pl.LazyFrame:
    """Parquet files one below the other; a column that some files lack is null there."""
    return pl.concat([pl.scan_parquet(file) for file in files], how="diagonal_relaxed")
