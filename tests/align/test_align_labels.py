"""Labels: from columns, event logs and tickets; what they cannot be."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from align_cases import HIDDEN, case

from tslam.align.labels import Label, from_column, from_events, lay
from tslam.contract import from_arguments
from tslam.errors import AlignmentError
from tslam.panel import Panel, build
from tslam.panel.ingest import read
from tslam.plants.plant import TIME


def _panel() -> Panel:
    own = case()
    return own.model._panel(read(own.fitted_on, own.model.contract)[0])


def test_a_column_makes_one_label_of_each_run() -> None:
    frame = pl.DataFrame({"t": range(8), "a": [None, 1.0, 1.0, None, 1.0, 2.0, 2.0, None]})
    labels = from_column(frame, "a", "t", None)
    assert [(x.start, x.end, x.value) for x in labels] == [(1, 2, 1.0), (4, 4, 1.0), (5, 6, 2.0)]


def test_runs_do_not_cross_series() -> None:
    frame = pl.DataFrame({"t": [0, 1, 0, 1], "s": ["b", "b", "a", "a"], "a": [1.0] * 4})
    assert [(x.series, x.start, x.end) for x in from_column(frame, "a", "t", "s")] == [
        ("a", 0, 1),
        ("b", 0, 1),
    ]


def test_a_setting_holds_until_the_next() -> None:
    labels = from_events([(5, 2.0), (0, 1.0)], end=9)
    assert [(x.start, x.end, x.value) for x in labels] == [(0, 5, 1.0), (5, 9, 2.0)]


def test_a_log_of_settings_is_laid_without_contradiction() -> None:
    stamp = case().record.frame[TIME]
    events = [(stamp[10], 1.0), (stamp[40], 2.0), (stamp[70], 1.0)]
    holds = lay(from_events(events, end=stamp[90]), _panel())
    assert [(rows[0], rows[-1]) for rows in holds.rows] == [(10, 39), (40, 69), (70, 90)]
    assert holds.values == (1.0, 2.0, 1.0)


def test_a_label_of_the_last_row_says_nothing() -> None:
    panel, stamp = _panel(), case().fitted_on[TIME]
    labels = [Label(stamp[0], stamp[9], 1.0), Label(stamp[20], stamp[29], 2.0)]
    last = Label(stamp[-1], stamp[-1], 5.0)
    assert lay([*labels, last], panel).values == (1.0, 2.0)


def test_the_slack_of_a_ticket_is_left_out() -> None:
    panel = _panel()
    stamp = case().record.frame[TIME]
    tight = Label(stamp[100], stamp[150], 1.0, slack=timedelta(seconds=10 * panel.step))
    other = Label(stamp[200], stamp[210], 2.0)
    holds = lay([other, tight], panel)
    assert holds.rows[0].tolist() == list(range(110, 141))
    assert holds.values == (1.0, 2.0)


NUMBERED = pl.int_range(60, eager=True)
DATED = NUMBERED.cast(pl.Datetime)
ZONED = (DATED + timedelta(days=20_000)).dt.replace_time_zone("Europe/Amsterdam")


def _of(time: pl.Series) -> Panel:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"t": time, "o": rng.normal(size=60), "a": rng.normal(size=60)})
    contract, _ = from_arguments(dict(frame.schema), actions=["a"], time="t")
    return build(frame, contract)


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("yesterday", NUMBERED),
        (timedelta(seconds=5), NUMBERED),
        (datetime(2026, 1, 1, tzinfo=UTC), NUMBERED),
        ("yesterday", DATED),
        (5, DATED),
        (None, DATED),
        (datetime(2026, 1, 1, tzinfo=UTC), DATED),
        (DATED[3], ZONED),
    ],
)
def test_stamps_of_another_kind_are_named(stamp: object, time: pl.Series) -> None:
    with pytest.raises(AlignmentError, match=r"has the stamp .*, and the data have"):
        lay([Label(stamp, stamp, 1.0), Label(time[3], time[9], 2.0)], _of(time))


@pytest.mark.parametrize(("slack", "time"), [(5, DATED), ("an hour", NUMBERED), ("an hour", DATED)])
def test_slack_of_another_kind_is_named(slack: object, time: pl.Series) -> None:
    with pytest.raises(AlignmentError, match="has the slack"):
        lay([Label(time[3], time[20], 1.0, slack=slack)], _of(time), least=1)


def test_a_label_in_another_zone_is_on_the_same_rows() -> None:
    told = [(3, 9, 1.0), (12, 20, 2.0)]
    local = [t.astimezone(ZoneInfo("America/St_Johns")) for t in ZONED]
    for stamps in (ZONED, local):
        holds = lay([Label(stamps[i], stamps[j], value) for i, j, value in told], _of(ZONED))
        assert [rows.tolist() for rows in holds.rows] == [[*range(3, 10)], [*range(12, 21)]]


def test_labels_of_days_lie_on_days() -> None:
    days = pl.date_range(date(2026, 3, 1), date(2026, 4, 29), eager=True)
    known = pl.DataFrame({"t": days, "a": [None] * 20 + [1.0] * 20 + [2.0] * 20})
    holds = lay(from_column(known, "a", "t", None), _of(days))
    assert [rows.tolist() for rows in holds.rows] == [[*range(20, 40)], [*range(40, 60)]]
    assert holds.values == (1.0, 2.0)


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([(0, 10, 1.0), (9000, 9010, 2.0)], "have no row in the data"),
        ([(0, 10, 1.0), (5, 20, 2.0)], "contradict each other"),
        ([(0, 10, 1.0), (15, 20, 1.0)], "with 1 value"),
    ],
)
def test_what_labels_cannot_be(spans: list[tuple[int, int, float]], said: str) -> None:
    panel = _panel()
    first = panel.time[0]
    step = np.timedelta64(round(panel.step * 1e6), "us")
    labels = [Label((first + a * step).item(), (first + b * step).item(), v) for a, b, v in spans]
    with pytest.raises(AlignmentError, match=said):
        lay(labels, panel)


def test_an_empty_column_is_refused() -> None:
    own = case()
    with pytest.raises(AlignmentError, match="null in every row"):
        own.model.align(own.fitted_on.with_columns(pl.lit(None, pl.Float64).alias(HIDDEN)), HIDDEN)


def test_text_is_no_number() -> None:
    own, stamp = case(), case().record.frame[TIME]
    labels = [Label(stamp[0], stamp[50], "low"), Label(stamp[60], stamp[90], "high")]
    with pytest.raises(AlignmentError, match="not a number"):
        own.model.align(own.fitted_on, HIDDEN, labels=labels, kind="continuous")
