"""`tslam fit`: learn a model, say how good it is, keep it."""

from pathlib import Path
from typing import Annotated

import typer

import tslam
from tslam.cli import options
from tslam.cli.console import Voice

__all__ = ["fit"]


def fit(
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the model goes.")] = Path(
        "tslam-model"
    ),
    actions: options.Actions = None,
    exog: options.Exog = None,
    observations: options.Observations = None,
    ignore: options.Ignore = None,
    time: options.Time = None,
    series: options.Series = None,
    freq: options.Freq = None,
    contract: options.ContractFile = None,
    config: options.Family = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    track: Annotated[
        str | None,
        typer.Option("--track", metavar="EXPERIMENT", help="Log the fit to this MLflow experiment."),
    ] = None,
) -> None:
    """Learn a model from telemetry, logged actions and exogenous variables."""
    named = options.roles(actions, exog, observations, ignore, time, series, freq, contract)
    model = tslam.fit(data, **named, config=config, seed=seed, device=device, track=track)
    model.save(out)
    voice = Voice()
    voice.say(str(model.summary()))
    voice.say()
    voice.item("Model", str(out))
    voice.item("Next", f"tslam audit {data} --model {out}")
