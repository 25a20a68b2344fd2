"""The label budget: what labels so far are worth, how many a target takes, and which come next."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import Field

from tslam.align.accuracy import accuracy_of
from tslam.align.active import choose
from tslam.align.decoder import fit_decoder, positions
from tslam.align.fit import Asked, in_time, kind_of, spread_of, truth_of
from tslam.align.labels import Label, lay
from tslam.align.reading import learn_reader, read
from tslam.audit.gap import Stamp
from tslam.contract.frozen import Frozen
from tslam.errors import AlignmentError
from tslam.panel.panel import Panel
from tslam.seeding import generator

__all__ = ["LabelBudget", "Point", "Window", "budget", "next_windows"]

_LATE = 0.3
_FEWEST_LATE = 3
_COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_DRAWS = 3
"""Choices of labels behind each point of the curve."""
_EDGES = (0.1, 0.9)


class Point(Frozen):
    """One point of the learning curve, on labels later than all that were learnt from."""

    labels: int
    time: float = Field(description="Labelled time: hours, or units of a numeric time")
    value: float = Field(description="Median over choices of labels: R², or accuracy for levels")
    low: float = Field(description="10% quantile over choices of labels")
    high: float = Field(description="90% quantile")


class Window(Frozen):
    """A stretch to label: first and last stamp, both included."""

    start: Stamp
    end: Stamp
    series: str | None = None
    unsure: float = Field(description="Variance of its reading; a middle and a line have one each, 0 is sure")


class LabelBudget(Frozen):
    """What labels are worth for one action."""

    action: str
    target: float
    curve: tuple[Point, ...]
    labels_needed: int | None = Field(
        description="Fewest labels whose median reaches the target; None: not yet"
    )
    time_needed: float | None = Field(
        description="The same as labelled time: hours, or units of a numeric time"
    )
    next: tuple[Window, ...]


def budget(
    panel: Panel,
    latents: Float[np.ndarray, "rows latent"],
    labels: Sequence[Label],
    asked: Asked,
    target: float,
    suggest: int,
) -> LabelBudget:
    """Measure the learning curve of labels, and choose the next ones.

    Args:
        panel: The record.
        latents: The model's smoothed latents on its rows.
        labels: The labels so far.
        asked: The action.
        target: R², or accuracy, to be reached.
        suggest: How many stretches to suggest.

    Raises:
        AlignmentError: labels are wrong, or too few to hold any out.
    """
    holds = in_time(lay(labels, panel), panel)
    kind = kind_of(holds, asked.kind)
    late = max(round(_LATE * holds.count), _FEWEST_LATE)
    if holds.count - late < 2:
        raise AlignmentError(
            f"{holds.count} labels are too few to measure what labels are worth: {_FEWEST_LATE} are held out "
            "and two or more learnt from. Label more; next_labels says which."
        )
    early = holds.take(range(holds.count - late))
    test = holds.take(range(holds.count - late, holds.count))
    before = panel.time < panel.time[test.rows[0][0]]
    reader = learn_reader(panel, asked.within, before, latents)
    reading = read(reader, panel, latents)
    rows, at = reading.chain.usable & before[reading.chain.rows], positions(test, reading)
    hours = panel.step / 3600.0 if np.issubdtype(panel.time.dtype, np.datetime64) else panel.step
    length = hours * float(np.mean([own.size for own in early.rows]))
    curve = []
    for count in [n for n in _COUNTS if n < early.count] + [early.count]:
        values = []
        for draw in range(_DRAWS if count < early.count else 1):
            order = generator(asked.seed, "labels", str(count), str(draw)).permutation(early.count)
            chosen = early.take(order[:count].tolist())
            if len(set(chosen.values)) < 2:
                continue
            decoder = fit_decoder(reader, reading, chosen, kind, rows, quick=True)
            truth = truth_of(test, at, decoder, len(rows))
            found = accuracy_of(
                decoder.read(reading),
                truth,
                at,
                levels=bool(decoder.levels),
                seed=asked.seed,
                spread=spread_of(holds),
            )
            values.append(found.value)
        if values:
            low, high = np.quantile(values, _EDGES)
            curve.append(
                Point(labels=count, time=count * length, value=float(np.median(values)), low=low, high=high)
            )
    needed = next((p for p in curve if p.value >= target), None)
    return LabelBudget(
        action=asked.action,
        target=target,
        curve=tuple(curve),
        labels_needed=None if needed is None else needed.labels,
        time_needed=None if needed is None else needed.time,
        next=next_windows(panel, latents, labels, asked.within, suggest),
    )


def next_windows(
    panel: Panel,
    latents: Float[np.ndarray, "rows latent"],
    labels: Sequence[Label],
    within: frozenset[str],
    count: int,
) -> tuple[Window, ...]:
    """The stretches to label next, most telling first; there need not be a label yet."""
    reader = learn_reader(panel, within, np.ones(panel.rows, bool), latents)
    reading = read(reader, panel, latents)
    rows = reading.chain.rows
    labelled = np.zeros(panel.rows, bool)
    told = None
    if labels:
        holds = lay(labels, panel, least=1)
        for own in holds.rows:
            labelled[own] = True
        if not any(isinstance(value, str) for value in holds.values):
            told = positions(holds, reading), holds.numbers()
    found = reading.stretches
    stamps = panel.stamps(np.arange(panel.rows))
    out = []
    for i, unsure in choose(reading, found, labelled[rows], count, told):
        first, last = int(rows[found[i][0]]), int(rows[found[i][-1]])
        start: Any = stamps[first]
        end: Any = stamps[last]
        name = panel.series_names[int(panel.series_of[first])] if panel.contract.series is not None else None
        out.append(Window(start=start, end=end, series=name, unsure=unsure))
    return tuple(out)
