"""Several series: a gap names those that it concerns, and what is usual for a series is none."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from audit_cases import alarms, audited, easy, frozen

from tslam.audit.gap import GapKind, Severity
from tslam.plants.plant import TIME, Record

SERIES = "unit"
UNITS = ("a", "b", "c")
LENGTH = 1500
PLANT = easy(rows=len(UNITS) * LENGTH, noise=0.1)


def _fleet(frame: pl.DataFrame) -> pl.DataFrame:
    """One long record, told as three units that run side by side."""
    clock = pl.concat([frame[TIME][:LENGTH]] * len(UNITS))
    return frame.with_columns(pl.Series(SERIES, np.repeat(UNITS, LENGTH)), clock.alias(TIME))


def _of_another_make(fleet: pl.DataFrame, record: Record, unit: str) -> pl.DataFrame:
    """One unit reads a hundred times what the others do, about another zero."""
    here = pl.col(SERIES) == unit
    return fleet.with_columns(
        pl.when(here).then(100.0 * pl.col(name) + 7.0).otherwise(name).alias(name)
        for name in record.observations
    )


def test_an_outage_names_the_series_in_which_it_was() -> None:
    frame = _fleet(frozen(PLANT.frame, "action_0", LENGTH + 400, LENGTH + 1300))
    found = alarms(audited(PLANT, frame, series=SERIES))
    assert [(gap.kind, gap.column, gap.series) for gap in found] == [(GapKind.LOG_OUTAGE, "action_0", ("b",))]
    first, last = found[0].windows[0]
    assert PLANT.frame[TIME][400] <= first < last < PLANT.frame[TIME][1350]


def test_a_log_that_is_late_in_one_series_is_late_there_alone() -> None:
    fleet = _fleet(PLANT.frame)
    late = pl.col("action_0").shift(6).over(SERIES)
    frame = fleet.with_columns(
        pl.when(pl.col(SERIES) == "b").then(late.fill_null(0.0)).otherwise("action_0").alias("action_0")
    )
    found = alarms(audited(PLANT, frame, series=SERIES))
    assert [(gap.kind, gap.column, gap.series, gap.lag) for gap in found] == [
        (GapKind.MISALIGNED_LOG, "action_0", ("b",), 6)
    ]


def test_an_action_that_one_series_never_logged_is_said_so() -> None:
    own = np.repeat([unit == "b" for unit in UNITS], LENGTH)
    values = np.where(own, np.nan, PLANT.frame["action_1"].to_numpy())
    frame = _fleet(PLANT.frame.with_columns(pl.Series("action_1", values).fill_nan(None)))
    gaps = [gap for gap in audited(PLANT, frame, series=SERIES).gaps if gap.column == "action_1"]
    empty = [gap for gap in gaps if "Deliver" in gap.recommendation]
    assert [(gap.kind, gap.series, gap.severity) for gap in empty] == [
        (GapKind.LOG_OUTAGE, ("b",), Severity.WARNING)
    ]
    assert "series b" in empty[0].recommendation
    assert empty[0].windows == ((PLANT.frame[TIME][0], PLANT.frame[TIME][LENGTH - 1]),)


@pytest.mark.parametrize(
    "seed", [1, pytest.param(0, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)]
)
def test_series_that_idle_at_levels_of_their_own_are_clean(seed: int) -> None:
    record = easy(seed, rows=len(UNITS) * 1000)
    frame = record.frame.with_columns(
        pl.Series(SERIES, np.repeat(UNITS, 1000)), pl.concat([record.frame[TIME][:1000]] * 3).alias(TIME)
    )
    assert not alarms(audited(record, frame, series=SERIES))


def test_a_series_in_other_units_is_clean_too() -> None:
    assert not alarms(audited(PLANT, _of_another_make(_fleet(PLANT.frame), PLANT, "c"), series=SERIES))


def test_a_missing_action_concerns_all_series() -> None:
    plant = PLANT.drop("action_2")
    found = alarms(audited(plant, _fleet(plant.frame), series=SERIES))
    assert [(gap.kind, gap.series) for gap in found] == [(GapKind.MISSING_ACTION, None)]
    assert set(found[0].channels) == set(PLANT.effects["action_2"])


def test_windows_of_the_attribution_span_all_series_in_order_of_time() -> None:
    fleet = _fleet(PLANT.frame)
    # the second unit starts before the first and ends after it
    late = pl.when(pl.col(SERIES) == "b").then(pl.duration(minutes=-3)).otherwise(pl.duration(minutes=0))
    shares = audited(PLANT, fleet.with_columns(pl.col(TIME) + late), series=SERIES).attribution
    windows = [part.window for part in shares if part.window is not None]
    assert len(windows) > 1
    assert all(first < last for first, last in windows)
    assert all(before[0] < after[0] for before, after in pairwise(windows))
    assert windows[0][0] < fleet[TIME][0]
