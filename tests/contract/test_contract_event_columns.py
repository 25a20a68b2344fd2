"""Event logs as held columns."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tslam
from tslam.contract.event import ActionEvent, Outcome
from tslam.errors import ContractError, FrameError, RoleError

START = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = [START + timedelta(seconds=10 * i) for i in range(6)]
FRAME = pl.DataFrame({"time": ROWS})


def event(second: float, **more: Any) -> ActionEvent:
    return ActionEvent(time=START + timedelta(seconds=second), **({"action": "a"} | more))


def column(*events: ActionEvent, frame: Any = FRAME, **more: Any) -> list[Any]:
    return list(tslam.events_to_columns(events, frame, **more)["a"])


def test_a_value_holds_from_its_stamp_on() -> None:
    assert column(event(40, after=7), event(20, after=5, before=1)) == [1, 1, 5, 5, 7, 7]
    assert column(event(21, after=5)) == [None, None, None, 5, 5, 5]


def test_a_hold_starts_and_ends() -> None:
    assert column(event(10, kind="start", before=0), event(35, kind="end")) == [0, 1, 1, 1, 0, 0]
    assert column(event(10, kind="start", after="auto"), event(30, kind="end", after="manual"))[1:4] == [
        "auto",
        "auto",
        "manual",
    ]


def test_a_pulse_stands_in_one_row() -> None:
    assert column(*(event(s, kind="pulse", after=v) for s, v in [(11, 2), (19, 3), (50, 1), (-5, 9)])) == [
        0, 5, 0, 0, 0, 1,
    ]  # fmt: skip


def test_an_outcome_says_whether_it_came_to_pass() -> None:
    refused = event(20, after=5, before=1, outcome=Outcome(result="refused", time=ROWS[2]))
    back = event(20, after=5, before=1, outcome=Outcome(result="rolled_back", time=ROWS[4]))
    assert column(refused) == [1] * 6
    assert column(back) == [1, 1, 5, 5, 1, 1]


def test_the_clock_of_the_log_may_be_ahead() -> None:
    late = event(23, after=5, before=1, source="urn:plc")
    assert column(late) == [1, 1, 1, 5, 5, 5]
    for skew in (timedelta(seconds=3), {"urn:plc": timedelta(seconds=3)}):
        assert column(late, skew=skew) == [1, 1, 5, 5, 5, 5]


def test_each_series_has_its_own_events() -> None:
    frame = pl.DataFrame({"time": ROWS[:3] * 2, "unit": ["x"] * 3 + ["y"] * 3})
    log = [event(10, after=1, series="x"), event(20, after=2, series="y")]
    assert column(*log, frame=frame, series="unit") == [None, 1, 1, None, None, 2]
    everywhere = [event(10, after=1)]
    assert column(*everywhere, frame=frame, series="unit") == [None, 1, 1] * 2


def test_pandas_and_stamps_without_a_zone() -> None:
    naive = pd.DataFrame({"time": [stamp.replace(tzinfo=None) for stamp in ROWS]})
    found = tslam.events_to_columns([event(20, after=5, before=1)], naive)
    assert isinstance(found, pd.DataFrame)
    assert list(found["a"]) == [1, 1, 5, 5, 5, 5]
    berlin = pd.DataFrame({"time": [stamp.replace(tzinfo=None) + timedelta(hours=1) for stamp in ROWS]})
    assert column(event(20, after=5, before=1), frame=berlin, timezone="Europe/Berlin") == [1, 1, 5, 5, 5, 5]


@given(st.permutations(range(6)), st.lists(st.integers(0, 60), min_size=1, max_size=5, unique=True))
def test_the_order_of_rows_and_events_says_nothing(order: list[int], seconds: list[int]) -> None:
    log = [event(second, after=second) for second in seconds]
    plain = column(*sorted(log, key=lambda e: e.time))
    mixed = column(*log, frame=FRAME[order])
    assert [plain[i] for i in order] == mixed


@pytest.mark.parametrize(
    ("log", "frame", "error", "said"),
    [
        ([event(1, after=1)], pl.DataFrame({"when": ROWS}), RoleError, "'time' was given the role"),
        ([event(1, after=1)], pl.DataFrame({"time": [1, 2]}), FrameError, "events carry datetimes"),
        ([event(1, after=1)], FRAME.with_columns(a=1), RoleError, "has a column 'a' already"),
        ([event(1, after=1), event(2, kind="pulse")], FRAME, RoleError, "a name of their own"),
        ([event(1, after=1)], {"time": ROWS}, FrameError, "is not a frame"),
    ],
)
def test_what_cannot_be_is_refused(log: Any, frame: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        tslam.events_to_columns(log, frame)


def test_pulses_of_text_and_what_is_no_event_are_refused() -> None:
    frame = pl.DataFrame({"time": [datetime(2026, 3, 1, tzinfo=UTC)], "x": [1.0]})
    at = datetime(2026, 3, 1, tzinfo=UTC)
    pulse = ActionEvent(time=at, action="dose", kind="pulse", after="big")
    with pytest.raises(RoleError, match="pulses of 'dose' whose size is text"):
        tslam.events_to_columns([pulse], frame)
    with pytest.raises(ContractError, match="This is not a ActionEvent"):
        tslam.events_to_columns([{"time": at}], frame)
    assert tslam.events_to_columns([{"time": at, "action": "v", "after": 2}], frame)["v"].to_list() == [2.0]
