"""What ``tslam.fit`` cannot use has a named error: what was found, and what to do. The rest it says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from model_cases import record
from polars.testing import assert_frame_equal

import tslam
from tslam.errors import (
    CadenceError,
    ConfigError,
    ContractError,
    FrameError,
    RoleError,
    TrainingError,
    TslamError,
)

Spoil = Callable[[pl.DataFrame], Any]
OBSERVED = record().observations
X = OBSERVED[0]
ROW = pl.int_range(pl.len())


def fit(frame: Any, **given_: Any) -> tslam.LatentActionModel:
    """Fit with the roles of the plant, but for what is given."""
    return tslam.fit(frame, **{**record().roles(), "config": "linear", "progress": False, **given_})


def at(row: int, value: float | None, column: str = X) -> pl.Expr:
    return pl.when(row == ROW).then(value).otherwise(pl.col(column)).alias(column)


def jittered(frame: pl.DataFrame) -> pl.DataFrame:
    steps = np.random.default_rng(0).uniform(0.1, 3, frame.height)
    return frame.with_columns(time=pl.Series(np.cumsum(steps)))


ROLES: dict[str, tuple[Spoil, dict[str, Any], str]] = {
    "a column that is not there": (
        lambda f: f,
        {"actions": ["action_0", "action2"]},
        "'action2' was given the role 'action' and is not in the frame. Did you mean 'action_",
    ),
    "two roles": (
        lambda f: f,
        {"exog": ["action_0"]},
        "'action_0' was given two roles, 'action' and 'exogenous'.*take it out of the other",
    ),
    "named twice": (lambda f: f, {"actions": ["action_0", "action_0"]}, "is named twice as 'action'"),
    "time as an action": (lambda f: f, {"actions": "time", "time": None}, "'time'.*is Datetime"),
    "no observation": (lambda f: f.drop(OBSERVED), {}, "No observation is left.*Leave at least one"),
    "no observation asked for": (lambda f: f, {"observations": []}, "No observation is left"),
    "no time": (lambda f: f.drop("time"), {"time": None}, "has no time column.*Name it, e.g. time="),
    "two times": (
        lambda f: f.with_columns(logged=pl.col("time")),
        {"time": None},
        r"several date or datetime columns: \['time', 'logged'\].*time='time'",
    ),
    "time as text": (
        lambda f: f.with_columns(pl.col("time").cast(pl.String)),
        {},
        "'time'.*is String.*str.to_datetime",
    ),
    "text observed": (
        lambda f: f.with_columns(pl.lit("on").alias(X)),
        {"observations": OBSERVED},
        f"'{X}' was given the role 'observation' and is String.*Cast it to a number, or ignore it",
    ),
    "lists": (
        lambda f: f.with_columns(pl.concat_list(X, X).alias("pair")),
        {"actions": ["pair"]},
        "'pair'.*is List.*Cast it, or ignore it",
    ),
    "called like a latent": (lambda f: f.rename({X: "latent_0"}), {}, "'latent_0'. are called like inferred"),
    "a series told by measurements": (lambda f: f, {"series": X}, "'series' and is Float64"),
    "roles that are no names": (lambda f: f, {"actions": [5]}, "the column 5 .int.*are strings"),
    "no roles at all": (lambda f: f, {"actions": None}, "was given None"),
}


@pytest.mark.parametrize("case", ROLES)
def test_roles_that_do_not_fit_the_columns(case: str) -> None:
    spoil, given_, message = ROLES[case]
    for source in (spoil(record().frame), spoil(record().frame).to_pandas()):
        if case == "lists" and isinstance(source, pd.DataFrame):
            continue  # pandas holds objects, whatever they are
        with pytest.raises(RoleError, match=message):
            fit(source, **given_)


CLOCKS: dict[str, tuple[Spoil, dict[str, Any], str]] = {
    "duplicates": (
        lambda f: pl.concat([f, f.slice(5, 3)]),
        {},
        r"3 duplicate time stamps; the first: 2024-01-01 00:00:05 .rows \[5, 600\].*Name the series column",
    ),
    "two cadences": (
        lambda f: f.with_columns(time=pl.Series(np.cumsum([1.0, 1.7] * 300))),
        {},
        "Mixed cadence.*50% of 599 steps.*Resample to one cadence, or give freq",
    ),
    "no cadence": (jittered, {}, "Mixed cadence"),
    "a stamp that is missing": (
        lambda f: f.with_columns(at(4, None, "time")),
        {},
        r"no stamp in 1 of 600 rows; the first are rows \[4\].*Drop these rows",
    ),
    "a cadence that is none": (lambda f: f, {"freq": "fast"}, "freq='fast' is not a duration. Give a number"),
    "months": (lambda f: f, {"freq": "1mo"}, "calendar months and years have no fixed length"),
    "another cadence": (lambda f: f, {"freq": "3s"}, "no multiple of 3s, which is given as freq='3s'"),
    "a series for each row": (
        lambda f: f.with_row_index("id"),
        {"series": "id"},
        "No series has two rows.*Name the one that tells series apart",
    ),
}


@pytest.mark.parametrize("case", CLOCKS)
def test_clocks_that_are_none(case: str) -> None:
    spoil, given_, message = CLOCKS[case]
    for source in (spoil(record().frame), spoil(record().frame).to_pandas()):
        with pytest.raises(CadenceError, match=message):
            fit(source, **given_)


VALUES: dict[str, tuple[Spoil, dict[str, Any], str]] = {
    "infinities": (
        lambda f: f.with_columns(at(4, np.inf), at(7, -np.inf, "action_0")),
        {},
        f"Infinite values.*'{X}' 1 .first in row 4.; 'action_0' 1 .first in row 7.*Make them null",
    ),
    "nothing observed": (
        lambda f: f.with_columns(pl.lit(None, pl.Float64).alias(name) for name in OBSERVED),
        {},
        "All observations are null in every row",
    ),
    "nothing that varies": (
        lambda f: f.with_columns(pl.lit(3.0).alias(name) for name in OBSERVED),
        {},
        "No observation ever varies.*give columns that show how the system responds",
    ),
    "ten rows": (lambda f: f.head(10), {}, "10 rows, which make 9 transitions.*at least 30 are needed"),
    "no rows": (lambda f: f.head(0), {}, "has no rows"),
    "a level for each row": (
        lambda f: f.with_columns(mode=ROW.cast(pl.String)),
        {"actions": ["action_0", "mode"]},
        "'mode' is categorical and has 600 levels .at most 20",
    ),
    "rows of no series": (
        lambda f: f.with_columns(unit=pl.when(ROW > 4).then(pl.lit("a"))),
        {"series": "unit"},
        r"'unit' is null in 5 rows, the first \[0, 1, 2, 3, 4\].*Say which series",
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_cannot_be_used(case: str) -> None:
    spoil, given_, message = VALUES[case]
    for source in (spoil(record().frame), spoil(record().frame).to_pandas()):
        with pytest.raises(FrameError, match=message):
            fit(source, **given_)


def test_a_series_too_short_to_be_fitted_alone() -> None:
    frame = record().frame
    both = pl.concat([frame.with_columns(unit=pl.lit("a")), frame.head(20).with_columns(unit=pl.lit("b"))])
    config = tslam.FitConfig(family="linear", per_series=True)
    with pytest.raises(FrameError, match=r"Series 'b' has 19 transitions.*it needs 30"):
        fit(both, series="unit", config=config)
    assert fit(both, series="unit").family == "linear"


@pytest.mark.parametrize("source", [[1, 2], {"a": [1.0]}, None, 3, np.zeros((50, 3))], ids=str)
def test_what_is_no_frame(source: Any) -> None:
    with pytest.raises(FrameError, match=r"is not a frame. Give a polars or pandas frame"):
        fit(source)


def test_what_is_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="No file at"):
        fit(tmp_path / "nowhere.parquet")
    record().frame.write_csv(tmp_path / "plant.csv")
    with pytest.raises(FrameError, match=r"is not named as a Parquet file.*read_csv"):
        fit(tmp_path / "plant.csv")
    (tmp_path / "plant.parquet").write_bytes(b"PAR1 or not")
    with pytest.raises(FrameError, match="whole Parquet files"):
        fit(tmp_path / "plant.parquet")


SETTINGS: dict[str, tuple[dict[str, Any], type[TslamError], str]] = {
    "no such family": (
        {"config": "best"},
        ConfigError,
        r"called 'best'. Give a FitConfig, one of \['auto'",
    ),
    "a mapping": ({"config": {"family": "linear"}}, ConfigError, "Give a FitConfig"),
    "too many latents": (
        {"config": tslam.FitConfig(latents=9)},
        ConfigError,
        "9 latents were asked for and there are 4 observations",
    ),
    "no such device": (
        {"config": tslam.FitConfig(family="neural", epochs=1), "device": "abacus"},
        ConfigError,
        "no device 'abacus' here. Give one of",
    ),
    "a seed that is none": ({"seed": "a"}, ConfigError, "Found seed='a'. Give a whole number"),
    "no such contract": ({"contract": "nowhere.yaml"}, ContractError, "Give the path of a contract"),
    "no contract": ({"contract": 3}, ContractError, "a contract of type int. Give a Contract, or the path"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_contradict(case: str) -> None:
    given_, error, message = SETTINGS[case]
    with pytest.raises(error, match=message):
        fit(record().frame, **given_)


@pytest.mark.parametrize("family", ["linear", "held", "neural"])
def test_copies_without_a_ridge_have_no_one_answer(family: str) -> None:
    frame = record().frame.with_columns(copy=pl.lit(1.0))
    config = tslam.FitConfig.model_validate({"family": family, "ridge": 0, "epochs": 1, "hidden": 4})
    with pytest.raises(TrainingError, match=r"no one answer.*some columns are constant.*Raise `ridge`"):
        fit(frame, actions=["action_0", "action_2", "copy"], config=config)


NOTED: dict[str, tuple[Spoil, str]] = {
    "an empty observation": (
        lambda f: f.with_columns(pl.lit(None, pl.Float64).alias(X)),
        f"Observation '{X}' is null in every row; it has no channel.",
    ),
    "an empty action": (
        lambda f: f.with_columns(pl.lit(None, pl.Float64).alias("action_0")),
        "Action 'action_0' is null in every row; it stays, never measured.",
    ),
    "a constant observation": (lambda f: f.with_columns(pl.lit(3.0).alias(X)), f"'{X}' takes one value only"),
    "a constant action": (
        lambda f: f.with_columns(pl.lit(3.0).alias("action_0")),
        "'action_0' takes one value only",
    ),
    "text that nobody named": (
        lambda f: f.with_columns(remark=pl.lit("ok")),
        "Not used, since they are text: remark. Name a column in actions or exog to use it",
    ),
    "rows in no order": (pl.DataFrame.reverse, "Rows were not in order of time (599 steps back)"),
    "rows that are not there": (
        lambda f: f.filter(~ROW.is_between(50, 52)),
        "3 grid rows have no measured observation and stay masked (missing, not imputed).",
    ),
    "a long gap": (
        lambda f: f.filter(~ROW.is_between(200, 299)),
        "1 gaps are longer than max_gap=10 steps; each ends a segment.",
    ),
    "what reads like an identifier": (lambda f: f.with_row_index("id"), "pass ignore='id'"),
    "what reads like a label": (
        lambda f: f.with_columns(anomaly=pl.Series([0, 1, 0] * 200)),
        "pass ignore='anomaly'",
    ),
}


@pytest.mark.parametrize("case", NOTED)
def test_what_is_odd_and_can_be_used_is_noted(case: str) -> None:
    spoil, note = NOTED[case]
    frame = spoil(record().frame)
    model = fit(frame)
    assert any(note in said for said in model.notes), model.notes
    assert note in str(model.summary())
    assert model.infer(frame).height == frame.height


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
def test_time_zones_stay(zone: str) -> None:
    frame = record().frame.with_columns(pl.col("time").dt.replace_time_zone("UTC").dt.convert_time_zone(zone))
    model = fit(frame)
    latents = model.infer(frame)
    assert latents.schema["time"] == pl.Datetime("us", zone)
    assert latents["time"].equals(frame["time"])
    assert model.contract.timezone == zone
    elsewhere = frame.with_columns(pl.col("time").dt.convert_time_zone("Pacific/Apia"))
    assert_frame_equal(model.infer(elsewhere).drop("time"), latents.drop("time"))


def test_the_order_of_rows_makes_no_difference() -> None:
    frame = record().frame
    one, other = fit(frame), fit(frame.sample(fraction=1.0, shuffle=True, seed=1))
    assert one.latents == other.latents
    assert_frame_equal(one.infer(frame), other.infer(frame), check_exact=True)


@given(st.sets(st.tuples(st.sampled_from(record().frame.columns[1:]), st.integers(0, 599)), max_size=40))
@settings(max_examples=10)
def test_nan_and_null_are_both_missing(cells: set[tuple[str, int]]) -> None:
    def holed(value: float | None) -> pl.DataFrame:
        columns = {name: record().frame[name].to_list() for name in record().frame.columns}
        for name, row in cells:
            columns[name][row] = value
        return pl.DataFrame(columns, schema=record().frame.schema)

    nan, null = (fit(holed(value)) for value in (float("nan"), None))
    assert nan.latents == null.latents
    assert nan.notes == null.notes


CELLS: dict[str, Callable[[np.random.Generator, int], list[Any]]] = {
    "noise": lambda rng, n: list(rng.normal(size=n)),
    "held": lambda rng, n: list(np.repeat(rng.normal(size=n), 9)[:n]),
    "sparse": lambda rng, n: [float(v) if v > 1.2 else None for v in rng.normal(size=n)],
    "whole": lambda rng, n: [int(v) for v in rng.integers(-3, 3, n)],
    "switch": lambda rng, n: [bool(v) for v in rng.random(n) < 0.3],
    "words": lambda rng, n: [str(v) for v in rng.choice(["a", "b", ""], n)],
    "constant": lambda _, n: [7.0] * n,
    "once": lambda _, n: [0.0] * (n - 1) + [1.0],
    "empty": lambda _, n: [None] * n,
    "huge": lambda rng, n: list(1e150 * rng.normal(size=n)),
    "tiny": lambda rng, n: list(1e-200 * rng.normal(size=n)),
    "far": lambda rng, n: list(1e9 + rng.normal(size=n)),
    "infinite": lambda rng, n: [*rng.normal(size=n - 1), float("inf")],
    "one wild": lambda rng, n: [*rng.normal(size=n - 1), 1e12],
}


@given(
    st.fixed_dictionaries({name: st.sampled_from(sorted(CELLS)) for name in ("x", "y", "u", "v")}),
    st.sampled_from([8, 31, 40, 61, 150]),
    st.sampled_from(["linear", "linear", "held", "auto"]),
    st.sampled_from(["whole", "holes", "shuffled"]),
    st.integers(0, 99),
)
@example({"x": "held", "y": "held", "u": "constant", "v": "constant"}, 40, "held", "whole", 2)
@settings(max_examples=60)
def test_any_columns_make_a_model_or_an_error_of_ours(
    kinds: dict[str, str], rows: int, family: str, order: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    columns = {name: CELLS[kind](rng, rows) for name, kind in kinds.items()}
    frame = pl.DataFrame({"t": range(rows), **columns})
    if order != "whole":
        frame = frame.sample(
            fraction=0.8 if order == "holes" else 1.0, shuffle=order == "shuffled", seed=seed
        )
    config = tslam.FitConfig.model_validate({"family": family, "iterations": 5, "epochs": 2, "hidden": 4})
    try:
        model = tslam.fit(frame, actions="u", exog="v", config=config, progress=False)
    except TslamError as error:
        event(type(error).__name__)
        return
    event("a model")
    latents = model.infer(frame)
    assert latents.height == frame.height
    for name in model.latent_names:
        assert latents[name].drop_nulls().is_finite().all()
    skill = model.score(frame, 1)["skill"].drop_nulls()
    assert skill.is_finite().all()
    assert (skill <= 1).all()
    str(model.summary())
