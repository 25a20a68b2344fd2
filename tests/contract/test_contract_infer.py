"""Drafts: what a column's moves and its name suggest, with the reason."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tslam.contract import Contract, Kind, Role
from tslam.errors import FrameError, RoleError
from tslam.seeding import generator

ROWS = 400
START = datetime.fromisoformat("2024-01-01")


@pytest.fixture
def plant() -> pl.DataFrame:
    rng = generator(7)
    held = np.repeat(rng.choice([0.0, 20.0, 55.0, 80.0, 100.0], ROWS // 20), 20)
    walk = np.cumsum(rng.normal(size=ROWS))
    return pl.DataFrame(
        {
            "when": [START + timedelta(minutes=i) for i in range(ROWS)],
            "row": range(ROWS),
            "level": walk,
            "rounded": np.round(5 * np.sin(np.linspace(0, 9, ROWS))),
            "analyser": np.repeat(rng.normal(size=ROWS // 5), 5),
            "opening": held,
            "valve_cmd": np.repeat(rng.normal(size=ROWS // 5), 5),
            "x3": held[::-1] + 1,
            "mode": np.where(held > 50, "high", "low"),
            "on": held > 50,
            "bit": (held > 20).astype(int),
            "pump_power": rng.normal(size=ROWS),
            "ambient_temp": np.round(walk) // 9,
            "anomaly": (walk > 3).astype(int),
            "remark": [f"note {i}" for i in range(ROWS)],
            "empty": pl.Series([None] * ROWS, dtype=pl.Float64),
            "flat": np.ones(ROWS),
            "setpoint": np.ones(ROWS),
            "list": [[1.0]] * ROWS,
        }
    )


def test_roles_follow_from_how_a_column_moves_and_each_has_a_reason(plant: pl.DataFrame) -> None:
    contract, reasons = Contract.infer(plant)
    assert contract.time == "when"
    assert contract.series is None
    assert contract.actions == ("opening", "valve_cmd", "x3", "mode", "on", "bit", "setpoint")
    assert contract.observations == ("level", "rounded", "analyser", "pump_power")
    assert contract.exogenous == ("ambient_temp",)
    assert contract.names(Role.IGNORE) == ("row", "anomaly", "remark", "empty", "flat", "list")
    assert contract.column("mode").kind is Kind.CATEGORICAL
    assert contract.column("on").kind is contract.column("bit").kind is Kind.BOOLEAN
    assert list(reasons) == plant.columns
    for name, said in {
        "when": "the only column that reads as a time",
        "row": "like a row number",
        "rounded": "coarsely measured",
        "analyser": "every 5 rows: measured seldom",
        "x3": "action: it is set and holds: 5 levels, 9",
        "pump_power": "its name reads like a command: an action if so",
        "ambient_temp": "its name reads like the outside world; nothing else says so",
        "anomaly": "its name reads like a label",
        "empty": "every row is null",
        "flat": "the same in every row",
        "list": "List(Float64) is no type that a model takes",
    }.items():
        assert said in reasons[name]
        assert contract.column(name).description == "Draft: " + reasons[name].split(": ", 1)[1]


def test_the_draft_is_a_contract_that_its_frame_meets(plant: pl.DataFrame) -> None:
    contract, _ = Contract.infer(plant)
    assert contract.check(plant).ok
    assert Contract.from_odcs(contract.to_odcs()) == contract


def test_every_kind_of_frame_gives_the_same_draft(plant: pl.DataFrame) -> None:
    frame = plant.drop("list")
    expected = Contract.infer(frame)
    assert Contract.infer(frame.lazy()) == Contract.infer(frame.to_arrow()) == expected
    pandas = frame.to_pandas()
    assert [c.role for c in Contract.infer(pandas)[0].columns] == [c.role for c in expected[0].columns]
    indexed = Contract.infer(pandas.set_index("when"))[0]
    assert indexed.time == "when"
    assert indexed.actions == expected[0].actions
    assert Contract.infer(pandas.set_index("when").rename_axis(None))[0].time == "time"


def test_series_are_told_by_the_column_within_which_no_stamp_repeats() -> None:
    rng = generator(1)
    frame = pl.DataFrame(
        {
            "t": [*range(50)] * 3,
            "site": ["n"] * 100 + ["s"] * 50,
            "unit": ["a"] * 50 + ["b"] * 50 + ["c"] * 50,
            "key": range(150),
            "x": rng.normal(size=150),
            # Moves at every border between series, never within one.
            "recipe": ["r1"] * 50 + ["r2"] * 50 + ["r3"] * 50,
            "count": [*range(50)] * 3,
        }
    ).sample(fraction=1, shuffle=True, seed=3)
    contract, reasons = Contract.infer(frame)
    assert (contract.time, contract.series) == ("t", "unit")
    assert "100% of rows repeat" in reasons["recipe"]
    assert "row number" in reasons["count"]


def test_without_a_clock_or_a_response_the_draft_is_refused() -> None:
    with pytest.raises(RoleError, match="has no time column"):
        Contract.infer(pl.DataFrame({"x": [1.0, 2.0]}))
    with pytest.raises(RoleError, match="No observation is left"):
        Contract.infer(pl.DataFrame({"t": [1, 2], "x": [1.0, 1.0]}))
    with pytest.raises(FrameError, match="is not a frame"):
        Contract.infer([1, 2])
    mixed = pd.DataFrame({"t": [1, 2], "x": [1.0, "a"]}, dtype=object)
    with pytest.raises(FrameError, match="Give each column one type"):
        Contract.infer(mixed)


def test_a_second_time_and_a_latent_are_left_out() -> None:
    clock = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1, 1), "1m", eager=True)
    frame = pl.DataFrame({"at": clock, "written": clock}).with_columns(
        level=pl.arange(pl.len()) * 1.5, latent_0=pl.arange(pl.len()) * 2.5
    )
    with pytest.raises(RoleError, match="Name the one that counts: time='at'"):
        Contract.infer(frame)
    for given in (frame, frame.to_pandas()):
        drafted, reasons = Contract.infer(given, time="at")
        assert (drafted.time, drafted.observations) == ("at", ("level",))
        assert drafted.names(Role.IGNORE) == ("written", "latent_0")
        assert "the column that was named" in reasons["at"]
        assert "inferred latent, which nobody measured" in reasons["latent_0"]
