"""`tslam contract`: draft a contract, read it critically, hold data against it, see what an audit adds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tslam.cli import options
from tslam.cli.console import Voice, annotated, on_actions
from tslam.cli.examples import examples
from tslam.contract import Contract
from tslam.contract.parquet import scan
from tslam.contract.schema import TEXTS

if TYPE_CHECKING:
    from tslam.contract.diff import ContractDiff

__all__ = ["contract"]

Schema = Literal["contract", "report", "event"]

FAILED = 1

contract = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Draft, read and check contracts.",
    epilog=examples("contract"),
)

File = Annotated[str, typer.Argument(metavar="FILE", help="ODCS contract, YAML or JSON.")]
Table = Annotated[
    str | None,
    typer.Option("--table", metavar="NAME", help="Schema object to read, where the file has several."),
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Where to write.  [default: standard output]")
]


@contract.command(short_help="Read a contract and say what each column is.")
def lint(file: File, table: Table = None) -> None:
    """Read a contract, complain of what does not hold together, and say what each column is."""
    from tslam.contract.odcs import read_with_notes  # noqa: PLC0415 - YAML takes a seventh of the start to load

    found, notes = read_with_notes(file, table=table)
    voice = Voice()
    voice.say(f"{found.name} {found.version}: {len(found.columns)} columns, and it reads well.", style="bold")
    for role in ("time", "series", "observation", "action", "exogenous", "ignore"):
        names = [column.name for column in found.columns if column.role.value == role]
        if names:
            voice.item(role, ", ".join(names), width=13)
    for note in notes:
        voice.item("note", note, width=13)


@contract.command(short_help="Draft a contract from data.")
def infer(data: options.Data, time: options.Time = None, out: Out = None) -> None:
    """Draft a contract from data, for a person to correct; the reasons go to standard error."""
    from tslam.contract.infer import infer as draft  # noqa: PLC0415 - takes a sixth of the start to load

    drafted, reasons = draft(scan(data), time=time)
    voice = Voice(to_stderr=True)
    for name, reason in reasons.items():
        voice.item(name, reason, width=2 + max(map(len, reasons)))
    text = drafted.to_odcs(out)
    if out is None:
        typer.echo(text, nl=False)


@contract.command(short_help="Hold data against a contract.", epilog=examples("contract check"))
def check(
    data: options.Data,
    file: File,
    table: Table = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Most failures to list for each column and check.")
    ] = 3,
    json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Hold data against a contract; the exit code is 1 where they do not meet it."""
    from tslam.contract.check import check as hold  # noqa: PLC0415 - takes a third of the start to load

    result = hold(scan(data), Contract.from_odcs(file, table=table), limit=limit)
    if json:
        typer.echo(result.model_dump_json(indent=1))
        raise typer.Exit(0 if result.ok else FAILED)
    voice = Voice()
    if result.ok:
        voice.say(f"{result.rows:,} rows meet the contract {result.contract!r}.", style="bold")
        return
    voice.say(f"{result.rows:,} rows do not meet the contract {result.contract!r}:", style="bold")
    for failure in result.failures:
        where = "" if failure.row is None else f" in row {failure.row}"
        said = f"{failure.column}: found {failure.value!r}{where}, expected {failure.expected}"
        voice.item("FAILED", said)
        if on_actions():
            annotated(voice, "error", f"contract {result.contract}", said)
    voice.say(f"{result.total:,} failures in all.")
    raise typer.Exit(FAILED)


@contract.command(short_help="What changes between two, and whom it breaks.")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="ODCS contract that holds.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="ODCS contract to take its place.")],
    table: Table = None,
    json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Say what changes between two contracts; the exit code is 1 where it breaks data or models.

    An action that becomes an exogenous variable is breaking, and so is another unit, timing or kind.
    """
    found = Contract.from_odcs(old, table=table).diff(Contract.from_odcs(new, table=table))
    if json:
        typer.echo(found.model_dump_json(indent=1))
    else:
        _tell_changes(Voice(), found)
    raise typer.Exit(FAILED if found.breaking else 0)


def _tell_changes(voice: Voice, found: "ContractDiff") -> None:
    count = len(found.changes)
    head = f"{count} change{'s' * (count != 1)}, {len(found.breaking)} breaking" if count else "no change"
    voice.say(f"{found.old} to {found.new}: {head}.", style="bold")
    for change in found.changes:
        about = "contract" if change.column is None else change.column
        said = {"added": f"added as {change.new}", "removed": f"removed (was {change.old})"}.get(
            change.field, f"{change.field} {change.old or 'unsaid'} -> {change.new or 'unsaid'}"
        )
        style = "bold red" if change.impact == "breaking" else ""
        voice.item(change.impact.upper(), f"{about}: {said}; {change.why}", style=style, width=12)
        if change.impact == "breaking" and on_actions():
            annotated(voice, "error", "breaking change of the contract", f"{about}: {said}; {change.why}")


@contract.command(short_help="Merge an audit's patch into a contract.", epilog=examples("contract apply"))
def apply(
    file: File,
    patch_file: Annotated[str, typer.Argument(metavar="PATCH", help="Patch that an audit wrote (ODCS).")],
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", metavar="OLD=NEW", help="Better name for a column of the patch; repeat."),
    ] = None,
    table: Table = None,
    out: Out = None,
) -> None:
    """Merge the patch of an audit into a contract; what the patch does not touch stays as it was written."""
    names = dict(pair.partition("=")[::2] for pair in rename or ())
    if not all((*names, *names.values())):
        raise typer.BadParameter("--rename takes OLD=NEW, the patch's name and the better one")
    text = Contract.from_odcs(file, table=table).apply(patch_file, rename=names).to_odcs(out)
    if out is None:
        typer.echo(text, nl=False)


@contract.command(short_help="Say a contract in v3.1.0 or v3.2.0.", epilog=examples("contract convert"))
def convert(
    file: File,
    to: Annotated[
        Literal["v3.1.0", "v3.2.0"] | None,
        typer.Option("--to", help="Version of the standard.  [default: that of the file]"),
    ] = None,
    out: Out = None,
) -> None:
    """Say a contract in another version of the standard; any ODCS v3 file will do.

    Only the version and the custom properties of tslam change, from tslamRole to role of the vendor tslam
    and back; all else stays.
    """
    from tslam.contract.odcs import convert as said_anew  # noqa: PLC0415 - see lint

    text = said_anew(file, out, version=to)
    if out is None:
        typer.echo(text, nl=False)


@contract.command(short_help="Print a JSON Schema.")
def schema(
    of: Annotated[Schema, typer.Argument(metavar="OF", help="contract, report or event.")] = "contract",
) -> None:
    """Print the JSON Schema of a contract, of a gap report, or of an action event."""
    typer.echo(_schema_of(of), nl=False)


def _schema_of(of: Schema) -> str:
    if of == "report":
        from tslam.report.schema import schema_text as report_text  # noqa: PLC0415 - takes half of the start to load

        return report_text()

    return TEXTS[of]()


@contract.command(short_help="Make the patch from a saved report.")
def patch(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="JSON report of an audit.")],
    out: Out = None,
) -> None:
    """What an audit would add to the contract, as an ODCS document that holds nothing else."""
    from tslam.report.model import GapReport  # noqa: PLC0415 - takes half of the start to load
    from tslam.report.save import save  # noqa: PLC0415 - takes half of the start to load

    text = save(GapReport.from_json(report).contract_patch(), out)
    if out is None:
        typer.echo(text, nl=False)
