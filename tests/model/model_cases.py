"""Small records to fit on, and models of them that the tests of the room share."""

from functools import cache

import polars as pl

import tslam
from tslam import plants

SITE = "site"


@cache
def record(rows: int = 600, seed: int = 1) -> plants.Record:
    """A plant with four channels, one of whose three actions nobody logged."""
    return plants.linear(rows, seed, d=4, noise=0.3).drop("action_1")


@cache
def model(family: str = "linear", lags: int = 1) -> tslam.LatentActionModel:
    """A model of it."""
    config = tslam.FitConfig.model_validate({"family": family, "hidden": 8, "epochs": 4, "lags": lags})
    return tslam.fit(record().frame, **record().roles(), config=config, progress=False)


def fleet(*sites: str, rows: int = 400) -> pl.DataFrame:
    """The same plant at several sites, each with its own level and spread; the sites in turn by row."""
    whole = record(1600).frame
    place = {"north": 0, "south": 1, "east": 2, "west": 3}
    parts = []
    for site in sites:
        own, k = whole.slice(place[site] * 400, rows), place[site]
        channels = [(pl.col(name) * (1 + k) + 10 * k) for name in record(1600).observations]
        parts.append(own.with_columns(*channels, pl.lit(site).alias(SITE), time=whole["time"].head(rows)))
    return pl.concat(parts).sort("time", maintain_order=True)


@cache
def fleet_model(*, per_series: bool = False) -> tslam.LatentActionModel:
    """A model of two sites."""
    config = tslam.FitConfig(family="linear", lags=1, per_series=per_series)
    roles = record(1600).roles()
    return tslam.fit(fleet("north", "south"), **roles, series=SITE, config=config, progress=False)
