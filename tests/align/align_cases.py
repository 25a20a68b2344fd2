"""A plant with one action that nobody logged, and labels for some of its holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

import tslam
from tslam.align.alignment import Alignment
from tslam.align.certificate import Experiment
from tslam.plants import Record, linear
from tslam.plants.plant import TIME

ROWS = 3000
HIDDEN = "action_1"


@dataclass(frozen=True, eq=False)
class Case:
    """The whole record, the log without one action, and the model of that."""

    whole: Record
    record: Record
    model: tslam.LatentActionModel

    @property
    def truth(self) -> np.ndarray:
        return self.whole.frame[HIDDEN].to_numpy()

    @property
    def fitted_on(self) -> pl.DataFrame:
        return self.record.frame.head(ROWS)

    def labelled(self, holds: Sequence[int] | None = None) -> pl.DataFrame:
        """The frame of the fit with some holds told (None: all)."""
        edges = [0, *(m for m in self.record.moves[HIDDEN].tolist() if m < ROWS), ROWS]
        told = np.full(ROWS, np.nan)
        for i in range(len(edges) - 1) if holds is None else holds:
            told[edges[i] : edges[i + 1]] = self.truth[edges[i] : edges[i + 1]]
        return self.fitted_on.with_columns(pl.Series(HIDDEN, told).fill_nan(None))

    def experiment(self) -> Experiment:
        return Experiment(
            by="the process engineer",
            reason="steps at times drawn by lot",
            start=self.record.frame[TIME][0],
            end=self.record.frame[TIME][ROWS - 1],
        )


@cache
def case(seed: int = 0) -> Case:
    whole = linear(rows=2 * ROWS, seed=seed, d=6, exog=1)
    record = whole.drop(HIDDEN)
    model = tslam.fit(
        record.frame.head(ROWS),
        **record.roles(),
        config=tslam.FitConfig(family="held", lags=1, latents=1),
        progress=False,
    )
    return Case(whole, record, model)


@cache
def certified(seed: int = 0) -> Alignment:
    own = case(seed)
    return own.model.align(own.labelled(), HIDDEN, experiment=own.experiment())
