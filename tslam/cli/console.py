"""How the command line speaks: plain lines, colour on a terminal, none in a pipe."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from tslam.audit.gap import Gap
    from tslam.report.model import GapReport
    from tslam.report.policy import Verdict

__all__ = ["Voice", "annotate", "annotated", "on_actions", "tell"]

COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
WIDTH = 10
_LEVELS = {"critical": "error", "warning": "warning", "info": "notice"}


class Voice:
    """Says lines, on standard output or, where that carries a report, on standard error."""

    def __init__(self, *, to_stderr: bool = False) -> None:
        self._console = Console(stderr=to_stderr, highlight=False, markup=False)
        # A terminal gets wrapped lines; a pipe gets whole ones.
        self._whole = not self._console.is_terminal

    def say(self, text: str = "", style: str = "") -> None:
        """One line."""
        self._console.print(Text(text, style=style), soft_wrap=self._whole)

    def item(self, label: str, text: str, style: str = "", width: int = WIDTH) -> None:
        """A line beside a label."""
        if self._whole:
            self._console.print(Text(f"{label:<{width}}{text}"), soft_wrap=True)
            return
        row = Table.grid(padding=0)
        row.add_column(width=width)
        row.add_column()
        row.add_row(Text(label, style=style), Text(text))
        self._console.print(row)


def tell(voice: Voice, report: "GapReport", written: list[Path], verdict: "Verdict | None" = None) -> None:
    """The verdict, the gaps, what was not tested, and where to read on."""
    voice.say(report.verdict, style="bold")
    for position, gap in enumerate(report.gaps):
        voice.say()
        _tell_gap(voice, gap, report.contract.timezone)
        if verdict is not None and position in verdict.accepted:
            voice.item("accepted", str(verdict.accepted[position]).removeprefix("accepted "))
        if verdict is not None and position in verdict.expired:
            voice.item("EXPIRED", str(verdict.expired[position]), style=COLOURS["critical"])
    untested = report.findings.not_tested
    if untested:
        voice.say()
        voice.say(
            f"Not tested: {len(untested)} question{'s' * (len(untested) != 1)}; the report gives the reasons."
        )
    for path in written:
        voice.item("Report", str(path))


def on_actions() -> bool:
    """Does GitHub Actions listen, which shows workflow commands beside the run?"""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotated(voice: Voice, level: str, title: str, text: str) -> None:
    """One workflow command: ``error``, ``warning`` or ``notice``."""
    voice.say(f"::{level} title={_escaped(title, ':,')}::{_escaped(text)}")


def annotate(voice: Voice, report: "GapReport", verdict: "Verdict") -> None:
    """One workflow command for each gap."""
    for position, gap in enumerate(report.gaps):
        accepted = position in verdict.accepted
        level = "notice" if accepted else _LEVELS[gap.severity.value]
        text = gap.recommendation or gap.title
        text = f"{text} ({verdict.accepted[position]})" if accepted else text
        annotated(voice, level, gap.title, text)


def _escaped(text: str, more: str = "") -> str:
    for sign in f"%\r\n{more}":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _tell_gap(voice: Voice, gap: "Gap", timezone: str | None) -> None:
    from tslam.report.clock import Clock  # noqa: PLC0415 - loads with the report, not with the command line

    voice.item(gap.severity.value.upper(), gap.title, style=COLOURS[gap.severity.value])
    if gap.recommendation:
        voice.item("", gap.recommendation)
    if gap.channels:
        voice.item("drives", ", ".join(gap.channels))
    if gap.series is not None:
        voice.item("series", ", ".join(gap.series))
    if gap.windows:
        first = Clock.of(timezone).window(*gap.windows[0])
        more = f" and {len(gap.windows) - 1} more" if len(gap.windows) > 1 else ""
        voice.item("when", f"{first}{more}")
