"""Rows of a frame on a regular grid: each stamp gets a grid row, long gaps get none and end a segment."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.lib.stride_tricks import sliding_window_view

from tslam.errors import CadenceError
from tslam.panel.cadence import EXACT, TOLERANCE, find_step
from tslam.panel.clock import Clock
from tslam.panel.panel import Segment

__all__ = ["Grid", "lay"]

_WINDOW = 9
"""Stamps whose median offset is the local phase of the grid."""
_FAR = 1e12
"""Steps from which one gap is as long as any other."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the rows of a frame lie.

    ``source[i]`` is the row of the frame that stands in grid row ``position[i]``; ``ticks`` and
    ``series`` have one value per grid row.
    """

    source: Int[np.ndarray, " kept"]
    position: Int[np.ndarray, " kept"]
    ticks: Float[np.ndarray, " rows"]
    series: Int[np.ndarray, " rows"]
    segments: tuple[Segment, ...]
    step: float
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Stamps:
    """Stamps sorted by series and time, with their slot on the grid of their run."""

    source: Int[np.ndarray, " n"]
    series: Int[np.ndarray, " n"]
    ticks: Float[np.ndarray, " n"]
    slot: Int[np.ndarray, " n"]
    run: Int[np.ndarray, " n"]

    def take(self, keep: np.ndarray) -> "_Stamps":
        return _Stamps(*(value[keep] for value in vars(self).values()))


def lay(
    clock: Clock,
    series: Int[np.ndarray, " n"],
    names: tuple[str, ...],
    measured: Bool[np.ndarray, " n"],
    *,
    given: tuple[float, str] | None,
    max_gap: int,
) -> Grid:
    """Lay the rows of a frame on a grid.

    Stamps up to a tenth of a step off belong to their grid row; where the phase jumps (a logger that
    restarted), a new segment begins; a single stamp further off has no place. Rows without any
    measured observation are like rows that are not there: up to ``max_gap`` of them in sequence stay
    as masked rows, more end the segment.

    Args:
        clock: One stamp per row.
        series: Index into ``names`` per row.
        names: The series.
        measured: Has the row any measured observation?
        given: The cadence in ticks and where it comes from, where it is not to be found.
        max_gap: Missing steps that stay as masked rows.

    Raises:
        CadenceError: duplicate stamps, or no common cadence.
    """
    order = np.lexsort((clock.ticks, series))
    ticks, codes = clock.ticks[order], series[order]
    inside = codes[1:] == codes[:-1]
    _refuse_duplicates(clock, names, ticks, codes, order)
    steps, first = np.diff(ticks), np.flatnonzero(np.r_[True, ~inside])
    by_series = {
        names[codes[i]]: part[1:]
        for i, part in zip(first, np.split(np.r_[0.0, steps], first[1:]), strict=True)
        if part.size > 1
    }
    if not by_series:
        raise CadenceError(
            f"No series has two rows ({order.size} rows, {len(names)} series), so there is no step from "
            "one row to the next. Is the series column an identifier of rows? Name the one that tells "
            "series apart."
        )
    step, reason = find_step(by_series, clock, given)
    slot, run, stray = _slots(ticks, first, step)
    stamps = _Stamps(order, codes, ticks, slot, run).take(~stray)
    notes = [reason, *_sorted_note(clock.ticks, series)]
    notes += _offset_notes(clock, steps[inside], step, stray, ticks)
    return _place(stamps, measured[stamps.source], step, max_gap, notes)


def _refuse_duplicates(
    clock: Clock, names: tuple[str, ...], ticks: np.ndarray, codes: np.ndarray, order: np.ndarray
) -> None:
    twice = np.flatnonzero((np.diff(ticks) == 0) & (np.diff(codes) == 0))
    if not twice.size:
        return
    firsts = "; ".join(
        f"{clock.stamps(ticks[[i]])}{f' in series {names[codes[i]]!r}' * (len(names) > 1)} "
        f"(rows {sorted(order[i : i + 2].tolist())})"
        for i in twice[:3]
    )
    local = (
        " Local time repeats an hour when summer time ends: give such stamps their zone (a datetime with "
        "time_zone)."
        if clock.dated and clock.timezone is None
        else ""
    )
    raise CadenceError(
        f"{twice.size} duplicate time stamps; the first: {firsts}. Name the series column if several "
        f"series share the clock, otherwise keep one row per stamp (drop or aggregate the copies).{local}"
    )


def _sorted_note(ticks: np.ndarray, series: np.ndarray) -> list[str]:
    order = np.argsort(series, kind="stable")
    back = int(np.sum((np.diff(ticks[order]) < 0) & (np.diff(series[order]) == 0)))
    return [f"Rows were not in order of time ({back} steps back); they were sorted."] if back else []


def _slots(ticks: np.ndarray, first: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slot of each stamp, run of one phase that it belongs to, and whether it has no place."""
    ratio = np.minimum(np.diff(ticks, prepend=ticks[0]) / step, _FAR)
    ratio[first] = 0
    slot = np.cumsum(np.rint(ratio)).astype(np.int64)
    starts = np.zeros(ticks.size, bool)
    starts[first] = True
    stray = np.zeros(ticks.size, bool)
    for start, stop in zip(first, np.r_[first[1:], ticks.size], strict=True):
        own = slice(int(start), int(stop))
        steps = ratio[own][1:]
        if np.any(np.abs(steps - np.rint(steps)) > EXACT) or np.any(steps < 0.5):
            stray[own], starts[own] = _phases(np.cumsum(ratio[own]), slot[own] - slot[start])
    return slot, np.cumsum(starts), stray


