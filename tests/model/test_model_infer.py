"""Latents of every row: where they lie, in what kind of frame, and what they may know."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import SITE, fleet, fleet_model, model, record
from polars.testing import assert_frame_equal

import tslam
from tslam.contract.arrow import roles_in
from tslam.errors import ConfigError, FrameError, RoleError


@pytest.mark.parametrize("mode", ["smoothed", "filtered"])
@pytest.mark.parametrize(("family", "lags"), [("linear", 1), ("linear", 3), ("held", 2), ("neural", 1)])
def test_one_row_per_row_and_null_where_nothing_can_be_said(family: str, lags: int, mode: Any) -> None:
    frame, m = record().frame, model(family, lags)
    latents = m.infer(frame, mode=mode)
    assert latents.columns == ["time", *m.latent_names]
    assert latents.height == frame.height
    assert latents["time"].equals(frame["time"])
    for name in m.latent_names:
        # what acted on the last row shows in one that is not there, the first rows have too short a past
        nulls = latents[name].is_null().arg_true().to_list()
        assert nulls[-1] == frame.height - 1
        assert nulls[:-1] == (list(range(lags - 1)) if not (family == "held" and mode == "smoothed") else [])
        assert latents[name].is_finite().drop_nulls().all()


@given(st.randoms(use_true_random=False))
@settings(max_examples=5)
def test_rows_come_back_in_the_callers_order(random: Any) -> None:
    frame, m = record().frame, model("held")
    order = list(range(frame.height))
    random.shuffle(order)
    assert_frame_equal(m.infer(frame[order]), m.infer(frame)[order], check_exact=True)


def test_a_fleet_may_come_in_any_order() -> None:
    frame, m = fleet("north", "south"), fleet_model()
    latents = m.infer(frame)
    assert latents.columns == ["time", SITE, *m.latent_names]
    assert_frame_equal(latents.select("time", SITE), frame.select("time", SITE))
    sorted_by_site = frame.sort(SITE, "time", descending=[True, False])
    keys = ["time", SITE]
    assert_frame_equal(m.infer(sorted_by_site).sort(keys), latents.sort(keys), check_exact=True)
    last = frame.group_by(SITE).agg(pl.col("time").max())
    assert_frame_equal(
        latents.filter(pl.col("latent_0").is_null()).select(SITE, "time"), last, check_row_order=False
    )


def test_every_kind_of_frame_gives_the_same_latents_in_its_kind(tmp_path: Path) -> None:
    frame, m = record().frame, model()
    expected = m.infer(frame)
    assert isinstance(expected, pl.DataFrame)
    frame.write_parquet(tmp_path / "plant.parquet")
    for source in (frame.lazy(), str(tmp_path / "plant.parquet"), tmp_path, tmp_path / "*.parquet"):
        assert_frame_equal(m.infer(source), expected, check_exact=True)
    as_pandas = m.infer(frame.to_pandas())
    assert isinstance(as_pandas, pd.DataFrame)
    assert_frame_equal(pl.from_pandas(as_pandas), expected, check_exact=True, check_dtypes=False)
    indexed = m.infer(frame.to_pandas().set_index("time"))
    pd.testing.assert_frame_equal(indexed, as_pandas)
    as_arrow = m.infer(frame.to_arrow())
    assert_frame_equal(pl.DataFrame(as_arrow), expected, check_exact=True)


def test_latents_say_that_they_are_latents(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    frame, m = record().frame, model()
    as_arrow = m.infer(frame.to_arrow())
    pq.write_table(as_arrow, tmp_path / "latents.parquet")
    for schema in (as_arrow.schema, pq.read_schema(tmp_path / "latents.parquet")):
        assert schema.field("latent_0").metadata[b"tslam.role"] == b"latent"
        assert b"tslam.role" not in (schema.field("time").metadata or {})
    assert m.infer(frame.to_pandas()).attrs["tslam.roles"] == {"latent_0": "latent"}


@given(cut=st.integers(1, 598), column=st.sampled_from(record().frame.columns[1:]), size=st.floats(-50, 50))
@settings(max_examples=15)
@pytest.mark.parametrize("family", ["held", "neural"])
def test_filtered_latents_know_nothing_of_the_future(family: str, cut: int, column: str, size: float) -> None:
    frame, m = record().frame, model(family)
    later = pl.when(pl.int_range(pl.len()) > cut).then(pl.col(column) * 0.5 + size).otherwise(pl.col(column))
    changed = frame.with_columns(later.alias(column))
    before, after = (m.infer(f, mode="filtered")["latent_0"].head(cut) for f in (frame, changed))
    # the latent of row t is read from what follows it, row t + 1, and from nothing later
    assert before.equals(after)
    at_the_time = m.infer(frame.head(cut + 1), mode="filtered")["latent_0"].head(cut)
    np.testing.assert_allclose(at_the_time.to_numpy(), before.to_numpy(), atol=1e-9)


def test_smoothed_latents_do_know_it() -> None:
    frame, m = record().frame, model("held")
    channel = record().observations[0]
    changed = frame.with_columns(
        pl.when(pl.int_range(pl.len()) > 300).then(pl.col(channel) + 5).otherwise(pl.col(channel))
    )
    assert not m.infer(frame)["latent_0"].head(300).equals(m.infer(changed)["latent_0"].head(300))
    assert (
        m.infer(frame, mode="filtered")["latent_0"]
        .head(300)
        .equals(m.infer(changed, mode="filtered")["latent_0"].head(300))
    )


def test_a_held_latent_is_the_action_that_nobody_logged() -> None:
    plant = record(1600)
    m = tslam.fit(plant.frame, **plant.roles(), config="held", progress=False)
    found, truth = m.infer(plant.frame)["latent_0"], plant.truth.frame["action_1"]
    both = np.corrcoef(found[:-1].to_numpy(), truth[:-1].to_numpy())
    assert abs(both[0, 1]) > 0.9


def test_rows_that_are_not_there_and_rows_without_values() -> None:
    frame, m = record().frame, model()
    channels = list(record().observations)
    inner = pl.int_range(pl.len()).is_between(100, 104)
    silent = frame.with_columns(pl.when(inner).then(None).otherwise(pl.col(channels)).name.keep())
    latents = m.infer(silent)
    assert latents.height == frame.height
    # nothing was measured after rows 99 to 103: a latent without memory says nothing there
    assert latents["latent_0"].is_null().arg_true().to_list() == [99, 100, 101, 102, 103, frame.height - 1]
    cut = m.infer(frame.filter(~inner))
    assert_frame_equal(cut, latents.filter(~inner))


class TestSeriesNeverSeen:
    def test_it_is_read_in_its_own_scale(self) -> None:
        m = fleet_model()
        alone = m.infer(fleet("east"))
        assert alone["latent_0"].null_count() == 1
        shifted = fleet("east").with_columns(pl.col(record().observations) * 3 - 70)
        np.testing.assert_allclose(
            m.infer(shifted)["latent_0"].drop_nulls(), alone["latent_0"].drop_nulls(), atol=1e-8
        )

    def test_it_changes_nothing_for_those_that_are_known(self) -> None:
        m, known = fleet_model(), fleet("north", "south")
        beside = m.infer(fleet("north", "east", "south")).filter(pl.col(SITE) != "east")
        assert_frame_equal(beside, m.infer(known), check_exact=True)

    def test_the_audit_says_so(self) -> None:
        report = fleet_model().audit(fleet("north", "east"))
        assert report.data.transferred == ("east",)
        assert any("'east' are new to the model" in note for note in report.data.notes)

    def test_where_each_series_was_fitted_alone_no_model_speaks_for_it(self) -> None:
        m = fleet_model(per_series=True)
        with pytest.raises(FrameError, match=r"\['east'\] were not in the fit.*\['north', 'south'\]"):
            m.infer(fleet("north", "east"))


def test_each_series_fitted_alone_has_its_own_latents() -> None:
    m, frame = fleet_model(per_series=True), fleet("north", "south")
    latents = m.infer(frame)
    assert latents.filter(pl.col("latent_0").is_null()).height == 2
    only = m.infer(fleet("south"))
    assert_frame_equal(only, latents.filter(pl.col(SITE) == "south"))
    together = fleet_model().infer(frame)
    assert not together["latent_0"].equals(latents["latent_0"])


def test_a_frame_without_an_observation_of_the_contract_is_refused() -> None:
    lost = record().observations[0]
    with pytest.raises(RoleError, match=f"'{lost}' was given the role 'observation' and is not in the frame"):
        model().infer(record().frame.drop(lost))


def test_a_frame_without_rows_is_refused() -> None:
    with pytest.raises(FrameError, match="no rows"):
        model().infer(record().frame.head(0))


def test_there_are_two_modes() -> None:
    unknown: Any = "smooth"
    with pytest.raises(ConfigError, match=r"mode='smooth'. Give one of \['smoothed', 'filtered'\]"):
        model().infer(record().frame, mode=unknown)


def test_asking_changes_nothing() -> None:
    frame, m = record().frame, model("held")
    kept, before = frame.clone(), m.infer(frame)
    m.infer(frame.head(50), mode="filtered")
    m.score(frame.tail(200))
    assert_frame_equal(m.infer(frame), before, check_exact=True)
    assert_frame_equal(frame, kept, check_exact=True)


def test_what_is_inferred_says_so_in_arrow_and_parquet(tmp_path: Path) -> None:
    model, frame = fleet_model(), fleet("north")
    table = model.contract.to_arrow(model.infer(frame))
    assert {roles_in(table)[name] for name in model.latent_names} == {"latent"}
    assert roles_in(model.infer(frame.to_arrow())) == dict.fromkeys(model.latent_names, "latent")
    assert roles_in(model.infer(frame.to_pandas())) == dict.fromkeys(model.latent_names, "latent")
    action = model.contract.actions[0]
    held = table.schema.field("latent_0").with_name(action)
    taken = frame.drop(action).to_arrow().append_column(held, table["latent_0"])
    with pytest.raises(RoleError, match="holds an inferred latent"):
        model.audit(taken)
    with pytest.raises(RoleError, match="holds an inferred latent"):
        model.contract.write_parquet(taken, tmp_path / "taken.parquet")
