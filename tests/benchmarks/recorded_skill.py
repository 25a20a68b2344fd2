"""Held-out one-step skill on recorded telemetry: tslam beside VARX that is given exactly the same.

Skill is 1 - error / error of persistence (the last measured value), mean squared errors in each channel's
scaled units, on the rows that the fit held out. Two figures for each model: the median over channels, and
pooled, one minus the sum of the channels' errors over that of persistence, so that jumpy channels weigh more.
VARX is ordinary least squares by statsmodels on the very regressors and training rows that tslam used: the
same lags, the same inputs at the same times. Where a set is one unbroken series, statsmodels' own VAR is
fitted to it as well, to show that the two are one model.

Takes names of sets as arguments; by default all in the folder that TSLAM_RECORDED names: NAME.parquet beside
a card NAME.yaml.
"""

import os
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ruamel.yaml import YAML
from statsmodels.api import OLS
from statsmodels.tsa.api import VAR

import tslam
from tslam.select.auto import prepare
from tslam.select.candidates import Data

HEADER = (
    f"{'set':<24}{'rows':>8}{'series':>7}{'obs':>5}{'inputs':>7}{'lags':>5}{'seconds':>9}  "
    f"{'VARX':^14}{'tslam, no acts':^18}{'tslam':^14} family\n"
    f"{'':<67}" + "  median pooled" * 3
)


@dataclass(frozen=True)
class Card:
    """One recorded set: its frame, and its roles as keyword arguments."""

    name: str
    frame: pl.DataFrame
    roles: dict[str, Any]

    def blind(self) -> dict[str, Any]:
        """The roles as if nobody had logged an action."""
        return self.roles | {"actions": (), "ignore": list(self.roles["actions"])}


@dataclass(frozen=True)
class Score:
    """Mean squared errors of a model and of persistence, per channel; NaN where nothing was scored."""

    model: np.ndarray
    persistence: np.ndarray

    def __str__(self) -> str:
        moved = self.persistence > 1e-12
        model, persistence = self.model[moved], self.persistence[moved]
        return f"{np.median(1 - model / persistence):8.3f}{1 - model.sum() / persistence.sum():7.3f}"


def cards(folder: Path, names: list[str]) -> Iterator[Card]:
    """The sets of a folder, smallest first."""
    paths = [path for path in folder.glob("*.parquet") if not names or path.stem in names]
    for path in sorted(paths, key=lambda p: p.stat().st_size):
        roles = YAML(typ="safe").load(path.with_suffix(".yaml").read_text(encoding="utf-8"))["roles"]
        frame = pl.read_parquet(path)
        yield Card(
            path.stem,
            frame,
            {
                "observations": list(_settings(roles["observations"])),
                "actions": _settings(roles["actions"]),
                "exog": _settings(roles.get("exogenous") or []),
                "time": "timestamp",
                "series": "series_id" if "series_id" in frame.columns else None,
            },
        )


def _settings(entries: list[Any]) -> dict[str, Any]:
    """Names, each with what the card says about its kind."""
    named = [entry if isinstance(entry, dict) else {"name": entry} for entry in entries]
    return {
        entry["name"]: {"kind": "circular", "period": 360} if "circular" in entry.get("type", "") else None
        for entry in named
    }


def data_of(model: tslam.LatentActionModel, frame: pl.DataFrame) -> Data:
    """The regressors, the training rows and the held-out rows of a fit."""
    fitted = model._fitted
    return prepare(model._panel(frame), fitted.config)(fitted.parts[0].structure)


def varx(data: Data) -> Score:
    """Ordinary least squares of each channel on everything that the model sees."""
    c = data.chain
    X = np.column_stack([c.X, np.ones(len(c.X))])
    errors = np.full((2, c.Y.shape[1]), np.nan)
    for i, target in enumerate(c.Y.T):
        rows, held = data.train & np.isfinite(target), data.held & np.isfinite(target)
        if rows.any() and held.any():
            mean = OLS(target[rows], X[rows]).fit().predict(X[held])
            errors[:, i] = np.mean((target[held] - np.array([mean, c.X[held, i]])) ** 2, axis=1)
    return Score(*errors)


def scored(model: tslam.LatentActionModel, frame: pl.DataFrame) -> Score:
    """What the model says of itself, one step ahead."""
    table = model.score(frame, horizons=(1,))
    columns = [
        table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("rmse", "persistence_rmse")
    ]
    return Score(*(column**2 for column in columns))


def agreement(data: Data, lags: int) -> float | None:
    """Largest difference of fitted values between VAR and least squares; None unless it is one series."""
    c = data.chain
    whole = c.usable & np.isfinite(c.Y).all(axis=1)
    if c.start.sum() != 1 or not whole[lags - 1 :].all():
        return None
    chan = c.Y.shape[1]
    obs = np.vstack([c.X[:1, :chan], c.Y])
    obs[:lags] = c.X[lags - 1, : lags * chan].reshape(lags, chan)[::-1]
    inputs = np.vstack([np.zeros((1, c.X.shape[1] - lags * chan)), c.X[:, lags * chan :]])
    theirs = VAR(obs, exog=inputs).fit(lags, trend="c")
    X = np.column_stack([c.X, np.ones(len(c.X))])[lags - 1 :]
    ours = np.column_stack([OLS(target, X).fit().fittedvalues for target in c.Y[lags - 1 :].T])
    return float(np.abs(theirs.fittedvalues - ours).max())


def line(card: Card) -> str:
    """Fit one set with and without its actions; one line of the table."""
    start = time.perf_counter()
    model = tslam.fit(card.frame, **card.roles, progress=False)
    seconds = time.perf_counter() - start
    blind = tslam.fit(card.frame, **card.blind(), progress=False)
    data = data_of(model, card.frame)
    structure, c = data.structure, data.chain
    series = card.frame["series_id"].n_unique() if card.roles["series"] else 1
    told = (
        f"{card.name:<24}{card.frame.height:>8}{series:>7}{c.Y.shape[1]:>5}"
        f"{c.X.shape[1] - structure.lags * c.Y.shape[1]:>7}{structure.lags:>5}{seconds:>9.1f}  "
        f"{varx(data)}{scored(blind, card.frame)}{scored(model, card.frame)}  {model.family}"
    )
    apart = agreement(data, structure.lags)
    return told if apart is None else f"{told}\n{'':<24}  VAR of statsmodels differs by {apart:.1e} at most"


def main(names: list[str]) -> None:
    """Print the table."""
    folder = os.environ.get("TSLAM_RECORDED")
    if not folder or not Path(folder).is_dir():
        print("TSLAM_RECORDED names no folder with recorded telemetry: nothing to measure.")
        return
    # inputs that never move in training: least squares of minimum norm gives them no say
    warnings.filterwarnings("ignore", message="The design matrix is rank-deficient")
    print(HEADER, flush=True)
    for card in cards(Path(folder), names):
        print(line(card), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
