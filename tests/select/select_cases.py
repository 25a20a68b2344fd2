"""Records with known answers, and the way from a frame to what selection works on."""

import numpy as np
import polars as pl

from tslam import plants
from tslam.config import FitConfig
from tslam.contract import from_arguments
from tslam.panel import Panel, build, columns
from tslam.panel.chain import Structure
from tslam.plants.plant import TIME, stamped
from tslam.select.auto import Choice, choose, prepare
from tslam.select.candidates import Data


def panel_of(frame: pl.DataFrame, actions: tuple[str, ...], exog: tuple[str, ...] = ()) -> Panel:
    """A panel with these roles; every other column is an observation."""
    contract, _ = from_arguments(columns(frame), actions=actions, exog=exog, time=TIME)
    return build(frame, contract)


def panel(record: plants.Record) -> Panel:
    """The panel of a plant's record."""
    return panel_of(record.frame, record.actions, record.exogenous)


def data(p: Panel, lags: int = 1, **config: object) -> Data:
    """Its transitions and split."""
    return prepare(p, FitConfig.model_validate(config))(Structure(lags, min(2, lags)))


def chosen(p: Panel, **config: object) -> Choice:
    """What selection takes."""
    return choose(p, FitConfig.model_validate(config), seed=0, device="cpu", progress=False)


def late(record: plants.Record) -> plants.Record:
    """The same plant whose log stamps each input at the end of its interval: it acted on o_t already."""
    inputs = [*record.actions, *record.exogenous]
    frame = record.frame.with_columns(pl.col(inputs).shift(1)).slice(1)
    return plants.Record(**{**vars(record), "frame": frame})


def reacting(rows: int, seed: int, *, gain: float, within: bool) -> pl.DataFrame:
    """A loop whose operator reacts to what is seen: a_t = gain · o_t + a held setting + a little noise.

    The action acts on o_{t+1}; with ``within`` the log stamps it one row later.
    """
    rng = np.random.default_rng(seed)
    setting = np.repeat(rng.normal(size=rows // 40 + 1), 40)[:rows]
    o, a = np.zeros((rows, 2)), np.zeros(rows)
    for t in range(rows):
        if t:
            o[t] = 0.8 * o[t - 1] + a[t - 1] * np.array([0.5, -0.3]) + 0.2 * rng.normal(size=2)
        a[t] = gain * o[t, 0] + setting[t] + 0.3 * rng.normal()
    logged = np.append(a[:1], a[:-1]) if within else a
    return stamped({"o0": o[:, 0], "o1": o[:, 1], "a": logged}, 1.0)


def bent(rows: int, seed: int) -> pl.DataFrame:
    """Two channels driven by products of what is logged: no line tells them."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-2, 2, (2, rows))
    o = np.zeros((rows, 2))
    for t in range(rows - 1):
        push = np.array([a[t] * b[t], np.abs(a[t])])
        o[t + 1] = 0.6 * o[t] + 0.5 * push + 0.1 * rng.normal(size=2)
    return stamped({"o0": o[:, 0], "o1": o[:, 1], "a": a, "b": b}, 1.0)


def curled(rows: int, seed: int) -> pl.DataFrame:
    """Channels driven by one input as a curve of the other has it: products tell some of that, not all."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-2, 2, (2, rows))
    o = np.zeros((rows, 2))
    for t in range(rows - 1):
        push = np.array([(a[t] + np.sin(2.5 * a[t])) * b[t], np.cos(2.5 * a[t]) + a[t] ** 2])
        o[t + 1] = 0.6 * o[t] + 0.5 * push + 0.1 * rng.normal(size=2)
    return stamped({"o0": o[:, 0], "o1": o[:, 1], "a": a, "b": b}, 1.0)
