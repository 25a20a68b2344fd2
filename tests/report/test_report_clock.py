"""Stamps in the contract's zone, and axes with round marks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.report.clock import Clock

AMSTERDAM = Clock.of("Europe/Amsterdam")
EARLY_AND_LATE = [datetime.fromisoformat(text) for text in ("1971-01-01", "2150-01-01")]
ZONES = st.sampled_from([None, "UTC", "Europe/Amsterdam", "America/St_Johns", "Asia/Kathmandu"])


def test_a_stamp_with_a_zone_is_shown_in_the_contract_s() -> None:
    assert AMSTERDAM.text(datetime(2024, 7, 1, 10, 30, tzinfo=UTC)) == "2024-07-01 12:30"
    assert AMSTERDAM.text(datetime(2024, 7, 1, 10, 30, 5, 250_000, tzinfo=UTC)) == "2024-07-01 12:30:05.25"


def test_a_stamp_without_a_zone_is_shown_as_it_is() -> None:
    stamp = datetime.fromisoformat("2024-07-01 10:30")
    assert AMSTERDAM.text(stamp) == "2024-07-01 10:30"
    assert Clock.of(None).text(stamp) == "2024-07-01 10:30"


def test_both_kinds_of_stamp_share_one_axis() -> None:
    local = datetime.fromisoformat("2024-07-01 12:30")
    assert AMSTERDAM.axis(local) == AMSTERDAM.axis(datetime(2024, 7, 1, 10, 30, tzinfo=UTC))


def test_an_unknown_zone_is_read_as_utc() -> None:
    assert Clock.of("Mars/Olympus").zone is UTC
    assert Clock.of("../etc/passwd").zone is UTC


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0, "2024-12-30 23:00"),
        (0.5, "2024-12-30 23:00 → 23:30"),
        (2, "2024-12-30 23:00 → 12-31 01:00"),
        (72, "2024-12-30 23:00 → 2025-01-02 23:00"),
    ],
)
def test_what_both_ends_of_a_window_share_stands_once(hours: float, said: str) -> None:
    start = datetime(2024, 12, 30, 22, tzinfo=UTC)
    assert AMSTERDAM.window(start, start + timedelta(hours=hours)) == said


def test_numbers_are_shown_as_numbers() -> None:
    clock = Clock.of("UTC")
    assert clock.window(3.0, 7.5) == "3 → 7.5"
    assert [t.label for t in clock.ticks(0.0, 95.0, most=5)] == ["0", "20", "40", "60", "80"]
    assert [t.label for t in clock.ticks(-0.3, 0.3, most=3)] == ["\N{MINUS SIGN}0.2", "0", "0.2"]


def test_days_are_marked_at_local_midnight_across_the_change_of_clocks() -> None:
    low, high = (datetime(2024, 3, day, 12, tzinfo=UTC) for day in (29, 3 + 29 - 1))
    ticks = AMSTERDAM.ticks(low, high, most=4)
    assert [t.label for t in ticks] == ["2024-03-30", "31 Mar"]
    seconds = (high - low).total_seconds()
    assert [t.at * seconds / 3600 for t in ticks] == pytest.approx([11.0, 35.0])


def test_long_axes_are_marked_by_months() -> None:
    zone = ZoneInfo("UTC")
    ticks = AMSTERDAM.ticks(datetime(2020, 1, 15, tzinfo=zone), datetime(2024, 6, 1, tzinfo=zone))
    assert [t.label for t in ticks] == ["2021-01-01", "2022-01-01", "2023-01-01", "2024-01-01"]


@given(
    start=st.datetimes(*EARLY_AND_LATE, timezones=st.just(UTC)),
    span=st.timedeltas(timedelta(milliseconds=20), timedelta(days=20_000)),
    zone=ZONES,
)
def test_every_span_of_time_gets_a_few_marks_in_order(start: datetime, span: timedelta, zone: str) -> None:
    ticks = Clock.of(zone).ticks(start, start + span)
    assert 1 <= len(ticks) <= 11
    assert all(0 <= t.at <= 1 for t in ticks)
    assert [t.at for t in ticks] == sorted({t.at for t in ticks})
    assert not ticks[0].minor


@given(low=st.floats(-1e9, 1e9), span=st.floats(1e-3, 1e9))
def test_every_span_of_numbers_gets_a_few_marks(low: float, span: float) -> None:
    ticks = Clock().ticks(low, low + span)
    assert 1 <= len(ticks) <= 11
    assert all(-1e-6 <= t.at <= 1 + 1e-6 for t in ticks)


def test_a_single_moment_has_one_mark() -> None:
    assert [t.label for t in Clock().ticks(2.0, 2.0)] == ["2"]
