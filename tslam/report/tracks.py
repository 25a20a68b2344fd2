"""The lines of the timeline: what is drawn, in physical units, thinned to what an eye can see."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.audit.gap import Findings
from tslam.contract.model import Contract
from tslam.contract.roles import Role
from tslam.panel.panel import Panel, Segment
from tslam.report.decode import Decoded, decode, stamps
from tslam.report.facts import Timeline, Track

__all__ = ["timeline"]

_POINTS = 600
_SERIES, _ACTIONS, _LATENTS, _CHANNELS = 3, 16, 8, 3


def timeline(
    panel: Panel, findings: Findings, latents: Float[np.ndarray, "rows latent"], names: Sequence[str]
) -> Timeline:
    """Logged actions, latents and the channels that they drive, for the series that gaps speak of first.

    Args:
        panel: the data.
        findings: what the audit found; it says what is worth drawing.
        latents: one column per latent, NaN where nothing can be said.
        names: names of the latents.
    """
    gaps = findings.gaps
    shown, rest = _first((s for g in gaps for s in g.series or ()), panel.series_names, _SERIES)
    actions, more_actions = _first((g.column for g in gaps if g.column), panel.action_columns(), _ACTIONS)
    driven = [c for g in gaps for c in g.channels] + [
        c for latent in findings.latents for c in latent.channels
    ]
    observed = [code.column for code in panel.encoding.of(Role.OBSERVATION)]
    channels, more_channels = _first(driven, observed, _CHANNELS)
    earned = [n for g in gaps for n in g.latents] + [
        latent.name for latent in findings.latents if latent.earned
    ]
    chosen, more_latents = _first(earned, names, _LATENTS)
    lines = [(name, Role.ACTION, decode(panel, name)) for name in panel.action_columns() if name in actions]
    lines += [(n, Role.LATENT, Decoded(latents[:, i])) for i, n in enumerate(names) if n in chosen]
    lines += [(name, Role.OBSERVATION, decode(panel, name)) for name in channels]
    tracks = [
        _track(panel, series, name, role, decoded)
        for series in panel.series_names
        if series in shown
        for name, role, decoded in lines
        if decoded is not None
    ]
    left_out = [*(f"series {name}" for name in rest), *more_actions, *more_latents, *more_channels]
    return Timeline(tracks=tuple(t for t in tracks if t.times), left_out=tuple(left_out))


def _first(wanted: Iterable[str], available: Sequence[str], most: int) -> tuple[list[str], list[str]]:
    """The first ``most`` names, the wanted ones before the others, and the rest in their order."""
    known = set(available)
    ordered = list(dict.fromkeys([*(name for name in wanted if name in known), *available]))
    chosen = ordered[:most]
    return chosen, [name for name in available if name not in set(chosen)]


def _track(panel: Panel, series: str, name: str, role: Role, decoded: Decoded) -> Track:
    position = panel.series_names.index(series)
    segments = sorted((s for s in panel.segments if s.series == position), key=lambda s: panel.time[s.start])
    rows, broken = _with_breaks(segments)
    values = np.where(broken, np.nan, decoded.values[rows])
    kept, thinned = _thin(values, steps=role is Role.ACTION)
    return Track(
        name=name,
        role=role,
        series=series if len(panel.series_names) > 1 else None,
        unit=_unit(panel.contract, name),
        levels=decoded.levels,
        times=stamps(panel, rows[kept]),
        values=tuple(float(f"{v:.5g}") if np.isfinite(v) else None for v in values[kept]),
        thinned=thinned,
    )


def _with_breaks(segments: Sequence[Segment]) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """The rows of the segments, each followed by its last row again, marked as a break."""
    rows = [np.append(np.arange(s.start, s.stop), s.stop - 1) for s in segments if s.stop > s.start]
    breaks = [np.append(np.zeros(s.stop - s.start, dtype=bool), True) for s in segments if s.stop > s.start]
    if not rows:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=bool)
    return np.concatenate(rows), np.concatenate(breaks)


def _thin(values: Float[np.ndarray, " n"], *, steps: bool) -> tuple[Int[np.ndarray, " m"], bool]:
    """Positions to keep, at most ``_POINTS``: changes of a step line, else the extremes of each stretch."""
    if steps:
        missing = np.isnan(values)
        same = (values[1:] == values[:-1]) | (missing[1:] & missing[:-1])
        edges = (
            np.flatnonzero(np.concatenate([[True], ~same[:-1], [True]]))
            if values.size > 1
            else np.arange(values.size)
        )
        if edges.size <= _POINTS:
            return edges, False
    if values.size <= _POINTS:
        return np.arange(values.size), False
    kept: set[int] = set()
    for stretch in np.array_split(np.arange(values.size), _POINTS // 2):
        measured = stretch[np.isfinite(values[stretch])]
        if measured.size:
            kept |= {int(measured[np.argmin(values[measured])]), int(measured[np.argmax(values[measured])])}
        else:
            kept.add(int(stretch[0]))
    return np.array(sorted(kept)), True


def _unit(contract: Contract, name: str) -> str | None:
    return next((c.unit for c in contract.columns if c.name == name), None)
