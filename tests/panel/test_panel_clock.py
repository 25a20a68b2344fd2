"""Time columns of every kind become ticks, and words again."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from tslam.errors import CadenceError, FrameError
from tslam.panel.clock import read_clock


def test_datetimes_count_microseconds_in_utc_and_keep_their_zone() -> None:
    noon = dt.datetime.fromisoformat("2024-07-01T12:00")
    naive = pl.Series("t", [noon], dtype=pl.Datetime("ms"))
    berlin = naive.dt.replace_time_zone("Europe/Berlin")
    assert read_clock(naive).timezone is None
    assert read_clock(berlin).timezone == "Europe/Berlin"
    assert read_clock(naive).ticks[0] - read_clock(berlin).ticks[0] == 2 * 3600e6
    assert read_clock(berlin).stamps(read_clock(berlin).ticks) == "2024-07-01 12:00:00+02:00"
    clock = read_clock(berlin)
    assert clock.array(clock.ticks)[0] == np.datetime64("2024-07-01T10:00")
    assert clock.ticks_of(clock.seconds(5e6)) == 5e6


def test_dates_durations_and_numbers_are_clocks() -> None:
    dates = read_clock(pl.Series("t", [dt.date(1970, 1, 2)]))
    assert dates.dated
    assert dates.ticks[0] == 86400e6
    elapsed = read_clock(pl.Series("t", [dt.timedelta(seconds=1.5)]))
    assert not elapsed.dated
    assert elapsed.ticks[0] == 1.5
    assert read_clock(pl.Series("t", [7], dtype=pl.UInt8)).stamps([7.0]) == "7"


@pytest.mark.parametrize(
    ("freq", "seconds"),
    [("10s", 10), ("15min", 900), ("1.5h", 5400), ("250ms", 0.25), ("1d", 86400), ("2 w", 1209600)],
)
def test_durations_are_read_and_said(freq: str, seconds: float) -> None:
    clock = read_clock(pl.Series("t", [dt.date(2024, 1, 1)]))
    assert clock.step(freq) == seconds * 1e6
    assert clock.step(clock.span(clock.step(freq))) == clock.step(freq)


def test_a_cadence_must_suit_the_clock() -> None:
    dated = read_clock(pl.Series("t", [dt.date(2024, 1, 1)]))
    numeric = read_clock(pl.Series("t", [0.0]))
    for freq in ("10", "1mo", "1M", "0s", "fast"):
        with pytest.raises(CadenceError, match="is not a duration"):
            dated.step(freq)
    for freq in ("10s", "0", "-1", "nan"):
        with pytest.raises(CadenceError, match="time column is numeric"):
            numeric.step(freq)
    assert numeric.step("0.5") == 0.5
    assert numeric.span(0.5) == "0.5"
    assert dated.span(0.25) == "0.25us"


def test_columns_that_are_no_clock_are_refused() -> None:
    with pytest.raises(FrameError, match=r"holds text, such as '2024-01-01'.*to_datetime"):
        read_clock(pl.Series("t", ["2024-01-01"]))
    with pytest.raises(FrameError, match="is Boolean"):
        read_clock(pl.Series("t", [True]))
    with pytest.raises(FrameError, match="is Time"):
        read_clock(pl.Series("t", [dt.time(12)]))
    with pytest.raises(CadenceError, match=r"no stamp in 2 of 4 rows.*\[1, 3\]"):
        read_clock(pl.Series("t", [0.0, None, 1.0, float("inf")]))
