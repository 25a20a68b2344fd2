"""One page of tables and plots, written the same way each time it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

DOCS = Path(__file__).parents[2] / "docs"


@dataclass
class Table:
    """A header and rows."""

    header: Sequence[str]
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, *cells: Any) -> None:
        """One more row."""
        self.rows.append(cells)

    def __str__(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


@dataclass(frozen=True)
class Plot:
    """Lines over one axis."""

    name: str
    x: str
    y: str
    at: Sequence[float]
    lines: Mapping[str, Sequence[float]]
    marks: Mapping[str, float] = field(default_factory=dict)
    log: bool = False
    band: tuple[float, float] | None = None
    """Values that chance alone gives, from the lowest to the highest; the axis then begins at 0."""

    def draw(self, folder: Path) -> None:
        """Write the plot as SVG, the same bytes for the same numbers."""
        with mpl.rc_context({"svg.hashsalt": self.name, "svg.fonttype": "none", "font.size": 10}):
            figure = Figure(figsize=(6.4, 3.4), layout="constrained")
            axes = figure.subplots()
            if self.band is not None:
                axes.axhspan(*self.band, color="grey", alpha=0.15, linewidth=0.0, label="by chance")
                axes.set_ylim(0.0, 1.2 * max(self.band[1], *map(max, self.lines.values())))
            for label, values in self.lines.items():
                axes.plot(self.at, values, marker="o", markersize=3, label=label)
            if self.log:
                axes.set_xscale("log")
            for label, value in self.marks.items():
                line = axes.axvline(value, color="grey", linewidth=0.8, linestyle=":")
                right = (
                    axes.transAxes.inverted().transform(line.get_transform().transform((value, 0)))[0] > 0.5
                )
                axes.annotate(
                    label,
                    (value, axes.get_ylim()[0]),
                    textcoords="offset points",
                    xytext=(-3 if right else 3, 4),
                    ha="right" if right else "left",
                )
            axes.set_xlabel(self.x)
            axes.set_ylabel(self.y)
            axes.legend(frameon=False)
            figure.savefig(folder / f"{self.name}.svg", metadata={"Date": None})


@dataclass(frozen=True)
class Section:
    """A claim, how it was tried, and the figures."""

    title: str
    text: str
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()

    def __str__(self) -> str:
        parts = [f"## {self.title}", self.text, *map(str, self.tables)]
        parts += [f"![{p.y} over {p.x}](assets/{p.name}.svg)" for p in self.plots]
        return "\n\n".join(parts)


def write(name: str, title: str, text: str, sections: Sequence[Section]) -> Path:
    """Write the page and its plots; the path of the page."""
    for section in sections:
        for plot in section.plots:
            plot.draw(DOCS / "assets")
    page = DOCS / f"{name}.md"
    page.write_text("\n\n".join([f"# {title}", text, *map(str, sections)]) + "\n", encoding="utf-8")
    return page
