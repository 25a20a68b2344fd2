"""The panel described in the words and units of the frame that it came from."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from crowded_report import SERIES
from plant_report import ROWS, contract, frame, model

from tslam.audit.gap import Evidence, Findings, Gap, GapKind, Severity
from tslam.contract.model import Column, Contract
from tslam.contract.roles import Kind, Role
from tslam.errors import FrameError, TslamError
from tslam.panel import build
from tslam.report import GapReport, Track, build_report
from tslam.report.decode import decode


def track(report: GapReport, name: str) -> Track:
    return next(t for t in report.timeline.tracks if t.name == name)


def test_the_data_are_described(report: GapReport) -> None:
    data = report.data
    assert (data.rows, data.grid_rows, data.segments) == (ROWS, ROWS, 1)
    assert data.start == datetime(2024, 3, 28, 22, tzinfo=UTC)
    assert data.end == datetime(2024, 4, 1, 21, 58, tzinfo=UTC)
    assert (data.timezone, data.cadence) == ("Europe/Amsterdam", "2 min")
    assert data.channels == ("supply_temp", "return_temp", "flow", "tank_level")
    assert data.actions == ("pump_1", "valve_2", "burner_on", "mode")
    assert data.exogenous == ("ambient",)
    assert data.missing == pytest.approx(30 / (4 * ROWS))
    assert 0.005 < data.carried < 0.2


def test_the_role_table_is_in_the_units_of_the_frame(report: GapReport) -> None:
    table, _ = frame()
    facts = {c.name: c for c in report.data.columns}
    assert list(facts) == [c.name for c in contract().columns]
    for name in ("supply_temp", "pump_1", "ambient"):
        assert facts[name].low == pytest.approx(table[name].min())
        assert facts[name].high == pytest.approx(table[name].max())
    assert facts["pump_1"].moves == int((table["pump_1"].diff().fill_null(0) != 0).sum())
    assert facts["pump_1"].low == 0.0
    assert facts["mode"].moves == int((table["mode"] != table["mode"].shift(1)).sum())
    assert facts["mode"].low is None
    assert facts["valve_2"].missing == pytest.approx(249 / ROWS)
    assert facts["supply_temp"].moves is None
    assert facts["supply_temp"].timing is None
    assert facts["operator_note"].missing is None


def test_a_step_line_keeps_every_move(report: GapReport) -> None:
    table, _ = frame()
    pump = track(report, "pump_1")
    assert not pump.thinned
    kept = pl.DataFrame({"ts": pump.times, "v": pump.values}).unique("ts", keep="first").sort("ts")
    drawn = (
        table.select("ts", "pump_1")
        .join_asof(
            kept.with_columns(pl.col("ts").dt.replace_time_zone(None).dt.replace_time_zone("UTC")), on="ts"
        )
        .head(ROWS - 1)
    )
    assert drawn["v"].to_numpy() == pytest.approx(drawn["pump_1"].to_numpy())


def test_a_silent_log_breaks_its_line(report: GapReport) -> None:
    valve = track(report, "valve_2")
    silent = [t for t, v in zip(valve.times, valve.values, strict=True) if v is None]
    assert datetime(2024, 3, 31, 0, 2, tzinfo=UTC) in silent


def test_a_category_keeps_its_labels(report: GapReport) -> None:
    table, _ = frame()
    mode = track(report, "mode")
    assert mode.levels is not None
    assert mode.values[0] is not None
    assert mode.levels[int(mode.values[0])] == table["mode"][0]


def test_a_dense_line_keeps_its_extremes(report: GapReport) -> None:
    table, latents = frame()
    for name, values in (("latent_0", latents[:, 0]), ("return_temp", table["return_temp"].to_numpy())):
        line = track(report, name)
        drawn = [v for v in line.values if v is not None]
        assert line.thinned
        assert len(line.values) <= 600
        assert min(drawn) == pytest.approx(np.nanmin(values), rel=1e-4)
        assert max(drawn) == pytest.approx(np.nanmax(values), rel=1e-4)


def test_what_gaps_speak_of_is_drawn_first(report: GapReport, crowded: GapReport) -> None:
    assert {t.name for t in report.timeline.tracks if t.role is Role.OBSERVATION} == {
        "return_temp",
        "supply_temp",
        "tank_level",
    }
    assert report.timeline.left_out == ("flow",)
    drawn = dict.fromkeys(t.series for t in crowded.timeline.tracks)
    assert len(drawn) == 3
    assert set(drawn) == set(SERIES[:3])
    assert all(len(t.values) <= 600 for t in crowded.timeline.tracks)
    assert "series east" in crowded.timeline.left_out


def test_angles_events_and_orders_come_back() -> None:
    rng = np.random.default_rng(1)
    rows = 80
    table = pl.DataFrame(
        {
            "t": np.arange(rows, dtype=float),
            "y": rng.normal(size=rows),
            "wind": np.mod(np.arange(rows) * 37.0, 360.0),
            "door": [None if i % 9 else "opened" for i in range(rows)],
            "gear": [("low", "mid", "high")[i % 3] for i in range(rows)],
            "gone": pl.Series([None] * rows, dtype=pl.Float64),
        }
    )
    spoken = Contract(
        columns=(
            Column(name="t", role=Role.TIME),
            Column(name="y", role=Role.OBSERVATION),
            Column(name="wind", role=Role.EXOGENOUS, kind=Kind.CIRCULAR, period=360),
            Column(name="door", role=Role.ACTION, kind=Kind.EVENT),
            Column(name="gear", role=Role.ACTION, kind=Kind.ORDINAL, levels=("low", "mid", "high")),
            Column(name="gone", role=Role.ACTION),
        )
    )
    panel = build(table, spoken)
    wind, door, gear, gone = (decode(panel, name) for name in ("wind", "door", "gear", "gone"))
    assert wind is not None
    assert wind.values == pytest.approx(table["wind"].to_numpy(), abs=1e-6)
    assert door is not None
    assert door.levels == ("none", "opened")
    assert door.values[:10].tolist() == [1.0, *[0.0] * 8, 1.0]
    assert gear is not None
    assert gear.levels == ("low", "mid", "high")
    assert gear.values[:4] == pytest.approx([0, 1, 2, 0])
    assert gone is not None
    assert np.isnan(gone.values).all()
    assert decode(panel, "t") is None


def test_lines_break_between_segments() -> None:
    time = np.concatenate([np.arange(40.0), np.arange(40.0) + 500])
    table = pl.DataFrame({"t": time, "y": np.arange(80.0)})
    spoken = Contract(columns=(Column(name="t", role=Role.TIME), Column(name="y", role=Role.OBSERVATION)))
    panel = build(table, spoken)
    made = build_report(
        panel=panel, findings=Findings(), latents=np.zeros((panel.rows, 0)), model=model(), digest=""
    )
    assert made.data.segments == 2
    line = track(made, "y")
    breaks = [t for t, v in zip(line.times, line.values, strict=True) if v is None]
    assert 39.0 in breaks


def test_a_gap_in_local_time_survives_json() -> None:
    # In the hour that comes twice, stamps of a named zone equal no stamp of another zone.
    twice = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Amsterdam"))
    gap = Gap(kind=GapKind.LOG_OUTAGE, severity=Severity.INFO, windows=((twice, twice),))
    table, latents = frame(200)
    made = build_report(
        panel=build(table, contract()),
        findings=Findings(gaps=(gap,)),
        latents=latents,
        model=model(),
        digest="",
    )
    assert GapReport.from_json(made.to_json()) == made


def test_latents_must_fit_the_panel() -> None:
    table, latents = frame(200)
    with pytest.raises(FrameError, match=r"199 rows .* 200"):
        build_report(
            panel=build(table, contract()),
            findings=Findings(),
            latents=latents[:-1],
            model=model(),
            digest="",
        )


def test_what_is_no_number_is_left_out_where_it_may_be_and_refused_where_not() -> None:
    table, latents = frame(200)
    panel = build(table, contract())

    def reported(gap: Gap) -> GapReport:
        found = Findings(gaps=(gap,))
        return build_report(panel=panel, findings=found, latents=latents, model=model(), digest="")

    gap = Gap(kind=GapKind.COARSE_LOG, severity=Severity.INFO, evidence=(Evidence(name="t", value=np.nan),))
    assert reported(gap).gaps[0].evidence[0].value is None
    with pytest.raises(TslamError, match=r"no finite number at gaps\.0\.score"):
        reported(gap.model_copy(update={"score": float("inf")}))
