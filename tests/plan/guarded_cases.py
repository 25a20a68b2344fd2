"""A model whose latent is certified to be an action, and models in which it is not."""

from functools import cache
from typing import Any

import numpy as np
import polars as pl

import tslam
from tslam.align.alignment import Alignment
from tslam.align.certificate import Experiment
from tslam.plants import Record, linear
from tslam.plants.plant import TIME

ROWS = 3000
HIDDEN = "action_1"


@cache
def plant() -> Record:
    return linear(rows=ROWS + 500, seed=0, d=6, exog=1)


def log() -> pl.DataFrame:
    """What the model was fitted on: nobody logged one action."""
    return plant().frame.drop(HIDDEN).head(ROWS)


def labelled() -> pl.DataFrame:
    return log().with_columns(plant().frame[HIDDEN].head(ROWS))


@cache
def bare() -> tslam.LatentActionModel:
    roles: Any = plant().drop(HIDDEN).roles()
    return tslam.fit(log(), **roles, config=tslam.FitConfig(family="held", lags=1, latents=1), progress=False)


@cache
def alignment(*, tested: bool = True) -> Alignment:
    frame = log()
    experiment = Experiment(
        by="the process engineer",
        reason="steps at times drawn by lot",
        start=frame[TIME][0],
        end=frame[TIME][-1],
    )
    return bare().align(labelled(), HIDDEN, experiment=experiment if tested else None)


@cache
def certified() -> tslam.LatentActionModel:
    return bare().with_alignment(alignment())


def goal() -> dict[str, float]:
    """A place that the plant has been at often."""
    name = plant().observations[0]
    return {name: float(np.quantile(log()[name].to_numpy(), 0.6))}
