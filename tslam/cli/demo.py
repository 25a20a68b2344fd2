"""`tslam demo`: a plant whose every cause is known, the log of one actuator dropped and found again."""

import math
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

import tslam
from tslam.cli.console import Voice, tell

if TYPE_CHECKING:
    from tslam.model import LatentActionModel
    from tslam.plants import Record
    from tslam.report.model import GapReport

__all__ = ["demo"]

HELD = 0.5
"""Persistence of a latent from which it is held against the level of an action, below against its moves."""


def demo(
    plant: Annotated[
        str, typer.Option("--plant", help="tank, building, service, rotor, reactor or linear.")
    ] = "tank",
    drop: Annotated[
        str | None,
        typer.Option("--drop", metavar="ACTION", help="Action whose log is dropped.  [default: the last]"),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where everything goes.")] = Path(
        "tslam-demo"
    ),
    rows: Annotated[int, typer.Option("--rows", min=200, help="Length of the record.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another plant of the kind.")] = 0,
    track: Annotated[
        bool, typer.Option("--track/--no-track", help="Log the run to an MLflow store in FOLDER.")
    ] = True,
    browse: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False,
) -> None:
    """Simulate a plant, drop the log of one actuator, and find out that it is missing."""
    from tslam.plants import simulate  # noqa: PLC0415 - the plants take a third of a second to load

    voice = Voice()
    full = simulate(plant, rows=rows, seed=seed)
    hidden = drop or full.actions[-1]
    record = full.drop(hidden)
    _tell_the_plot(voice, record, hidden)

    model = tslam.fit(record.frame, **record.roles(), seed=seed)
    report = model.audit(record.frame)
    out.mkdir(parents=True, exist_ok=True)
    record.frame.write_parquet(out / "telemetry.parquet")
    model.save(out / "model")
    report.to_json(out / "report.json")
    report.to_markdown(out / "report.md")
    report.to_html(out / "report.html")

    tell(voice, report, [])
    voice.say()
    _tell_the_truth(voice, model, report, record, hidden)
    voice.say()
    voice.item("Report", str(out / "report.html"))
    voice.item("Data", str(out / "telemetry.parquet"))
    voice.item("Model", str(out / "model"))
    if track:
        store = f"sqlite:///{out / 'mlflow.db'}"
        model.track(record.frame, experiment="tslam-demo", report=report, tracking_uri=store)
        voice.item("Run", f"mlflow ui --backend-store-uri {store}")
    if browse:
        webbrowser.open((out / "report.html").resolve().as_uri())


def _tell_the_plot(voice: Voice, record: "Record", hidden: str) -> None:
    voice.say(
        f"The plant {record.name}: {len(record.frame):,} rows, {len(record.observations)} observations."
    )
    voice.say(f"Logged actions: {', '.join(record.actions) or 'none'}.")
    voice.say(f"{hidden} was moved as well, {len(record.moves[hidden])} times, and no column says so.")
    voice.say()


def _tell_the_truth(
    voice: Voice, model: "LatentActionModel", report: "GapReport", record: "Record", hidden: str
) -> None:
    """How right that is, by what only the simulator knows."""
    voice.say("How right is that? The simulator knows:", style="bold")
    voice.say(f"- {hidden} truly drives {', '.join(record.effects[hidden])}.")
    moved = set(record.frame["time"].gather(record.moves[hidden]).to_list())
    for gap in report.gaps:
        if gap.kind == "missing_action" and gap.windows:
            hits = sum(any(start <= move <= end for move in moved) for start, end in gap.windows)
            voice.say(f"- {hits} of the {len(gap.windows)} moves listed are moves that {hidden} made.")
    latents, truth = model.infer(record.frame), record.truth.frame[hidden]
    for latent in model.latents:
        if latent.earned:
            skill, path = ("level", truth) if latent.persistence > HELD else ("moves", truth.diff())
            follows = abs(_correlation(latents[latent.name], path))
            voice.say(f"- {latent.name} follows the {skill} of {hidden} with a correlation of {follows:.2f}.")


def _correlation(a: pl.Series, b: pl.Series) -> float:
    found: float | None = pl.select(pl.corr(a, b)).item()
    return 0.0 if found is None or math.isnan(found) else found
