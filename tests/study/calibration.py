"""docs/calibration.md from the cells that are there: alarms, p-values, peers."""

import sys
from collections.abc import Mapping
from math import log, sqrt
from pathlib import Path
from typing import Any

import attributed
import clean
import empty
import lookalikes
import nulls
import peers
import power
from asked import tally
from store import cells

sys.path.append(str(Path(__file__).parents[1] / "reproduce"))

from page import Plot, Section, Table, write

__all__ = ["page"]

Cells = list[dict[str, Any]]

_ENOUGH = 50
MOVES = power.MIDDLE["rows"] / power.MIDDLE["dwell"]
"""Moves of the hidden action in a record of the power study, on average."""
_LOWEST, _HIGHEST = 0.035, 0.065

_TEXT = """How often the audit is wrong, counted on plants of this library with seeds on which nothing was
chosen, from {first:,} on. `make study` computes the records that are missing, and writes this page from
those that are there; the number of records is in each table. What is not met is said so."""


def page(keys: Mapping[str, list[str]], first: int) -> Path:
    """Write the page.

    Args:
        keys: Of each question, the cells to look at; those not computed yet are left out.
        first: First of their seeds.
    """
    found = {
        name: [known[k] for k in asked if k in known]
        for name, asked in keys.items()
        for known in [cells(name)]
    }
    makers = {
        "clean": _clean,
        "nulls": _nulls,
        "power": _power,
        "lookalikes": _lookalikes,
        "attributed": _attributed,
        "empty": _empty,
        "peers": _peers,
    }
    sections = [make(found[name]) for name, make in makers.items() if found.get(name)]
    text = _TEXT.format(first=first)
    return write("calibration", "How often the audit is wrong", text, sections)


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
    shares, met = nulls.levels(found), Table(("question", "p-values", "share below .05", "met", "uniform, p"))
    for name, (count, share) in shares.items():
        if name.endswith((", all", nulls.AS_IT_IS)):
            told = "" if name.endswith(nulls.AS_IT_IS) else "yes" if _LOWEST <= share <= _HIGHEST else "no"
            even = nulls.uniform(found, name.removesuffix(", all")) if told else None
            met.add(name, count, f"{share:.3f}", told, "" if even is None else f"{even:.2f}")
    kinds = Table(("kind of record", *nulls.tenths(found)))
    for kind in dict.fromkeys(nulls.group(c["key"]) for c in found):
        each = [shares.get(f"{question}, {kind}", (0, 0.0)) for question in nulls.tenths(found)]
        kinds.add(kind, *(f"{share:.3f} of {count}" if count >= _ENOUGH else "" for count, share in each))
    tenths = nulls.tenths(found)
    off = 2.0 * sqrt(0.09 / len(found))
    plot = Plot(
        "calibration-p",
        "p-value",
        "share of p-values in each tenth",
        [0.05 + 0.1 * k for k in range(10)],
        tenths,
        band=(0.1 - off, 0.1 + off),
    )
    return Section(
        "p-values where the answer is no",
        "Each question under its own null: a column of another record, which has no effect on this one; "
        "innovations turned in directions by chance, which share no axis (Bingham); innovations with "
        "signs by chance, which nothing follows (Student). When innovations come and how large they are "
        "stays as the record has it. The aim is .035 to .065 of at least 1,000 p-values, and in each tenth a "
        "tenth (in the plot: within two standard errors); the p-value of their largest distance from that "
        "(Kolmogorov and Smirnov) is given. "
        "The last two are also given for the records as they are: where a model misfits its large "
        "errors do share an axis and do go on, with nothing hidden, so that such a p-value says something"
        " only together with the other conditions of its claim. Other questions have no natural p-value, "
        "or one that is only a bound: that of an outage or a coarse log is an e-value's (Ville), too "
        "large rather than too small; those of a late log, of dead time and of latents are tests of a "
        "gain that was looked for at many places, and stand behind thresholds of 3.5 standard errors and "
        "behind further conditions.",
        [met, kinds],
        [plot],
    )


def _power(found: Cells) -> Section:
    by = Table(
        ("setting", "value", "records", "worth of the log, nats", "told as missing action", "any alarm")
    )
    for name, values in power.shares(found).items():
        for value, (count, worth, right, alarm) in values.items():
            by.add(name, f"{value:g}", count, f"{worth:.0f}", f"{right:.2f}", f"{alarm:.2f}")
    worth = power.by_worth(found)
    table = Table(("worth of the log, nats", "records", "told as missing action", "any alarm"))
    for name, (count, _, right, alarm) in worth:
        table.add(name, count, f"{right:.2f}", f"{alarm:.2f}")
    plot = Plot(
        "calibration-power",
        "worth of the hidden log, nats",
        "share of records",
        [max(middle, 1.0) for _, (_, middle, _, _) in worth],
        {
            "told as missing action": [right for _, (_, _, right, _) in worth],
            "any alarm": [alarm for _, (_, _, _, alarm) in worth],
        },
        marks={"what telling its moves costs": MOVES * log(power.MIDDLE["rows"])},
        log=True,
    )
    return Section(
        "How much it takes",
        "One action dropped from records of a linear plant (noise 1 beside an action of unit effect, held"
        " for 50 rows, 2,000 rows; one setting varied at a time) and of the building (feedback). The "
        "worth of the log is what a linear regression gains, held out, that is given it: the boundary of "
        "what could be known, as nobody can tell from data what a regression with the log cannot use. "
        "Without the log its moves have to be found as well, which costs about the logarithm of the "
        "number of rows for each: with 40 moves in 2,000 rows 300 nats (dotted). Alarms to the left of it"
        " are of levels that wander, said to be a driver or `undetermined`.",
        [by, table],
        [plot],
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


def _attributed(found: Cells) -> Section:
    table = Table(("unlogged", "part", "records", "channels", "within .05", "median distance", "largest"))
    for (logs, part), (records, channels, close, median, most) in attributed.shares(found).items():
        table.add(logs, part, records, channels, f"{close:.3f}", f"{median:.3f}", f"{most:.3f}")
    low, high = attributed.off(found)
    return Section(
        "Shares of what happened",
        "What history, logged actions, exogenous variables and latents explain of each channel of a linear "
        "plant, against what its matrices say, with every action logged and with one hidden; and what "
        "latents explain on plants that bend, against what the hidden log takes off the error. The aim "
        f"is .05. Of the latents' shares that are farther, {low} are too small and {high} too large: what is "
        "hidden is rather told too little than too much.",
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
            "LPCMCI, confounded",
            "audit, any alarm",
            "audit, right",
        )
    )
    for fault, rates in peers.rates(found).items():
        right = rates.get("right kind and column")
        table.add(
            fault,
            int(rates["records"]),
            *(f"{rates[k]:.2f}" for k in ("changes", "odd")),
            f"{rates['confounded']:.2f} of {int(rates['asked of'])}",
            f"{rates['any alarm']:.2f}",
            "" if right is None else f"{right:.2f}",
        )
    return Section(
        "What one would take instead",
        "The same records with one logged action dropped, its log frozen for an eighth of the "
        "record, or made on-or-off. Change points (ruptures) and an isolation forest (scikit-"
        "learn) look at the residuals of a VARX; LPCMCI (tigramite), asked where there are at most six "
        "observations, counts pairs of them that something unmeasured drives. Their threshold is the one "
        "that at most a twentieth of these very clean records pass. They name no "
        "kind and no column; the last column asks the audit for both (for a dropped action, for "
        "the kind).",
        [table],
    )
