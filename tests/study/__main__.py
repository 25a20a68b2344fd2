"""``make study``: how often does the audit alarm where nothing is hidden? Cells that are kept.

Arguments: ``--only clean lookalikes``, ``--cells 300`` (records of each question), ``--first-seed 40000``,
``--minutes 60`` (stop then; the next run goes on), ``--fresh`` (anew where the library has changed since).
"""

import argparse
import time
import warnings

import clean
import lookalikes
from asked import tally
from records import FIRST_SEED
from store import cells, fill

QUESTIONS = {"clean": clean, "lookalikes": lookalikes}


def main() -> None:
    """Fill in the cells that are missing, and say what they amount to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(QUESTIONS), choices=list(QUESTIONS))
    parser.add_argument("--cells", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--fresh", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    until = time.time() + 60.0 * asked.minutes if asked.minutes else 0.0
    for name in asked.only:
        question = QUESTIONS[name]
        wanted = question.wanted(asked.cells, asked.first_seed)
        fill(name, wanted, question.cell, fresh=asked.fresh, until=until)
        known = cells(name)
        print(f"\n{name}: records, any alarm, missing action called critical")
        for group, counts in tally(question.group, [known[k] for k in wanted if k in known]).items():
            print(f"  {group}: {', '.join(map(str, counts))}")


if __name__ == "__main__":
    main()
