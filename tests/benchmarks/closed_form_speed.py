"""The closed form over a long record: seconds and memory for 10 million rows of 50 columns, made as they go.

Takes the number of rows and of columns as arguments. The record is simulated chunk by chunk and never held,
so that the peak of memory is that of one chunk and of the moments. Half as many rows must take half the time
and the same memory.
"""

import resource
import sys
import time
from collections.abc import Iterator

import numpy as np

from tslam.dynamics.closed_form import fit_closed_form
from tslam.dynamics.moments import gather

CHUNK = 50_000


def chunks(rows: int, chan: int, simulated: list[float]) -> Iterator[np.ndarray]:
    """Pairs (o_t, o_{t+1}) of a record; what simulating it takes is added to ``simulated``."""
    rng = np.random.default_rng(0)
    effect = np.linalg.qr(rng.normal(size=(chan, 5)))[0].astype(np.float64)
    for at in range(0, rows, CHUNK):
        began = time.perf_counter()
        n = min(CHUNK, rows - at)
        pair = np.empty((n, 2 * chan))
        o = pair[:, :chan]
        o[:] = noise = rng.standard_normal((n, chan))
        pair[:, chan:] = 0.9 * o + rng.standard_normal((n, 5)) @ effect.T + 0.1 * noise[::-1]
        simulated[0] += time.perf_counter() - began
        yield pair


def main(rows: int, chan: int) -> None:
    """Print one line for half the rows and one for all of them."""
    print(f"{'rows':>12}{'columns':>9}{'fit s':>9}{'simulate s':>12}{'peak MiB':>10}{'loss':>12}")
    for count in (rows // 2, rows):
        simulated = [0.0]
        began = time.perf_counter()
        lam = fit_closed_form(gather(chunks(count, chan, simulated)), chan, 5)
        seconds = time.perf_counter() - began - simulated[0]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        loss = f"{lam.loss:.6f}"
        print(f"{count:>12,}{chan:>9}{seconds:>9.1f}{simulated[0]:>12.1f}{peak:>10.0f}{loss:>12}")


if __name__ == "__main__":
    given = [int(word.replace("_", "")) for word in sys.argv[1:]]
    main(*(given + [10_000_000, 50][len(given) :]))
