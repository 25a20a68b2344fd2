"""A frame becomes a panel, and every row of the caller's finds its values there again."""

import datetime as dt
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panel_cases import START, contract, frame

from tslam.contract.model import Column, Contract
from tslam.errors import CadenceError, FrameError
from tslam.panel import Encoding, Panel, Scaling, back, build, transitions

KINDS = contract(
    Column(name="x", role="observation"),
    Column(name="level", role="observation"),
    Column(name="u", role="action"),
    Column(name="mode", role="action"),
    Column(name="kick", role="action", kind="event"),
    Column(name="on", role="action"),
    Column(name="wind", role="exogenous", period=360),
    series="site",
    freq="15m",
)


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """Sites with a column of every kind around a change of DST; rows dropped and shuffled."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    zone = draw(st.sampled_from([None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]))
    start = draw(
        st.sampled_from(
            [dt.datetime.fromisoformat("2024-03-30T12:00"), dt.datetime.fromisoformat("2024-10-26T20:00")]
        )
    )
    parts = []
    for site in range(draw(st.integers(1, 3))):
        rows = draw(st.integers(75, 100))
        time = pl.datetime_range(start, start + (rows - 1) * dt.timedelta(minutes=15), "15m", eager=True)
        values = {"x": rng.normal(size=rows), "level": rng.integers(0, 50, rows), "u": rng.normal(size=rows)}
        categories = {"mode": rng.choice(["auto", "manual", "off"], rows), "on": rng.random(rows) < 0.5}
        kicks = pl.Series([1.0 if hit else None for hit in rng.random(rows) < 0.1], dtype=pl.Float64)
        part = pl.DataFrame({"time": time, "site": f"site {site}", **values, **categories, "kick": kicks})
        gone = rng.random(rows) < 0.1
        gone[20 : 20 + draw(st.integers(0, 12))] = True
        part = part.with_columns(
            pl.when(pl.Series(rng.random(rows) < 0.1)).then(None).otherwise(pl.col(name)).alias(name)
            for name in ("x", "level", "mode", "on")
        )
        parts.append(part.with_columns(wind=pl.Series(rng.uniform(0, 360, rows))).filter(pl.Series(~gone)))
    whole = pl.concat(parts)
    if zone is not None:
        whole = whole.with_columns(pl.col("time").dt.replace_time_zone("UTC").dt.convert_time_zone(zone))
    return whole[rng.permutation(whole.height)]


def _unscaled(panel: Panel) -> np.ndarray:
    of = panel.series_of
    return panel.obs * panel.scaling.obs_sd[of] + panel.scaling.obs_mean[of]


def _same(one: Panel, other: Panel, *, but: frozenset[str] = frozenset()) -> None:
    for field in fields(Panel):
        if field.name in but | {"contract"}:
            continue
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, Scaling):
            assert json.dumps(a.to_dict()) == json.dumps(b.to_dict())
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name


@settings(max_examples=40)
@given(frames())
def test_every_row_finds_its_values_on_the_grid(source: pl.DataFrame) -> None:
    panel = build(source, KINDS, max_gap=5)
    placed = panel.row_of >= 0
    rows = panel.row_of[placed]
    assert np.unique(rows).size == rows.size
    assert source.filter(pl.Series(~placed)).select(pl.col("x", "level").is_null().all()).row(0) in {
        (True, True),
        (None, None),
    }
    kept = source.filter(pl.Series(placed))
    assert panel.stamps(rows).to_list() == kept["time"].to_list()
    assert [panel.series_names[i] for i in panel.series_of[rows]] == kept["site"].to_list()
    np.testing.assert_allclose(
        _unscaled(panel)[rows], kept.select(pl.col("x", "level").cast(pl.Float64)).to_numpy(), atol=1e-9
    )
    inputs = panel.actions * panel.scaling.act_sd + panel.scaling.act_mean
    kick = [f.column for f in panel.action_features].index("kick")
    np.testing.assert_allclose(inputs[rows, kick], kept["kick"].fill_null(0.0), atol=1e-9)
    masked = np.setdiff1d(np.arange(panel.rows), rows)
    assert not panel.observed[masked].any()
    np.testing.assert_allclose(inputs[masked, kick], 0, atol=1e-9)
    assert panel.step == 900
    for segment in panel.segments:
        own = panel.time[segment.start : segment.stop]
        assert np.all(np.diff(own) == np.timedelta64(900, "s"))


@settings(max_examples=15)
@given(frames(), st.randoms(use_true_random=False))
def test_the_panel_does_not_depend_on_the_kind_of_frame_nor_on_the_order_of_rows(
    source: pl.DataFrame, random: Any
) -> None:
    panel = build(source, KINDS)
    _same(panel, build(source.to_pandas(), KINDS))
    _same(panel, build(source.to_pandas().set_index("time"), KINDS))
    _same(panel, build(source.lazy(), KINDS))
    _same(panel, build(source.to_arrow(), KINDS))
    order = random.sample(range(source.height), source.height)
    shuffled = build(source[order], KINDS)
    np.testing.assert_array_equal(shuffled.row_of, panel.row_of[order])
    _same(panel, shuffled, but=frozenset({"row_of", "notes"}))


@settings(max_examples=15)
@given(frames())
def test_a_fitted_scaling_and_encoding_give_the_same_panel_for_any_part(source: pl.DataFrame) -> None:
    panel = build(source, KINDS)
    scaling = Scaling.from_dict(json.loads(json.dumps(panel.scaling.to_dict())))
    encoding = Encoding.from_dict(json.loads(json.dumps(panel.encoding.to_dict())))
    _same(
        panel,
        build(source, KINDS, scaling=scaling, encoding=encoding, step=panel.step),
        but=frozenset({"notes"}),
    )
    one = source.filter(pl.col("site") == panel.series_names[-1])
    part = build(one, KINDS, scaling=scaling, encoding=encoding)
    own = panel.series_of == len(panel.series_names) - 1
    np.testing.assert_array_equal(part.obs, panel.obs[own])
    np.testing.assert_array_equal(part.actions, panel.actions[own])
    np.testing.assert_array_equal(part.exog, panel.exog[own])
    assert part.transferred == ()


def test_local_time_across_the_end_of_summer_time_needs_its_zone() -> None:
    utc = pl.datetime_range(
        dt.datetime.fromisoformat("2024-10-26T00:00"),
        dt.datetime.fromisoformat("2024-10-28T00:00"),
        "30m",
        eager=True,
    )
    berlin = utc.dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")
    source = pl.DataFrame({"time": berlin, "x": np.arange(97.0), "u": np.arange(97) % 5})
    panel = build(source, contract())
    assert len(panel.segments) == 1
    assert panel.rows == 97
    assert panel.timezone == "Europe/Berlin"
    assert panel.stamps(np.array([0])).dtype == pl.Datetime("us", "Europe/Berlin")
    np.testing.assert_array_equal(panel.time, utc.to_numpy())
    with pytest.raises(
        CadenceError, match=r"2 duplicate time stamps.*when summer time ends: give such stamps their zone"
    ):
        build(source.with_columns(pl.col("time").dt.replace_time_zone(None)), contract())


def test_days_of_local_time_are_one_segment_though_one_has_23_hours() -> None:
    midnight = pl.datetime_range(
        dt.datetime.fromisoformat("2024-03-01T00:00"),
        dt.datetime.fromisoformat("2024-04-30T00:00"),
        "1d",
        eager=True,
        time_zone="Europe/Berlin",
    )
    panel = build(pl.DataFrame({"time": midnight, "x": np.arange(61.0), "u": np.zeros(61)}), contract())
    assert panel.step == 86400
    assert len(panel.segments) == 1
    assert panel.rows == 61


def test_numeric_time_counts_in_its_own_units() -> None:
    source = frame(60).with_columns(pl.Series("time", 0.1 * np.arange(60)))
    panel = build(source, contract())
    assert panel.step == 0.1
    assert panel.time.dtype == np.float64
    assert panel.stamps(np.array([1])).to_list() == [0.1]
    halves = frame(60).with_columns(pl.Series("time", [*range(30), *range(30, 90, 2)]))
    assert build(halves, contract(freq="1")).rows == 89


def test_dates_are_a_clock() -> None:
    panel = build(frame(40, step=dt.timedelta(days=1)).with_columns(pl.col("time").cast(pl.Date)), contract())
    assert panel.step == 86400


def test_rows_with_nothing_measured_are_like_rows_that_are_not_there() -> None:
    whole = frame(100)
    dark = pl.int_range(100).is_between(40, 69)
    with_nulls = whole.with_columns(pl.when(dark).then(None).otherwise(pl.col("x")).alias("x"))
    without = whole.filter(~dark)
    one, other = build(with_nulls, contract()), build(without, contract())
    np.testing.assert_array_equal(one.obs, other.obs)
    assert one.segments == other.segments
    assert np.all(one.row_of[40:70] == -1)


def test_several_series_are_named_in_order_and_scaled_by_themselves() -> None:
    plants = [
        frame(40).with_columns(pl.lit(code).alias("plant"), pl.col("x") * code + code)
        for code in (10, 9, 100)
    ]
    panel = build(pl.concat(plants), contract(series="plant"))
    assert panel.series_names == ("9", "10", "100")
    assert [segment.series for segment in panel.segments] == [0, 1, 2]
    for segment in panel.segments:
        np.testing.assert_allclose(panel.obs[segment.start : segment.stop], panel.obs[:40], atol=1e-12)
    as_floats = build(
        pl.concat(plants).with_columns(pl.col("plant").cast(pl.Float64)), contract(series="plant")
    )
    assert as_floats.series_names == panel.series_names


def test_series_that_the_model_does_not_know_are_marked_and_scaled_by_themselves() -> None:
    known = frame(40).with_columns(pl.lit("a").alias("plant"))
    new = frame(40).with_columns(pl.lit("b").alias("plant"), pl.col("x") * 5 + 3, pl.col("u") + 1)
    fitted = build(known, contract(series="plant"))
    panel = build(
        pl.concat([new, known]), contract(series="plant"), scaling=fitted.scaling, encoding=fitted.encoding
    )
    assert panel.transferred == ("b",)
    assert panel.scaling.series == panel.series_names == ("a", "b")
    np.testing.assert_array_equal(panel.obs[:40], fitted.obs)
    np.testing.assert_allclose(panel.obs[40:], fitted.obs, atol=1e-12)
    np.testing.assert_allclose(panel.actions[40:], fitted.actions + 1 / fitted.scaling.act_sd, atol=1e-12)
    assert "Series 'b' are new to the model; they are scaled by themselves." in panel.notes


def test_constant_and_empty_columns_stay_visible() -> None:
    source = frame(40).with_columns(
        pl.lit(7.5).alias("still"), pl.lit(None).alias("silent"), pl.lit(2).alias("stuck")
    )
    columns = [Column(name=name, role="observation") for name in ("x", "still")]
    actions = [Column(name=name, role="action") for name in ("stuck", "silent")]
    panel = build(source, contract(*columns, *actions))
    assert panel.channels == ("x", "still")
    assert panel.action_columns() == ("stuck", "silent")
    assert panel.features_of("silent") == [1]
    assert np.all(panel.obs[:, 1] == 0)
    assert np.all(panel.actions[:, 0] == 0)
    assert np.all(np.isnan(panel.actions[:, 1]))
    assert {"'still' takes one value only (7.5).", "'stuck' takes one value only (2)."} <= set(panel.notes)
    assert "Action 'silent' is null in every row; it stays, never measured." in panel.notes


def test_what_one_series_lacks_is_said() -> None:
    parts = [frame(40).with_columns(pl.lit(name).alias("plant")) for name in ("a", "b", "c")]
    parts[1] = parts[1].with_columns(pl.lit(None, pl.Float64).alias("u"))
    parts[2] = parts[2].with_columns(pl.lit(None, pl.Float64).alias("x"))
    panel = build(pl.concat(parts), contract(series="plant"))
    assert "'u' was never measured in series 'b'." in panel.notes
    assert "No observation was ever measured in series 'c'." in panel.notes
    assert panel.series_names == ("a", "b", "c")
    assert {segment.series for segment in panel.segments} == {0, 1}


def test_columns_that_were_absent_at_the_fit_are_left_out_later() -> None:
    roles = contract(Column(name="x", role="observation"), Column(name="u", role="action", required=False))
    fitted = build(frame().drop("u"), roles)
    later = build(frame(), roles, scaling=fitted.scaling, encoding=fitted.encoding)
    assert later.actions.shape == (60, 0)
    assert "Column 'u' was absent or empty when the model was fitted; it is left out." in later.notes


def test_a_zone_that_only_the_contract_knows_is_said() -> None:
    notes = build(frame(), contract(timezone="Europe/Berlin")).notes
    assert any("no zone, the contract says 'Europe/Berlin'" in note for note in notes)


@pytest.mark.parametrize("kind", ["continuous", "categorical", "event"])
def test_nan_and_null_are_both_missing(kind: str) -> None:
    roles = [Column(name=name, role="observation") for name in ("x", "dead")]
    roles_ = contract(*roles, Column(name="u", role="action", kind=kind))
    holes = pl.int_range(60) % 9 == 4

    def holed(value: float | None) -> pl.DataFrame:
        spoilt = [pl.when(holes).then(value).otherwise(pl.col(name)).alias(name) for name in ("x", "u")]
        return frame().with_columns(*spoilt, pl.lit(value, pl.Float64).alias("dead"))

    panel = build(holed(None), roles_)
    _same(panel, build(holed(float("nan")), roles_))
    assert panel.channels == ("x",)


def test_parquet_of_many_sites_is_one_panel(tmp_path: Path) -> None:
    for name in ("b", "a"):
        frame(40).with_columns(pl.lit(name).alias("site")).write_parquet(tmp_path / f"{name}.parquet")
    panel = build(tmp_path / "*.parquet", contract(series="site"))
    assert panel.series_names == ("a", "b")
    assert transitions(panel, 1).size == 78


def test_stamps_go_back_in_the_zone_of_the_caller() -> None:
    source = frame().with_columns(pl.col("time").dt.replace_time_zone("Asia/Kolkata"))
    panel = build(source, contract())
    result = pl.DataFrame([panel.stamps(panel.row_of)])
    assert result["time"].equals(source["time"])
    assert str(back(result, "pandas")["time"].dtype) == "datetime64[us, Asia/Kolkata]"
    assert panel.time[0] == np.datetime64(START - dt.timedelta(hours=5, minutes=30))


def test_the_step_of_a_fitted_model_holds() -> None:
    fitted = build(frame(), contract())
    keep: dict[str, Any] = {"scaling": fitted.scaling, "encoding": fitted.encoding, "step": fitted.step}
    assert build(frame(5), contract(), **keep).rows == 5
    with pytest.raises(CadenceError, match="the cadence that the model was fitted at"):
        build(frame(60, step=dt.timedelta(seconds=4)), contract(), **keep)
    with pytest.raises(CadenceError, match="hardly a row follows the one before by that: 20s in 100%"):
        build(frame(60, step=dt.timedelta(seconds=20)), contract(), **keep)


def test_a_scaling_of_other_channels_is_refused() -> None:
    fitted = build(frame(), contract())
    wider = frame().with_columns(pl.Series("u", ["a", "b", "c"] * 20))
    with pytest.raises(FrameError, match=r"makes \[1, 2, 0\] channels.*has \[1, 1, 0\]"):
        build(wider, contract(), scaling=fitted.scaling)


def test_the_contract_stays_as_given() -> None:
    assert build(frame(), KIND_LESS).contract is KIND_LESS


KIND_LESS: Contract = contract()
