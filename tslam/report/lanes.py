"""The timeline as lanes on one time axis: gaps, logged actions, latents and the channels they drive."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from tslam.audit.gap import Gap, Stamp
from tslam.contract.roles import Role
from tslam.report.clock import Clock, Tick
from tslam.report.facts import Track
from tslam.report.svg import element
from tslam.report.words import KIND_WORDS, joined, number

if TYPE_CHECKING:
    from tslam.report.model import GapReport

__all__ = ["HUES", "Board", "Lane", "boards"]

HUES = 8
"""Number of distinct hues for latents in the style sheet."""

_WIDTH, _PAD = 1000.0, 4.0
_HEIGHTS = {Role.ACTION: 34.0, Role.LATENT: 52.0}
_GAP_HEIGHT = 14.0
_MOST_GAPS = 12
_LEAST_WINDOW = 3.0


@dataclass(frozen=True)
class Lane:
    """One row of a board."""

    label: str
    note: str
    kind: str
    plot: Markup
    target: str | None = None
    """Fragment of the gap that the row belongs to."""


@dataclass(frozen=True)
class Board:
    """The lanes of one series and the marks of their common axis."""

    series: str | None
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    gaps_left_out: int


def boards(report: "GapReport", clock: Clock) -> list[Board]:
    """One board per drawn series, in the order of the timeline."""
    names = dict.fromkeys(track.series for track in report.timeline.tracks)
    return [_board(report, clock, name) for name in names]


def _board(report: "GapReport", clock: Clock, series: str | None) -> Board:
    tracks = [t for t in report.timeline.tracks if t.series == series and t.times]
    if not tracks:
        return Board(series, (), (), 0)
    low = min((t.times[0] for t in tracks), key=clock.axis)
    high = max((t.times[-1] for t in tracks), key=clock.axis)
    ticks = tuple(clock.ticks(low, high))
    gaps = [
        (i, g)
        for i, g in enumerate(report.gaps, 1)
        if g.series is None or series is None or series in g.series
    ]
    ruler = _Ruler(clock, clock.axis(low), max(clock.axis(high) - clock.axis(low), 1e-9), ticks)
    latents = [latent.name for latent in report.findings.latents]
    lanes = [_gap_lane(i, g, ruler) for i, g in gaps[:_MOST_GAPS]]
    lanes += [_track_lane(t, [g for _, g in gaps], latents, ruler) for t in tracks]
    return Board(series, tuple(lanes), ticks, max(0, len(gaps) - _MOST_GAPS))


@dataclass(frozen=True)
class _Ruler:
    clock: Clock
    first: float
    span: float
    ticks: tuple[Tick, ...]

    def x(self, stamp: Stamp) -> float:
        return _WIDTH * min(1.0, max(0.0, (self.clock.axis(stamp) - self.first) / self.span))

    def window(self, window: tuple[Stamp, Stamp], height: float, tip: str, class_: str) -> Markup:
        left, right = self.x(window[0]), self.x(window[1])
        left = min(left, _WIDTH - _LEAST_WINDOW)
        said = element("title", f"{tip}, {self.clock.window(*window)}")
        return element(
            "rect", said, class_=class_, x=left, y=0, width=max(right - left, _LEAST_WINDOW), height=height
        )

    def plot(self, height: float, title: str, desc: str, *drawn: Markup) -> Markup:
        grid = [
            element("line", class_="grid", x1=_WIDTH * t.at, x2=_WIDTH * t.at, y1=0, y2=height)
            for t in self.ticks
        ]
        return element(
            "svg",
            element("title", title),
            element("desc", desc),
            *grid,
            *drawn,
            role="img",
            viewBox=f"0 0 {_WIDTH:.0f} {height:.0f}",
            preserveAspectRatio="none",
            height=height,
            width="100%",
        )


def _gap_lane(position: int, gap: Gap, ruler: _Ruler) -> Lane:
    words = KIND_WORDS[gap.kind]
    about = gap.column or joined(gap.latents, most=2)
    if gap.windows:
        drawn = [ruler.window(w, _GAP_HEIGHT, words, f"window {gap.severity.value}") for w in gap.windows]
        when = f"{len(gap.windows)} window{'s' * (len(gap.windows) != 1)}"
    else:
        middle = _GAP_HEIGHT / 2
        drawn = [
            element("line", class_=f"always {gap.severity.value}", x1=0, x2=_WIDTH, y1=middle, y2=middle)
        ]
        when = "whole period"
    plot = ruler.plot(
        _GAP_HEIGHT, f"Gap {position}: {words} {about}", f"{gap.severity.value}, {when}", *drawn
    )
    return Lane(f"{position} {words} {about}".strip(), when, "gap", plot, f"gap-{position}")


def _track_lane(track: Track, gaps: list[Gap], latents: list[str], ruler: _Ruler) -> Lane:
    height = _HEIGHTS.get(track.role, 40.0)
    measured = [v for v in track.values if v is not None]
    low, high = (min(measured), max(measured)) if measured else (0.0, 0.0)
    steps = track.role is Role.ACTION
    line = element("path", d=" ".join(_path(track, ruler, height, low, high, steps=steps)), class_="line")
    about = {w: g for g in reversed(gaps) if track.name in {*g.latents, g.column} for w in g.windows}
    shaded = [
        ruler.window(w, height, KIND_WORDS[g.kind], f"window {g.severity.value}") for w, g in about.items()
    ]
    kind = track.role.value
    if track.role is Role.LATENT:
        kind += f" hue-{(latents.index(track.name) if track.name in latents else 0) % HUES}"
    note = _note(track, low, high) if measured else "no values"
    title = f"{track.name} ({track.role.value}{', inferred' * (track.role is Role.LATENT)})"
    return Lane(track.name, note, kind, ruler.plot(height, title, f"Over time; {note}", *shaded, line))


def _path(
    track: Track, ruler: _Ruler, height: float, low: float, high: float, *, steps: bool
) -> Iterator[str]:
    scale = (height - 2 * _PAD) / ((high - low) or 1.0)
    flat = height / 2
    down = False
    for stamp, value in zip(track.times, track.values, strict=True):
        if value is None:
            if down and steps:
                yield f"H{ruler.x(stamp):.1f}"
            down = False
            continue
        x, y = ruler.x(stamp), flat if high == low else height - _PAD - (value - low) * scale
        if not down:
            yield f"M{x:.1f} {y:.1f}"
        else:
            yield f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}"
        down = True


def _note(track: Track, low: float, high: float) -> str:
    if track.levels is not None:
        return f"{len(track.levels)} levels: {joined(track.levels, most=3)}"
    unit = f" {track.unit}" if track.unit else ""
    return f"{number(low)}{unit}" if low == high else f"{number(low)} to {number(high)}{unit}"
