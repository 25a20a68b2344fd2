"""Frames, contracts and panels that the tests of the room share."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from hypothesis import strategies as st

from tslam.contract.model import Column, Contract
from tslam.panel import Feature, Panel, Scaling, Segment

START = datetime.fromisoformat("2024-03-30T20:00")


def contract(*columns: Column, series: str | None = None, **settings: Any) -> Contract:
    """A contract with the time column ``time`` and, by default, one observation and one action."""
    given = columns or (Column(name="x", role="observation"), Column(name="u", role="action"))
    ids = (Column(name=series, role="series"),) if series else ()
    return Contract(columns=(Column(name="time", role="time"), *ids, *given), **settings)


def frame(rows: int = 60, *, step: timedelta = timedelta(seconds=10), **columns: Any) -> pl.DataFrame:
    """Regular telemetry: time, x (a sine) and u (steps), or the columns given."""
    place = np.arange(rows)
    values = columns or {"x": np.sin(place / 5.0), "u": (place // 7 % 3).astype(float)}
    time = pl.datetime_range(START, START + (rows - 1) * step, step, eager=True, time_unit="us")
    return pl.DataFrame({"time": time, **values})


class Shape(NamedTuple):
    """What a random panel is made from."""

    lengths: list[list[int]]
    widths: tuple[int, int, int]
    missing: float
    seed: int


SHAPES = st.builds(
    Shape,
    lengths=st.lists(st.lists(st.integers(1, 25), min_size=1, max_size=3), min_size=1, max_size=3),
    widths=st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(0, 2)),
    missing=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 2**32 - 1),
)
"""Shapes of panels; the panel itself is made in the test, where the shape checks may draw at random."""


def panel_of(shape: Shape) -> Panel:
    """A panel of several series and segments with missing cells, already scaled."""
    segments, series = layout(shape.lengths)
    rng = np.random.default_rng(shape.seed)
    arrays = [rng.normal(size=(series.size, width)) for width in shape.widths]
    for values in arrays:
        values[rng.random(values.shape) < shape.missing] = np.nan
    return assemble(arrays[0], arrays[1], arrays[2], segments, series)


def layout(lengths: Sequence[Sequence[int]]) -> tuple[tuple[Segment, ...], np.ndarray]:
    """Segments and the series of each row, from the lengths of the segments of each series."""
    segments, series, start = [], [], 0
    for code, own in enumerate(lengths):
        for length in own:
            segments.append(Segment(code, start, start + length))
            series += [code] * length
            start += length
    return tuple(segments), np.array(series)


def assemble(
    obs: np.ndarray,
    actions: np.ndarray,
    exog: np.ndarray,
    segments: tuple[Segment, ...],
    series_of: np.ndarray,
) -> Panel:
    """A panel of ready arrays, named o0.., a0.., e0.."""
    count = int(series_of.max()) + 1
    names = [f"o{i}" for i in range(obs.shape[1])]
    columns = [Column(name=name, role="observation") for name in names]
    return Panel(
        contract=contract(*columns),
        obs=obs,
        actions=actions,
        exog=exog,
        channels=tuple(names),
        action_features=tuple(Feature(f"a{i}") for i in range(actions.shape[1])),
        exog_features=tuple(Feature(f"e{i}") for i in range(exog.shape[1])),
        segments=segments,
        series_names=tuple(f"s{i}" for i in range(count)),
        series_of=series_of,
        time=np.arange(float(obs.shape[0])),
        step=1.0,
        row_of=np.arange(obs.shape[0]),
        scaling=Scaling(
            tuple(f"s{i}" for i in range(count)),
            np.zeros((count, obs.shape[1])),
            np.ones((count, obs.shape[1])),
            np.zeros(actions.shape[1]),
            np.ones(actions.shape[1]),
            np.zeros(exog.shape[1]),
            np.ones(exog.shape[1]),
        ),
    )
