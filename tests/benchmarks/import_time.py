"""How long the front doors take to open, beside the one library that they cannot do without."""

import statistics
import subprocess
import sys
import time

RUNS = 7
DOORS = ("polars", "tslam", "tslam.cli", "tslam.contract", "tslam.fitting")


def seconds(code: str) -> float:
    """Median wall time of a fresh interpreter that runs this, without its own start."""
    took = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def main() -> None:
    """Print one line for each door."""
    bare = seconds("pass")
    print(f"{'import':<16}seconds (median of {RUNS})")
    for door in DOORS:
        print(f"{door:<16}{seconds(f'import {door}') - bare:.3f}")


if __name__ == "__main__":
    main()
