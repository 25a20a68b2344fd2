"""``make study``: is the audit as sure as it says? Cells that are kept, and a page of the docs.

Arguments: ``--only clean lookalikes``, ``--cells 300`` (records of each question), ``--minutes 60`` (of
computing, then the page is written from what there is), ``--fresh`` (anew where the library has changed since),
``--no-page``.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "reproduce"))  # page.py: one way to write a page

import clean
import lookalikes
from records import FIRST_SEED
from store import fill

QUESTIONS = {"clean": clean, "lookalikes": lookalikes}


def main() -> None:
    """Fill in the cells that are missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(QUESTIONS), choices=list(QUESTIONS))
    parser.add_argument("--cells", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--no-page", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    until = time.time() + 60.0 * asked.minutes if asked.minutes else 0.0
    for name in asked.only:
        question = QUESTIONS[name]
        fill(name, question.wanted(asked.cells, asked.first_seed), question.cell, fresh=asked.fresh, until=until)


if __name__ == "__main__":
    main()
