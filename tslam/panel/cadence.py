"""The cadence: the one step that the stamps of all series share, found or checked, and explained."""

import numpy as np
from jaxtyping import Bool, Float

from tslam.errors import CadenceError
from tslam.panel.clock import MICROSECONDS, Clock

__all__ = ["EXACT", "TOLERANCE", "find_step"]

TOLERANCE = 0.1
"""Share of a step that a stamp may lie off its grid row."""
EXACT = 1e-4
"""Share of a step below which a deviation is rounding."""

_MIXED = 0.2
"""Share of steps off every multiple of the cadence from which there is no cadence."""
_RARE = 0.05
"""Share of steps of one cadence below which a given cadence is not that of the rows."""
_VOTES = 10
"""Steps that a series needs for a say of its own."""

_Steps = Float[np.ndarray, " _"]


def find_step(steps: dict[str, _Steps], clock: Clock, given: tuple[float, str] | None) -> tuple[float, str]:
    """The cadence in ticks, and one sentence that says what it rests on.

    Args:
        steps: Ticks from each stamp to the next (all above 0), by series.
        clock: Turns ticks into words.
        given: A cadence in ticks that holds, and where it comes from; None to take the most common step.

    Raises:
        CadenceError: series differ in cadence, too many steps are no multiple of it, or hardly any is it.
    """
    pooled = np.concatenate(list(steps.values()))
    step, reason = given or (_common(steps, pooled, clock), "the most common step")
    for name, own in [*steps.items(), (None, pooled)]:
        if own.size >= (_VOTES if name else 1) and (share := _off(own / step).mean()) > _MIXED:
            where = f"series {name!r}" if name and len(steps) > 1 else "the time column"
            raise CadenceError(
                f"Mixed cadence in {where}: {share:.0%} of {own.size} steps are no multiple of "
                f"{clock.span(step)}, which is {reason}. Found steps: {_table(own, step, clock)}. "
                "Resample to one cadence, or give freq, the step that all others are multiples of."
            )
    if np.mean(np.abs(pooled / step - 1) <= 2 * TOLERANCE) < _RARE:
        raise CadenceError(
            f"The cadence is {clock.span(step)}, {reason}, and hardly a row follows the one before by that: "
            f"{_table(pooled, step, clock)}. Resample to that cadence, or give the freq that the rows have."
        )
    return step, f"Cadence {clock.span(step)}, {reason}: {_table(pooled, step, clock)}."


def _common(steps: dict[str, _Steps], pooled: _Steps, clock: Clock) -> float:
    """The most common step, on which every series with enough rows must agree."""
    voters = {name: own for name, own in steps.items() if own.size >= _VOTES} or {"": pooled}
    found = {name: _typical(own, clock) for name, own in voters.items()}
    names: dict[float, list[str]] = {}
    for name, step in found.items():
        same = next((other for other in names if abs(other - step) < TOLERANCE * min(other, step)), step)
        names.setdefault(same, []).append(name)
    if len(names) > 1:
        listing = "; ".join(
            f"{clock.span(step)}: "
            f"{', '.join(map(repr, who[:5]))}{f' and {len(who) - 5} more' * (len(who) > 5)}"
            for step, who in sorted(names.items())
        )
        raise CadenceError(
            f"Series differ in cadence: {listing}. Resample them to one cadence, fit them apart, or give "
            "freq, the step that all others are multiples of."
        )
    return found[max(voters, key=lambda name: voters[name].size)]


def _typical(steps: _Steps, clock: Clock) -> float:
    """The centre of the densest bunch of steps (a quarter wide); where steps jitter, made a round number."""
    ordered = np.sort(steps)
    ends = np.searchsorted(ordered, 1.25 * ordered, side="right")
    first = int(np.argmax(ends - np.arange(ordered.size)))
    centre = float(np.median(ordered[first : ends[first]]))
    if np.mean(np.abs(steps / centre - 1) < EXACT) >= 0.5 * np.mean(
        np.abs(steps / centre - 1) < 2 * TOLERANCE
    ):
        return centre if clock.dated else float(f"{centre:.9g}")
    near = steps[np.abs(steps / centre - 1) < 2 * TOLERANCE]
    return _round(float(near.mean()), clock)


def _round(step: float, clock: Clock) -> float:
    """The roundest number within half a per cent."""
    decimal = 10.0 ** np.floor(np.log10(step))
    units = [*reversed(MICROSECONDS.values())] if clock.dated else [decimal, decimal / 10, decimal / 100]
    rounded = [float(np.rint(step / unit) * unit) for unit in units]
    nearest = next((value for value in rounded if abs(value - step) < 0.005 * step), step)
    return nearest if clock.dated else float(f"{nearest:.9g}")


def _off(ratio: _Steps) -> Bool[np.ndarray, " _"]:
    """Where a step is no multiple of the cadence; two stamps may each be off by the tolerance."""
    return np.asarray((np.abs(ratio - np.rint(ratio)) > 2 * TOLERANCE) | (ratio < 0.5))


def _table(steps: _Steps, step: float, clock: Clock) -> str:
    """The most common steps and their shares; steps within a twentieth of the cadence count as one."""
    ratio = steps / step
    digits = np.where(ratio < 1, 10.0 ** (1 - np.floor(np.log10(ratio))), 20)
    alike = np.where(np.abs(ratio - 1) < TOLERANCE, 1, np.round(ratio * digits) / digits)
    values, firsts, counts = np.unique(alike, return_index=True, return_counts=True)
    spans = np.where(values == 1, step, steps[firsts])
    top = np.argsort(-counts, kind="stable")[:4]
    said = ", ".join(f"{clock.span(float(spans[i]))} in {_percent(counts[i] / steps.size)}" for i in top)
    rest = counts.sum() - counts[top].sum()
    return said + (f", others in {_percent(rest / steps.size)}" if rest else "") + f" of {steps.size} steps"


def _percent(share: float) -> str:
    return "100%" if share == 1 else f"{min(max(share, 0.001), 0.999):.1%}"
