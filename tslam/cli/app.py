"""The commands under one name, and what becomes of an error."""

import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from tslam.cli.audit import audit
from tslam.cli.contract import contract
from tslam.cli.demo import demo
from tslam.cli.examples import examples
from tslam.cli.fit import fit
from tslam.errors import TslamError

__all__ = ["app", "main"]

ERROR = 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=examples("tslam"),
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(short_help="Simulate a plant, drop a log, find it again.")(demo)
app.command(short_help="Learn a model from telemetry.", epilog=examples("fit"))(fit)
app.command(epilog=examples("audit"))(audit)
app.add_typer(contract, name="contract", short_help="Draft, read and check contracts.")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tslam {version('tslam')}")
        raise typer.Exit


@app.callback()
def tslam_(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """What acted on your system that nobody logged?

    Exit codes: 0 clean, 1 gaps at or above the threshold, 2 error, 3 nothing could be tested.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; the exit code says how it went."""
    try:
        app(args=arguments, prog_name="tslam")
    except (TslamError, OSError) as error:
        sys.stderr.write(f"tslam: {error}\n")
    except Exception:  # noqa: BLE001 - Python's own exit code for a crash is 1, which here means gaps
        traceback.print_exc()
    sys.exit(ERROR)
