"""``make study``: how often is the audit wrong? Cells that are kept, and docs/calibration.md from them.

Arguments: ``--only clean nulls lookalikes attributed empty peers power``, ``--cells 300`` (records of each
question), ``--first-seed 320000``, ``--minutes 60`` (stop then; the next run goes on), ``--fresh`` (anew
where the library has changed since).
"""

import argparse
import time
import warnings

import attributed
import clean
import empty
import lookalikes
import nulls
import peers
import power
from calibration import page
from records import FIRST_SEED
from store import fill

QUESTIONS = {
    "clean": clean,
    "nulls": nulls,
    "lookalikes": lookalikes,
    "attributed": attributed,
    "empty": empty,
    "peers": peers,
    "power": power,
}
EACH = {
    "clean": 306,
    "nulls": 3672,
    "lookalikes": 102,
    "attributed": 102,
    "empty": 102,
    "peers": 102,
    "power": 264,
}
"""Records of each question, unless asked otherwise."""


def main() -> None:
    """Fill in the cells that are missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(QUESTIONS), choices=list(QUESTIONS))
    parser.add_argument("--cells", type=int)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--fresh", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    until = time.time() + 60.0 * asked.minutes if asked.minutes else 0.0
    wanted = {name: q.wanted(asked.cells or EACH[name], asked.first_seed) for name, q in QUESTIONS.items()}
    for name in asked.only:
        fill(name, wanted[name], QUESTIONS[name].cell, fresh=asked.fresh, until=until)
    print(page(wanted, asked.first_seed))


if __name__ == "__main__":
    main()
