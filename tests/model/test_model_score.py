"""Scores: of what the fit has not learnt from, on every frame."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from model_cases import SITE, fleet, fleet_model, model, record
from polars.testing import assert_frame_equal

import tslam
from tslam.errors import ConfigError

COLUMNS = ["channel", "horizon", "skill", "rmse", "persistence_rmse", "origins"]


def origins(table: pl.DataFrame) -> dict[int, int]:
    """How many forecasts were scored, by horizon."""
    assert table.group_by("horizon").agg(pl.col("origins").n_unique())["origins"].to_list() == [1] * (
        table["horizon"].n_unique()
    )
    return dict(table.group_by("horizon").agg(pl.col("origins").first()).iter_rows())


@pytest.mark.parametrize("family", ["linear", "held", "neural"])
def test_a_row_per_channel_and_horizon(family: str) -> None:
    table = model(family).score(record().frame, horizons=(5, 1, 5))
    assert table.columns == COLUMNS
    assert table["horizon"].to_list() == [1] * 4 + [5] * 4
    assert table["channel"].to_list() == list(record().observations) * 2
    shown = 1 - (pl.col("rmse") / pl.col("persistence_rmse")) ** 2
    assert table.select((shown - pl.col("skill")).abs().max()).item() < 1e-9


def test_one_step_ahead_is_what_the_summary_tells() -> None:
    m = model("held")
    told = {s.channel: s.skill for s in m._fitted.parts[0].skill}
    table = m.score(record().frame, horizons=1)
    assert dict(table.select("channel", "skill").iter_rows()) == pytest.approx(told)


def test_only_held_out_rows_count_on_the_data_of_the_fit() -> None:
    frame, m = record().frame, model()
    own = origins(m.score(frame, (1, 5)))
    assert own[1] == pytest.approx(0.25 * frame.height, rel=0.1)
    # every step of a forecast is held out: fewer begin where more must follow
    assert own[5] < own[1]
    for same in (frame.sample(fraction=1.0, shuffle=True, seed=0), frame.reverse()):
        assert_frame_equal(m.score(same), m.score(frame))


def test_all_rows_of_other_data_count() -> None:
    frame, m = record().frame, model()
    shifted = frame.with_columns(pl.col("time").dt.offset_by("1d"))
    assert origins(m.score(shifted, (1, 5))) == {1: 599, 5: 595}
    assert origins(m.score(frame.head(400), (1, 5))) == {1: 399, 5: 395}


def test_what_was_learnt_by_heart_is_no_skill() -> None:
    """A model with hundreds of regressors knows its training rows; what it is told of is the others."""
    rng = np.random.default_rng(0)
    frame = (
        record()
        .frame.select("time")
        .with_columns(*[pl.Series(f"o{i}", rng.normal(size=600)) for i in range(6)])
    )
    config = tslam.FitConfig(family="linear", lags=16, latents=0)
    m = tslam.fit(frame, config=config, progress=False)
    held = m.score(frame, 1)["skill"]
    # of noise the mean is the best forecast, with half the squared error of persistence
    assert held.max() < 0.5
    by_heart = m.score(frame.with_columns(pl.col("time").dt.offset_by("1d")), 1)["skill"]
    assert (by_heart - held).min() > 0.1


def test_too_long_a_horizon_has_no_score() -> None:
    table = model().score(record().frame, (1, 500))
    none = table.filter(pl.col("horizon") == 500)
    assert none["origins"].to_list() == [0] * 4
    for name in ("skill", "rmse", "persistence_rmse"):
        assert none[name].null_count() == 4
        assert table.filter(pl.col("horizon") == 1)[name].null_count() == 0


@pytest.mark.parametrize(
    "horizons", [(), [], 0, (0,), (-1, 5), 1.5, (1, 2.5), "12", None, (None,), (1, "2")], ids=str
)
def test_what_is_no_horizon_is_refused(horizons: Any) -> None:
    with pytest.raises(ConfigError, match=r"Found horizons=.*at least 1"):
        model().score(record().frame, horizons)


def test_horizons_may_be_any_whole_numbers() -> None:
    m, frame = model(), record().frame
    expected = m.score(frame, (1, 2, 3))
    for same in ([3, 2, 1], range(1, 4), {1, 2, 3}, tuple(np.arange(1, 4))):
        assert_frame_equal(m.score(frame, same), expected)


def test_the_table_comes_in_the_callers_kind() -> None:
    m, frame = model(), record().frame
    expected = m.score(frame)
    assert isinstance(m.score(frame.to_pandas()), pd.DataFrame)
    assert_frame_equal(pl.from_pandas(m.score(frame.to_pandas())), expected)
    assert_frame_equal(pl.DataFrame(m.score(frame.to_arrow())), expected)


def test_each_series_fitted_alone_has_its_own_scores() -> None:
    m = fleet_model(per_series=True)
    table = m.score(fleet("north", "south"), (1, 3))
    assert table.columns == ["series", *COLUMNS]
    assert table.group_by("series").len().sort("series").rows() == [("north", 8), ("south", 8)]
    skill = {(p.series, s.channel): s.skill for p in m._fitted.parts for s in p.skill}
    for series, channel, found in (
        table.filter(pl.col("horizon") == 1).select("series", "channel", "skill").iter_rows()
    ):
        assert found == pytest.approx(skill[series, channel])
    only = m.score(fleet("south"))
    assert only["series"].unique().to_list() == ["south"]


def test_a_fleet_is_scored_as_one() -> None:
    m = fleet_model()
    assert SITE not in m.score(fleet("north", "south")).columns
    assert m.score(fleet("east"), 1)["skill"].min() > 0
