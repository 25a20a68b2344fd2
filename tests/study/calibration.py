"""docs/calibration.md from the cells that are there: alarms, p-values, peers."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import clean
import empty
import lookalikes
import nulls
import peers
from asked import tally
from store import cells

sys.path.append(str(Path(__file__).parents[1] / "reproduce"))

from page import Section, Table, write

__all__ = ["page"]

Cells = list[dict[str, Any]]

_ENOUGH = 50
_LOWEST, _HIGHEST = 0.035, 0.065

_TEXT = """How often the audit is wrong, counted on plants of this library with seeds on which nothing was
chosen. `make study` computes the records that are missing, and writes this page from those that are
there; the number of records is in each table. What is not met is said so."""


def page(keys: Mapping[str, list[str]]) -> Path:
    """Write the page.

    Args:
        keys: Of each question, the cells to look at; those not computed yet are left out.
    """
    found = {
        name: [known[k] for k in asked if k in known]
        for name, asked in keys.items()
        for known in [cells(name)]
    }
    makers = {"clean": _clean, "nulls": _nulls, "lookalikes": _lookalikes, "empty": _empty, "peers": _peers}
    sections = [makers[name](these) for name, these in found.items() if these]
    return write("calibration", "How often the audit is wrong", _TEXT, sections)


def _clean(found: Cells) -> Section:
    table = Table(("kind of record", "records", "any alarm", "missing action called critical"))
    for name, counts in tally(clean.group, found).items():
        table.add(name, *counts)
    return Section(
        "Nothing hidden",
        "Records of 800 to 3,000 rows with nothing wrong; an alarm is a gap at `warning` or "
        "above. The aim is 3% of all.",
        [table],
    )


def _nulls(found: Cells) -> Section:
    table = Table(("question, kind of record", "p-values", "share below .05", "met"))
    for name, (count, share) in nulls.levels(found).items():
        if count >= _ENOUGH:
            met = "yes" if _LOWEST <= share <= _HIGHEST else "no"
            table.add(name, count, f"{share:.3f}", met)
    return Section(
        "p-values where the answer is no",
        "Each question under its own null: a column of another record, which has no effect on this one; "
        "the axis of unlogged moves against directions by chance (Bingham); what follows a move against zero "
        "(t). The last two are asked of whole records, also where the model misfits: such p-values grade a "
        "claim only together with its other conditions. The aim is .035 to .065 of at least 1,000 records; "
        f"kinds with fewer than {_ENOUGH} p-values have no line of their own.",
        [table],
    )


def _lookalikes(found: Cells) -> Section:
    table = Table(("what it is", "records", "any alarm", "missing action called critical"))
    for name, counts in tally(lookalikes.group, found).items():
        table.add(name, *counts)
    return Section(
        "What only looks like an action",
        "A driver or a state that is not measured, a sensor set anew or drifting: how often that "
        "is called a missing action, critically. The aim is 5%.",
        [table],
    )


def _empty(found: Cells) -> Section:
    table = Table(("records", "column said to be empty", "told by a latent", "that names the right column"))
    table.add(*empty.counts(found).values())
    return Section(
        "An action whose column is empty",
        "One logged action of a record has no value at all, its contract still declares it. The aim is that "
        "nine of ten latents that are found name that column (`substitutes_for`).",
        [table],
    )


def _peers(found: Cells) -> Section:
    table = Table(
        (
            "fault",
            "records",
            "VARX, change points",
            "VARX, isolation forest",
            "audit, any alarm",
            "audit, right",
        )
    )
    for fault, rates in peers.rates(found).items():
        right = rates.get("right kind and column")
        table.add(
            fault,
            int(rates["records"]),
            *(f"{rates[k]:.2f}" for k in ("changes", "odd", "any alarm")),
            "" if right is None else f"{right:.2f}",
        )
    return Section(
        "What one would take instead",
        "The same records with one logged action dropped, its log frozen for an eighth of the "
        "record, or made on-or-off. Change points (ruptures) and an isolation forest (scikit-"
        "learn) look at the residuals of a VARX; their threshold is the one that a twentieth of "
        "these very clean records pass, so that `none` is near .05 for them by choice. They name no "
        "kind and no column; the last column asks the audit for both (for a dropped action, for "
        "the kind).",
        [table],
    )
