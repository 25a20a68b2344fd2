"""`tslam audit`: which part of what happened is in no log, and what to log."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import tslam
from tslam.cli import options
from tslam.cli.console import Voice, annotate, on_actions, tell
from tslam.cli.since import new_files
from tslam.contract.parquet import scan_files
from tslam.errors import RoleError

__all__ = ["audit"]

FailOn = Literal["critical", "warning", "info"]
STDOUT = Path("-")
NOTHING = 3
Rendering = tuple[Path | None, Callable[[], str]]


def audit(
    data: options.Data,
    actions: options.Actions = None,
    exog: options.Exog = None,
    observations: options.Observations = None,
    ignore: options.Ignore = None,
    time: options.Time = None,
    series: options.Series = None,
    freq: options.Freq = None,
    contract: options.ContractFile = None,
    model: Annotated[
        Path | None, typer.Option("--model", metavar="FOLDER", help="Saved model to use; it knows the roles.")
    ] = None,
    config: options.Family = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            help="Least severity that makes the exit code 1.  [default: the policy's, or critical]",
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="TOML file with thresholds and accepted gaps."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the report as HTML.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write it as JSON; - is standard output.")
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", metavar="FILE", help="Write it as Markdown; - is standard output."),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", help="Write it as JUnit XML; - is standard output."),
    ] = None,
    since: Annotated[
        Literal["last"] | None,
        typer.Option("--since", help="last: audit only files that no run before has audited."),
    ] = None,
    state: Annotated[
        Path, typer.Option("--state", metavar="FILE", help="Where --since keeps its place.")
    ] = Path(".tslam-audit.json"),
    patch: Annotated[
        Path | None,
        typer.Option(
            "--patch", metavar="FILE", help="Write what to add to the contract (ODCS); - is standard output."
        ),
    ] = None,
) -> None:
    """Say what acted on the system and is in no log.

    The exit code is 0 where no gap reaches the threshold, 1 where one does, 2 after an error and 3 where
    nothing could be tested.
    """
    from tslam.report.policy import Policy  # noqa: PLC0415 - reports take a sixth of a second to load
    from tslam.report.save import save  # noqa: PLC0415 - see above

    named = options.roles(actions, exog, observations, ignore, time, series, freq, contract)
    if [html, json, markdown, junit, patch].count(STDOUT) > 1:
        raise typer.BadParameter("standard output takes one report: give the others a file each")
    rules = Policy() if policy is None else Policy.read(policy)
    least = fail_on or rules.fail_on.value
    source: Any = data
    with ExitStack() as held:
        fresh = None if since is None else held.enter_context(new_files(data, state))
        if fresh is not None:
            if not fresh.paths:
                Voice(to_stderr=True).say(f"No file under {data} is new since the last audit.")
                raise typer.Exit(NOTHING)
            source = scan_files(fresh.paths, data)
        if model is None:
            fitted = tslam.fit(source, **named, config=config, seed=seed, device=device)
        else:
            _refuse_both(model, named)
            fitted = tslam.load(model, device=device)
        report = fitted.audit(source, policy=rules)
        verdict = rules.judge(report.gaps, datetime.now(UTC).date())
        renderings: list[Rendering] = [
            (html, report.to_html),
            (json, report.to_json),
            (markdown, report.to_markdown),
            (junit, lambda: report.to_junit(fail_on=least, verdict=verdict)),
            (patch, report.contract_patch),
        ]
        piped = [render for path, render in renderings if path == STDOUT]
        files = [(path, render) for path, render in renderings if path is not None and path != STDOUT]
        for path, render in files:
            save(render(), path)
        voice = Voice(to_stderr=bool(piped))
        tell(voice, report, [path for path, _ in files], verdict)
        if on_actions():
            annotate(voice, report, verdict)
        for render in piped:
            sys.stdout.write(render())
        if fresh is not None:
            fresh.done()
    raise typer.Exit(report.exit_code(least, accepted=verdict.accepted))


def _refuse_both(model: Path, named: options.Roles) -> None:
    given = [name for name, value in named.items() if value]
    if given:
        options_given = ", ".join(f"--{name}" for name in given)
        raise RoleError(
            f"The model in {model} knows its roles, and {options_given} would give others. "
            "Leave these away, or leave --model away to fit anew."
        )
