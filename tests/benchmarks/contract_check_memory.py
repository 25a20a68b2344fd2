"""`tslam contract check` of a long Parquet data set: seconds and peak memory, measured from outside.

``python tests/benchmarks/contract_check_memory.py [rows]``
"""

import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tslam.contract import Column, Contract

FILES = 20
LIMIT_GB = 1.5


def write(folder: Path, rows: int) -> Contract:
    """Files of two series and ten columns; one value in the last file is out of range."""
    rng = np.random.default_rng(0)
    each = rows // FILES
    for file in range(FILES):
        start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=each // 2 * file)
        half = pl.datetime_range(start, start + timedelta(seconds=each // 2 - 1), "1s", eager=True)
        columns = {f"x{i}": rng.uniform(0, 1, each) for i in range(8)}
        if file == FILES - 1:
            columns["x3"][-1] = 7.0
        frame = pl.DataFrame({"ts": pl.concat([half, half]), "unit": ["a"] * len(half) + ["b"] * len(half)})
        frame.with_columns(**{name: pl.Series(values) for name, values in columns.items()}).write_parquet(
            folder / f"part-{file:03d}.parquet"
        )
    measured = [Column(name=f"x{i}", role="observation", minimum=0, maximum=1) for i in range(8)]
    return Contract(
        name="long",
        columns=(Column(name="ts", role="time"), Column(name="unit", role="series"), *measured),
    )


def main(rows: int = 20_000_000) -> int:
    """Measure, print a line, and fail above the limit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, rows).to_odcs(folder / "long.odcs.yaml")
        started = time.perf_counter()
        code = "from tslam.cli import main; import sys; main(sys.argv[1:])"
        done = subprocess.run(
            [sys.executable, "-c", code, "contract", "check", str(folder), str(folder / "long.odcs.yaml")],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(done.stdout + done.stderr)
    print(f"{rows:,} rows, 10 columns, {FILES} files: {seconds:.1f} s, peak {peak:.2f} GB (limit {LIMIT_GB})")
    found = done.returncode == 1 and f"x3: found 7.0 in row {rows - 1}" in done.stdout
    return 0 if found and peak < LIMIT_GB else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