def _phases(place: np.ndarray, slot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which stamps of one series are stray, and which begin a run of a new phase."""
    offset = place - slot
    half = _WINDOW // 2
    phase = np.median(sliding_window_view(np.pad(offset, half, mode="reflect"), _WINDOW), axis=1)
    stray = np.abs(offset - phase) > TOLERANCE
    kept = np.flatnonzero(~stray)
    jumps = np.abs(np.diff(phase[kept])) > TOLERANCE
    shared = (np.diff(slot[kept]) <= 0) & ~jumps
    stray[kept[1:][shared]] = True
    starts = np.zeros(place.size, bool)
    starts[kept[1:][jumps]] = True
    starts[0] = True
    return stray, starts


def _offset_notes(
    clock: Clock, steps: np.ndarray, step: float, stray: np.ndarray, ticks: np.ndarray
) -> list[str]:
    notes = []
    deviation = np.abs(steps / step - np.rint(steps / step))
    small = (deviation > EXACT) & (deviation <= 2 * TOLERANCE)
    if small.any():
        notes.append(
            f"{int(small.sum())} of {steps.size} steps are not exactly a multiple of {clock.span(step)} "
            f"(off by up to {clock.span(float(np.max(deviation[small])) * step)}); their rows count as on "
            "the grid."
        )
    if stray.any():
        where = np.flatnonzero(stray)
        notes.append(
            f"{where.size} rows lie between grid rows and are left out; the first at "
            f"{clock.stamps(ticks[where[:3]])}."
        )
    return notes


def _place(stamps: _Stamps, measured: np.ndarray, step: float, max_gap: int, notes: list[str]) -> Grid:
    """Cut segments at long gaps in the measurements, and give every kept stamp its grid row."""
    known = np.flatnonzero(measured)
    if not known.size:
        raise CadenceError(
            f"No row with a measured observation lies on the grid. {notes[0]} Check freq, or the time column."
        )
    missing = np.diff(stamps.slot[known]) - 1
    same_series = np.diff(stamps.series[known]) == 0
    breaks = ~same_series | (np.diff(stamps.run[known]) != 0) | (missing > max_gap)
    segment = np.cumsum(np.r_[0, breaks])
    before = np.cumsum(measured) - 1
    after = np.minimum(before + ~measured, known.size - 1)
    keep = (before >= 0) & (segment[before] == segment[after]) & (measured | (before < after))
    kept, segment = stamps.take(keep), segment[before[keep]]
    new = np.diff(segment, prepend=-1) != 0
    position = np.cumsum(np.where(new, 1, np.diff(kept.slot, prepend=0))) - 1
    rows = int(position[-1]) + 1
    starts, begin = position[new], np.flatnonzero(new)
    stops = np.r_[starts[1:], rows]
    owners = kept.series[begin]
    long = same_series & (missing > max_gap)
    masked, shifts = rows - known.size, int(breaks[same_series].sum() - long.sum())
    notes += _gap_notes(masked, int(long.sum()), shifts, measured.size - kept.source.size, max_gap)
    return Grid(
        source=kept.source,
        position=position,
        ticks=np.interp(np.arange(rows), position, kept.ticks),
        series=np.repeat(owners, stops - starts),
        segments=tuple(
            Segment(int(owner), int(start), int(stop))
            for owner, start, stop in zip(owners, starts, stops, strict=True)
        ),
        step=step,
        notes=tuple(notes),
    )


def _gap_notes(masked: int, long: int, shifts: int, empty: int, max_gap: int) -> list[str]:
    said = {
        f"{masked} grid rows have no measured observation and stay masked (missing, not imputed).": masked,
        f"{long} gaps are longer than max_gap={max_gap} steps; each ends a segment.": long,
        f"The clock shifted by part of a step {shifts} times; each shift begins a new segment.": shifts,
        f"{empty} rows without any observation lie before, after or in long gaps of the record; they are "
        "left out.": empty,
    }
    return [note for note, count in said.items() if count]
