"""A logged model, loaded by MLflow: pandas in, latents out, whatever the types of the columns."""

from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import polars as pl
import pytest

import tslam
from tslam.contract.model import Column, Contract
from tslam.panel.ingest import read
from tslam.tracking.dataset import signature
from tslam.tracking.pyfunc import save_pyfunc
from tslam.tracking.store import quiet

CONTRACT = Contract(
    columns=(
        Column(name="ts", role="time"),
        Column(name="unit", role="series"),
        Column(name="level", role="observation"),
        Column(name="open", role="action"),
        Column(name="mode", role="exogenous", required=False),
        Column(name="note", role="ignore"),
    )
)


def _frame(zone: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts": pd.date_range("2024-03-31", periods=4, freq="1h", tz=zone),
            "unit": ["a", "a", "b", "b"],
            "level": [1.0, 2.0, None, 4.0],
            "open": [True, False, True, True],
            "mode": ["day", "day", "night", "night"],
            "note": ["", "", "", "x"],
        }
    )


class _Model:
    """Says what reached it."""

    def infer(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(latent_0=0.0)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that logs a model for a frame and loads it through MLflow."""
    opened: list[tuple[str, str]] = []
    # Not setattr: that would first load the real one, and with it the whole library.
    monkeypatch.setitem(
        vars(tslam), "load", lambda path, device: opened.append((Path(path).name, device)) or _Model()
    )
    saved = tmp_path / "plant"
    saved.mkdir()
    (saved / "config.json").write_text("{}")

    def wrapped(frame: Any) -> Any:
        with quiet():
            save_pyfunc(saved, tmp_path / "model", contract=CONTRACT, frame=read(frame, CONTRACT)[0])
        model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
        assert opened == [("plant", "cpu")]
        return model

    return wrapped


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_the_frame_reaches_the_model_as_it_is(load: Any, zone: str | None) -> None:
    frame = _frame(zone)
    latents = load(frame).predict(frame)
    # MLflow may change the resolution of zoneless times, nothing else.
    pd.testing.assert_frame_equal(
        latents, frame.drop(columns="note").assign(latent_0=0.0), check_dtype=bool(zone)
    )


@pytest.mark.parametrize(
    "values",
    [pd.Series([1, 2, 3, 4]), pd.Series([1.0, None, 3.0, 4.0], dtype="float32")],
    ids=["whole", "float32"],
)
def test_numbers_may_come_as_whole_or_as_fractions(load: Any, values: pd.Series) -> None:
    frame = _frame("UTC")
    latents = load(frame).predict(frame.assign(level=values))
    pd.testing.assert_series_equal(latents["level"], values, check_dtype=False, check_names=False)


def test_an_optional_column_may_be_absent_and_a_required_one_may_not(load: Any) -> None:
    model = load(_frame("UTC"))
    assert "latent_0" in model.predict(_frame("UTC").drop(columns="mode"))
    with pytest.raises(mlflow.MlflowException, match="unit"):
        model.predict(_frame("UTC").drop(columns="unit"))


def test_a_polars_frame_goes_in_by_way_of_pandas(load: Any) -> None:
    frame = pl.from_pandas(_frame(None)).with_columns(pl.col("ts").dt.replace_time_zone("UTC"))
    assert len(load(frame).predict(frame.to_pandas())) == 4


def test_time_may_be_the_index(load: Any) -> None:
    frame = _frame("UTC").set_index("ts")
    latents = load(frame).predict(frame)
    pd.testing.assert_index_equal(latents.index, frame.index)


def test_a_real_model_gives_the_same_latents_by_either_way(tmp_path: Path) -> None:
    record = tslam.plants.simulate("linear", rows=400).drop("action_2")
    frame = record.frame.to_pandas()
    model = tslam.fit(frame, **record.roles(), config="linear", progress=False)
    with quiet():
        save_pyfunc(
            model.save(tmp_path / "plant"), tmp_path / "model", contract=model.contract, frame=record.frame
        )
    served = mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(frame)
    pd.testing.assert_frame_equal(served, model.infer(frame))


def test_the_signature_names_what_the_contract_uses() -> None:
    found = signature(read(_frame(None), CONTRACT)[0], CONTRACT)
    assert found.inputs.input_names() == ["ts", "unit", "level", "open", "mode"]
    assert found.inputs.required_input_names() == ["unit", "open"]
