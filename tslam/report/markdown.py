"""The report as GitHub-flavoured Markdown: for a pull request, a ticket, a chat."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tslam.audit.gap import Attribution, Gap, LatentInfo, Share
from tslam.report.clock import Clock
from tslam.report.svg import PARTS
from tslam.report.words import KIND_WORDS, NOTHING, number, percent, probability

if TYPE_CHECKING:
    from tslam.report.model import GapReport

__all__ = ["page"]

_MARKUP = re.compile(r"([\\`*{}\[\]<>#|~&]|(?<!\w)_|_(?!\w))")
_MOST_ROWS, _MOST_WINDOWS = 30, 5


def page(report: "GapReport") -> str:
    """The whole report, section by section."""
    clock = Clock.of(report.data.timezone)
    sections = [
        _head(report, clock),
        _attribution(report.attribution, clock),
        _gaps(report.gaps, clock),
        _latents(report.findings.latents),
        _roles(report),
        _not_tested(report),
        _model(report),
    ]
    return "\n\n".join(part for section in sections for part in section) + "\n"


def _head(report: "GapReport", clock: Clock) -> Iterator[str]:
    data, findings = report.data, report.findings
    yield f"# Gap report: {_text(report.contract.name)} {_text(report.contract.version)}"
    word = report.worst.value if report.worst else "clean" if findings.tested else "not tested"
    yield f"**{word.capitalize()}:** {_text(report.verdict)}"
    period = NOTHING if data.start is None or data.end is None else clock.window(data.start, data.end)
    zone = f" {data.timezone}" if data.timezone else ""
    asked = f"{findings.tested} questions asked, {len(findings.not_tested)} not"
    facts = f"{period}{zone}; {data.rows:,} rows every {data.cadence}; {len(data.series)} series; {asked}."
    yield _text(facts)
    if not findings.adequate and findings.tested:
        yield "The forward model is too weak here to call anything an action; read the findings as leads."
    yield from (_text(note) for note in findings.notes)


def _attribution(rows: Sequence[Attribution], clock: Clock) -> Iterator[str]:
    yield "## What explains what happened"
    if not rows:
        yield "No shares were computed."
        return
    yield (
        "Held-out predictive shares with 90% intervals; each part is added to those on its left. "
        "Latents are told cautiously: a log would nearly always explain as much or more."
    )
    yield from _table(
        ["Channel", "Window", *(heading for _, heading in PARTS), "Unexplained"],
        (
            [
                _code(row.channel) if row.channel is not None else "all",
                clock.window(*row.window) if row.window else "all rows",
                *(_share(getattr(row, part)) for part, _ in PARTS),
                percent(row.unexplained),
            ]
            for row in rows
        ),
    )


def _gaps(gaps: Sequence[Gap], clock: Clock) -> Iterator[str]:
    yield f"## Gaps ({len(gaps)})"
    if not gaps:
        yield "None."
        return
    yield from _table(
        ["", "Severity", "Gap", "Column", "Latent", "Drives", "Lag", "Score", "p", "Stands in for"],
        ([str(i), *_gap(gap)] for i, gap in enumerate(gaps, 1)),
    )
    for i, gap in enumerate(gaps[:_MOST_ROWS], 1):
        yield f"### {i}. {KIND_WORDS[gap.kind]}{f' {_code(gap.column)}' if gap.column is not None else ''}"
        if gap.recommendation:
            yield f"**{_text(gap.recommendation)}**"
        yield f"When: {_windows(gap, clock)}."
        if gap.evidence:
            yield from _table(
                ["Measured", "Value", "Against", "p", "Reading"],
                (
                    [
                        _text(e.name),
                        number(e.value),
                        number(e.reference),
                        probability(e.p_value),
                        _text(e.reading),
                    ]
                    for e in gap.evidence
                ),
            )


def _gap(gap: Gap) -> list[str]:
    stands = gap.substitutes_for
    return [
        gap.severity.value,
        KIND_WORDS[gap.kind],
        _code(gap.column) if gap.column is not None else NOTHING,
        _codes(gap.latents),
        _codes(gap.channels),
        NOTHING if gap.lag is None else str(gap.lag),
        number(gap.score),
        probability(gap.p_value),
        f"{_code(stands.column)} ({percent(stands.share)})" if stands else NOTHING,
    ]


def _latents(latents: Sequence[LatentInfo]) -> Iterator[str]:
    if latents:
        yield "## Latents (inferred, never measured)"
        yield from _table(
            ["Latent", "Place", "Gain, nats per 1,000 rows", "t", "p", "Persistence", "Drives most"],
            (
                [
                    _code(latent.name),
                    "earned" if latent.earned else "only there",
                    number(latent.gain),
                    number(latent.t_value),
                    probability(latent.p_value),
                    number(latent.persistence),
                    _codes(latent.channels),
                ]
                for latent in latents
            ),
        )


def _roles(report: "GapReport") -> Iterator[str]:
    yield "## Roles"
    yield from _table(
        ["Column", "Role", "Kind", "Acts", "Unit", "Missing"],
        (
            [
                _code(c.name),
                c.role.value,
                c.kind.value if c.kind else NOTHING,
                c.timing.value if c.timing else NOTHING,
                _text(c.unit or NOTHING),
                percent(c.missing),
            ]
            for c in report.data.columns
        ),
    )


def _not_tested(report: "GapReport") -> Iterator[str]:
    yield "## Not tested"
    rows = report.findings.not_tested
    if not rows:
        yield "Every question could be asked." if report.findings.tested else "No question was asked."
        return
    yield from _table(
        ["Question", "About", "Reason"],
        (
            [_text(q.question), _code(q.subject) if q.subject is not None else NOTHING, _text(q.reason)]
            for q in rows
        ),
    )


def _model(report: "GapReport") -> Iterator[str]:
    model = report.model
    yield "## Model"
    yield f"{_text(model.family)}, lags {model.lags}, latents {model.latents}, seed {model.seed}."
    if model.trace:
        yield "\n".join(f"1. {_text(sentence)}" for sentence in model.trace)
    yield f"Data SHA-256 {_code(report.data.digest or 'unknown')}, tslam {_text(report.tslam_version)}."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    every = list(rows)
    lines = [header, ["---"] * len(header), *every[:_MOST_ROWS]]
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)
    if len(every) > _MOST_ROWS:
        yield f"{len(every) - _MOST_ROWS} more rows are in the JSON and HTML reports."


def _windows(gap: Gap, clock: Clock) -> str:
    if not gap.windows:
        return "the whole period"
    said = "; ".join(clock.window(*window) for window in gap.windows[:_MOST_WINDOWS])
    rest = len(gap.windows) - _MOST_WINDOWS
    return said + (f"; {rest} more" if rest > 0 else "")


def _share(share: Share) -> str:
    return f"{percent(share.value)} ({percent(share.low)} to {percent(share.high)})"


def _text(words: str) -> str:
    """Words in which nothing is markup, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(words.split()))


def _codes(names: Sequence[str], most: int = 4) -> str:
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*(_code(name) for name in names[:most]), *more]) or NOTHING


def _code(name: str) -> str:
    """A name as code, with a fence longer than any in it."""
    flat = " ".join(name.split()) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    pad = " " if "`" in flat else ""
    return f"{fence}{pad}{flat}{pad}{fence}".replace("|", "\\|")
