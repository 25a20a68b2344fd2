"""The page: templates filled from the report, one file, no script, nothing fetched."""

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import escape

from tslam.contract.roles import Role
from tslam.report.clock import Clock
from tslam.report.lanes import boards
from tslam.report.svg import PARTS, share_bar, share_scale, window_strip
from tslam.report.words import KIND_WORDS, joined, number, percent, probability, status

if TYPE_CHECKING:
    from tslam.report.model import GapReport

__all__ = ["page", "snippet"]

_CELL = (
    '<iframe title="tslam gap report" srcdoc="{}" sandbox="" style="box-sizing:border-box;width:100%;'
    'height:720px;border:1px solid #8884;border-radius:4px;resize:vertical"></iframe>'
)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tslam.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(number=number, percent=percent, probability=probability, joined=joined)
    made.globals.update(
        PARTS=PARTS, KIND_WORDS=KIND_WORDS, Role=Role, share_bar=share_bar, share_scale=share_scale
    )
    return made


def page(report: "GapReport", *, framed: bool = False) -> str:
    """The whole page.

    Args:
        report: what to show.
        framed: will the page stand in an ``iframe`` by ``srcdoc``, where fragments need a base of their own?
    """
    clock = Clock.of(report.data.timezone)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            status=status(report.findings),
            clock=clock,
            boards=boards(report, clock),
            window_strip=window_strip,
            framed=framed,
        )
    )


def snippet(report: "GapReport") -> str:
    """The page inside a frame of its own, for notebooks: neither style sheet can reach the other."""
    return _CELL.format(escape(page(report, framed=True)))
