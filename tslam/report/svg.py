"""Inline SVG: elements, share bars with intervals, and strips of windows.

Positions are percentages of the drawing's width, so that a bar follows its cell while text and strokes
keep their size. Colours come from the page's style sheet by class.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from tslam.audit.gap import Attribution, Share, Stamp
from tslam.report.clock import Clock
from tslam.report.words import percent

__all__ = ["PARTS", "element", "share_bar", "share_scale", "window_strip"]

PARTS: tuple[tuple[str, str], ...] = (
    ("history", "History"),
    ("actions", "Logged actions"),
    ("exogenous", "Exogenous"),
    ("latents", "Latents"),
)
"""The parts of an attribution in the order in which they are added: field and heading."""

_BAR = 26
_WHISKERS = (8, 18, 8, 18)


def element(name: str, *children: Markup | str, **attributes: str | float | None) -> Markup:
    """One element; text and attribute values are escaped, ``_`` in a keyword is ``-`` in the attribute."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - values and children were escaped above


def share_scale(rows: Iterable[Attribution]) -> float:
    """Length of the axis of a group of share bars: 1, or up to 1.5 where intervals or sums reach further."""
    return max([1.0, *(_reach(row) for row in rows)])


def share_bar(row: Attribution, scale: float = 1.0) -> Markup:
    """The shares of one channel as a stacked bar, each with the whisker of its interval.

    A negative share (a part that made held-out prediction worse) has no length, and the part after it begins
    that much further left; what reaches beyond the axis ends there. The table gives the numbers.

    Args:
        row: shares of one channel in one window.
        scale: share at the right end of the axis.
    """
    drawn: list[Markup] = []
    whiskers: list[Markup] = []
    start = end = 0.0
    for (part, heading), y in zip(PARTS, _WHISKERS, strict=True):
        share: Share = getattr(row, part)
        left, right = (min(max(0.0, at), scale) for at in (start, start + share.value))
        if right > left:
            tip = element(
                "title", f"{heading}: {percent(share.value)} ({percent(share.low)} to {percent(share.high)})"
            )
            drawn.append(
                element(
                    "rect",
                    tip,
                    class_=part,
                    x=_pc(left / scale),
                    y=3,
                    width=_pc((right - left) / scale),
                    height=20,
                )
            )
            whiskers.append(_whisker(start + share.low, start + share.high, y, scale))
        start += share.value
        end = max(end, right)
    if end < 1:
        tip = element("title", f"Unexplained: {percent(row.unexplained)}")
        drawn.append(
            element(
                "rect", tip, class_="rest", x=_pc(end / scale), y=3, width=_pc((1 - end) / scale), height=20
            )
        )
    said = ", ".join(f"{heading} {percent(getattr(row, part).value)}" for part, heading in PARTS)
    name = row.channel or "all channels"
    return element(
        "svg",
        element("title", f"Shares of {name}"),
        element("desc", f"{said}, unexplained {percent(row.unexplained)}"),
        *drawn,
        *whiskers,
        class_="shares",
        role="img",
        width="100%",
        height=_BAR,
    )


def window_strip(windows: Sequence[tuple[Stamp, Stamp]], extent: tuple[Stamp, Stamp], clock: Clock) -> Markup:
    """Where the windows lie in the whole period, as a thin strip."""
    first, last = (clock.axis(stamp) for stamp in extent)
    span = (last - first) or 1.0
    marks = [
        element(
            "rect",
            element("title", clock.window(start, end)),
            x=_pc(min(0.997, max(0.0, (clock.axis(start) - first) / span))),
            width=_pc(max(0.003, (clock.axis(end) - clock.axis(start)) / span)),
            y=0,
            height=8,
        )
        for start, end in windows
    ]
    return element(
        "svg",
        element(
            "title", f"{len(windows)} windows between {clock.text(extent[0])} and {clock.text(extent[1])}"
        ),
        *marks,
        class_="strip",
        role="img",
        width="100%",
        height=8,
    )


def _whisker(low: float, high: float, y: int, scale: float) -> Markup:
    """A line with a cap at each end; beyond the right end of the axis there is neither."""
    left, right = (_pc(min(max(0.0, at), scale) / scale) for at in (low, high))
    caps = [at for at, reaches in ((left, low <= scale), (right, high <= scale)) if reaches]
    lines = [element("line", x1=at, x2=at, y1=y - 3, y2=y + 3) for at in caps]
    return element("g", element("line", x1=left, x2=right, y1=y, y2=y), *lines, class_="whisker")


def _reach(row: Attribution) -> float:
    start, reach = 0.0, 0.0
    for part, _ in PARTS:
        share: Share = getattr(row, part)
        reach = max(reach, start + share.high)
        start += share.value
    return min(reach, 1.5)


def _pc(fraction: float) -> str:
    return f"{100 * fraction:.3f}".rstrip("0").rstrip(".") + "%"


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
