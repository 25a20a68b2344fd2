"""A fitted model in words: what was used as what, what was chosen and why, how well it predicts."""

from dataclasses import dataclass
from html import escape
from statistics import median

from tslam.artefact import Fitted, Part

__all__ = ["Summary", "summarise"]

_Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Summary:
    """Tables with a heading each; ``str`` gives text, ``to_html`` a page fragment."""

    title: str
    tables: tuple[tuple[str, tuple[str, ...], _Rows], ...]
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        lines = [self.title]
        for heading, header, rows in self.tables:
            widths = [max(len(str(r[i])) for r in (header, *rows)) for i in range(len(header))]
            lines += ["", heading]
            lines += [
                "  " + "  ".join(v.ljust(w) for v, w in zip(r, widths, strict=True)).rstrip()
                for r in (header, *rows)
            ]
        if self.sentences:
            lines += ["", "Notes", *(f"  {s}" for s in self.sentences)]
        return "\n".join(lines)

    def to_html(self) -> str:
        """An HTML fragment without scripts or outside references."""
        parts = [f"<div><strong>{escape(self.title)}</strong>"]
        for heading, header, rows in self.tables:
            head = "".join(f"<th style='text-align:left'>{escape(h)}</th>" for h in header)
            body = "".join(
                "<tr>" + "".join(f"<td style='text-align:left'>{escape(v)}</td>" for v in r) + "</tr>"
                for r in rows
            )
            parts.append(
                f"<p>{escape(heading)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            )
        if self.sentences:
            parts.append("<ul>" + "".join(f"<li>{escape(s)}</li>" for s in self.sentences) + "</ul>")
        return "".join([*parts, "</div>"])

    def _repr_html_(self) -> str:
        return self.to_html()


def summarise(f: Fitted) -> Summary:
    """The summary of a fitted model."""
    c = f.contract
    roles = [("observation", ", ".join(c.observations))]
    roles += [("action", ", ".join(c.actions) or "none logged")]
    roles += [("exogenous", ", ".join(c.exogenous) or "none measured")]
    roles += [("time", c.time)]
    if c.series:
        roles.append(("series", c.series))
    skill = [
        (
            *_of(p),
            s.channel,
            f"{s.skill:.3f}",
            "" if s.without_actions is None else f"{s.without_actions:.3f}",
        )
        for p in f.parts
        for s in p.skill
    ]
    latents = [
        (
            *_of(p),
            i.name,
            "earned" if i.earned else "only there",
            f"{i.gain:+.1f}",
            f"{i.t_value:.1f}",
            f"{i.persistence:.3f}",
            ", ".join(i.channels[:4]),
        )
        for p in f.parts
        for i in p.latents
    ]
    series = () if f.parts[0].series is None else ("series",)
    about = ("latent", "place", "gain (nats per 1,000 rows)", "t", "persistence", "channels")
    return Summary(
        _title(f),
        (
            ("Roles", ("role", "columns"), tuple(roles)),
            (
                "Skill, one step ahead, held out",
                (*series, "channel", "skill", "without logged actions"),
                tuple(skill),
            ),
            ("Latents", (*series, *about), tuple(latents)),
        ),
        (*(": ".join((*_of(p), sentence)) for p in f.parts for sentence in p.trace), *f.notes),
    )


def _title(f: Fitted) -> str:
    families = ", ".join(dict.fromkeys(part.lam.family for part in f.parts))
    lags = sorted({part.structure.lags for part in f.parts})
    past = f"{lags[0]} lag{'s' * (lags[0] > 1)}" if len(lags) == 1 else f"{lags[0]} to {lags[-1]} lags"
    middle = median(s.skill for part in f.parts for s in part.skill)
    alone = "" if f.parts[0].series is None else f" for each of {len(f.parts)} series"
    return (
        f"tslam {families} model{alone}, {past}: "
        f"held-out one-step skill {middle:.3f} (median channel, against persistence)"
    )


def _of(part: Part) -> tuple[str, ...]:
    """The series of a part, where it has one of its own."""
    return () if part.series is None else (part.series,)
