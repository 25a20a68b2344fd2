"""Transitions in one row, a digest of the data, and one series of a panel."""

from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from panel_cases import SHAPES, Shape, contract, frame, panel_of

from tslam.contract.model import Column
from tslam.panel import build
from tslam.panel.chain import Structure, chain
from tslam.panel.restrict import restrict
from tslam.panel.windows import design, transitions

STRUCTURES = st.builds(
    Structure,
    lags=st.integers(1, 4),
    input_lags=st.integers(1, 2),
    within=st.sampled_from([frozenset(), frozenset({"a0"}), frozenset({"e0", "a0"})]),
)


@given(SHAPES, STRUCTURES)
def test_a_chain_is_every_step_inside_a_segment(shape: Shape, structure: Structure) -> None:
    panel = panel_of(shape)
    c = chain(panel, structure)
    inside = [t for s in panel.segments for t in range(s.start, s.stop - 1)]
    assert c.rows.tolist() == inside
    first = {s.start for s in panel.segments if s.stop - s.start > 1}
    assert set(c.rows[c.start].tolist()) == first


@given(SHAPES, STRUCTURES)
def test_windows_lie_in_one_segment_and_say_what_the_design_says(shape: Shape, structure: Structure) -> None:
    panel = panel_of(shape)
    c = chain(panel, structure)
    good = transitions(panel, structure.lags)
    assert c.rows[c.usable].tolist() == good.tolist()
    for t in c.rows[c.usable]:
        own = next(s for s in panel.segments if s.start <= t < s.stop)
        assert own.start <= t - structure.lags + 1
        assert t + 1 < own.stop
    d = design(panel, good, structure.lags, input_lags=structure.input_lags, within=structure.within)
    np.testing.assert_array_equal(c.X[c.usable], d.X)
    np.testing.assert_array_equal(c.Y[c.usable], panel.obs[good + 1])
    assert c.terms == d.terms
    assert not c.X[~c.usable].any()
    assert np.isnan(c.Y[~c.usable]).all()


@given(SHAPES, st.data())
def test_what_lies_in_another_segment_changes_no_window(shape: Shape, data: st.DataObject) -> None:
    panel = panel_of(shape)
    own = data.draw(st.sampled_from(panel.segments))
    outside = np.ones(panel.rows, bool)
    outside[own.start : own.stop] = False
    values = {
        name: np.where(outside[:, None], 1e6, getattr(panel, name)) for name in ("obs", "actions", "exog")
    }
    structure = Structure(2, 2, frozenset({"a0", "e0"}))
    before, after = chain(panel, structure), chain(replace(panel, **values), structure)
    mine = (before.rows >= own.start) & (before.rows < own.stop)
    np.testing.assert_array_equal(before.X[mine], after.X[mine])
    np.testing.assert_array_equal(before.Y[mine], after.Y[mine])


SEVERAL = contract(Column(name="x", role="observation"), Column(name="u", role="action"), series="unit")


def telemetry() -> pl.DataFrame:
    """Two units, with a hole."""
    one = frame(80).with_columns(pl.when(pl.int_range(pl.len()) == 30).then(None).otherwise("x").alias("x"))
    return pl.concat(
        [one.with_columns(unit=pl.lit("a")), one.with_columns(pl.col("x") * 3, unit=pl.lit("b"))]
    )


class TestDigest:
    """One fingerprint for one set of values, another for any other."""

    def test_frames_of_any_kind_and_order_have_the_same(self) -> None:
        df = telemetry()
        expected = build(df, SEVERAL).digest
        assert len(expected) == 64
        for same in (df.to_pandas(), df.lazy(), df.to_arrow(), df.sample(fraction=1, shuffle=True, seed=1)):
            assert build(same, SEVERAL).digest == expected

    @given(st.integers(0, 159), st.sampled_from(["x", "u"]), st.sampled_from([1.0001, -1.0, None]))
    def test_one_other_value_makes_another(self, row: int, column: str, factor: float | None) -> None:
        df = telemetry().with_columns(pl.col("x") + 5, pl.col("u") + 5)
        before = df[column][row]
        value = None if factor is None or before is None else before * factor
        other = df.with_columns(
            pl.when(pl.int_range(pl.len()) == row).then(value).otherwise(column).alias(column)
        )
        assert (build(other, SEVERAL).digest == build(df, SEVERAL).digest) == (before is value)

    def test_other_names_stamps_or_series_make_another(self) -> None:
        df = telemetry()
        found = {build(df, SEVERAL).digest}
        found.add(build(df.with_columns(pl.col("time").dt.offset_by("1s")), SEVERAL).digest)
        found.add(build(df.with_columns(unit=pl.col("unit") + "1"), SEVERAL).digest)
        named = contract(Column(name="y", role="observation"), Column(name="u", role="action"), series="unit")
        found.add(build(df.rename({"x": "y"}), named).digest)
        assert len(found) == 4

    @given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(0, 2**32 - 1))
    def test_the_scaling_of_a_model_does_not_matter(self, offset: float, spread: float, seed: int) -> None:
        values = np.random.default_rng(seed).normal(size=60) * 10.0 ** (seed % 7 - 3)
        df = frame(60, x=values, u=np.arange(60.0))
        own = build(df, contract())
        s = own.scaling
        other = replace(s, obs_mean=s.obs_mean + offset * s.obs_sd, obs_sd=s.obs_sd * spread)
        assert build(df, contract(), scaling=other, encoding=own.encoding).digest == own.digest


class TestRestrict:
    """One series as a panel of its own."""

    def test_it_is_what_the_series_alone_would_be(self) -> None:
        df = telemetry()
        whole = build(df, SEVERAL)
        for code, name in enumerate(("a", "b")):
            part, rows = restrict(whole, name)
            alone = build(df.filter(unit=name), SEVERAL, scaling=whole.scaling)
            for values in ("obs", "actions", "exog", "time", "series_of"):
                np.testing.assert_array_equal(getattr(part, values), getattr(alone, values))
                if values != "series_of":
                    np.testing.assert_array_equal(getattr(part, values), getattr(whole, values)[rows])
            assert part.segments == alone.segments
            assert part.series_names == part.scaling.series == (name,)
            own = slice(80 * code, 80 * code + 80)
            np.testing.assert_array_equal(part.row_of[own], alone.row_of)
            assert (np.delete(part.row_of, np.arange(160)[own]) == -1).all()

    @given(SHAPES)
    def test_the_parts_make_the_whole(self, shape: Shape) -> None:
        panel = panel_of(shape)
        parts = [restrict(panel, name) for name in panel.series_names]
        np.testing.assert_array_equal(np.concatenate([p.obs for p, _ in parts]), panel.obs)
        assert sum(len(p.segments) for p, _ in parts) == len(panel.segments)
        for part, rows in parts:
            assert all(0 <= s.start < s.stop <= rows.stop - rows.start for s in part.segments)
