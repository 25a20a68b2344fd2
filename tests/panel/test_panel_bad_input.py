"""Input that cannot be used has a named error: what was found, and what to do."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from panel_cases import contract, frame

from tslam.contract.model import Column, Contract
from tslam.errors import CadenceError, FrameError, RoleError, TslamError
from tslam.panel import build
from tslam.panel.build import LEAST_TRANSITIONS

BROKEN: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], type[TslamError], str]] = {
    "column absent": (lambda f: f.drop("x"), RoleError, "'x' was given the role 'observation'"),
    "no time column": (lambda f: f.drop("time"), RoleError, "'time' was given the role 'time'"),
    "time as text": (lambda f: f.with_columns(pl.col("time").cast(pl.String)), FrameError, "to_datetime"),
    "time missing": (
        lambda f: f.with_columns(pl.col("time").replace(f["time"][4], None)),
        CadenceError,
        r"\[4\]",
    ),
    "duplicates": (lambda f: pl.concat([f, f[7:9]]), CadenceError, "2 duplicate time stamps"),
    "infinities": (
        lambda f: f.with_columns(x=pl.Series([np.inf, *[0.0] * 59])),
        FrameError,
        "'x' 1 .first in row 0",
    ),
    "text observed": (lambda f: f.with_columns(x=pl.lit("on")), FrameError, "Observation 'x' holds String"),
    "all null": (lambda f: f.with_columns(x=pl.lit(None)), FrameError, "null in every row: \\['x'\\]"),
    "no rows": (lambda f: f.head(0), FrameError, "no rows"),
    "ten rows": (lambda f: f.head(10), FrameError, "10 rows, which make 9 transitions.*at least 30"),
    "mixed cadence": (
        lambda f: f.filter(pl.int_range(60) < 40).with_columns(time=pl.Series(np.cumsum([1.0, 1.7] * 20))),
        CadenceError,
        "Mixed cadence.*1.7 in 5",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_each_fault_has_its_error(case: str) -> None:
    spoil, error, message = BROKEN[case]
    for source in (spoil(frame()), spoil(frame()).to_pandas()):
        with pytest.raises(error, match=message):
            build(source, contract())


@given(
    st.permutations(range(60)),
    st.sampled_from(sorted(BROKEN.keys() - {"no rows", "ten rows", "mixed cadence"})),
)
def test_the_error_does_not_depend_on_the_order_of_rows(order: list[int], case: str) -> None:
    spoil, error, _ = BROKEN[case]
    spoilt = spoil(frame())
    with pytest.raises(error):
        build(spoilt[order], contract()) if case != "duplicates" else build(
            spoilt[[*order, 60, 61]], contract()
        )


def _with_ids(ids: pl.Series) -> pl.DataFrame:
    return frame().with_columns(ids.alias("plant"))


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        (pl.Series(["a", None] * 30), FrameError, r"'plant' is null in 30 rows, the first \[1, 3, 5, 7, 9\]"),
        (pl.Series([[1]] * 60), FrameError, "'plant' holds List"),
        (pl.Series(range(60)), CadenceError, "No series has two rows .60 rows, 60 series"),
    ],
)
def test_series_columns_that_name_no_series_are_refused(
    ids: pl.Series, error: type[TslamError], message: str
) -> None:
    with pytest.raises(error, match=message):
        build(_with_ids(ids), contract(series="plant"))


def test_a_frame_with_nothing_measured_cannot_be_inferred() -> None:
    fitted = build(frame(), contract())
    with pytest.raises(FrameError, match="No observation was measured in any of 60 rows"):
        build(
            frame().with_columns(x=pl.lit(None, pl.Float64)),
            contract(),
            scaling=fitted.scaling,
            encoding=fitted.encoding,
        )


@st.composite
def wild_frames(draw: st.DrawFn) -> pl.DataFrame:
    """Frames of 1 to 60 rows, one column of which may hold cells of any kind, on a clock of any kind."""
    rows = draw(st.integers(1, 60) | st.integers(45, 60))
    good = [st.booleans(), st.integers(-5, 5), st.floats(-1e100, 1e100), st.just(float("nan"))]
    bad = [st.text(max_size=2), st.none(), st.just(float("inf"))]
    spoilt = draw(st.sampled_from(["", "", "x", "y", "u", "w"]))
    columns = {}
    for name in ("x", "y", "u", "w"):
        cell = draw(st.sampled_from(bad if name == spoilt else good))
        cells = draw(st.lists(st.none() | cell, min_size=rows, max_size=rows))
        columns[name] = pl.Series(name, cells, strict=False)
    clock = draw(st.sampled_from(["regular", "gaps", "any"]))
    steps = {"regular": st.just(1), "gaps": st.sampled_from([1, 1, 1, 4, 90]), "any": st.floats(-1e6, 1e6)}[
        clock
    ]
    time = np.cumsum(draw(st.lists(steps, min_size=rows, max_size=rows)))
    return pl.DataFrame({"time": time, **columns})


WILD: Contract = contract(
    Column(name="x", role="observation"),
    Column(name="y", role="observation", required=False),
    Column(name="u", role="action"),
    Column(name="w", role="exogenous"),
)


@given(wild_frames())
def test_any_frame_is_a_panel_of_finite_or_missing_numbers_or_an_error_of_ours(source: pl.DataFrame) -> None:
    try:
        panel = build(source, WILD)
    except TslamError as error:
        event(type(error).__name__)
        return
    event("a panel")
    assert source.height > LEAST_TRANSITIONS
    for values in (panel.obs, panel.actions, panel.exog):
        assert not np.isinf(values).any()
    assert panel.notes[0].startswith("Cadence ")
    assert panel.row_of.max() < panel.rows
