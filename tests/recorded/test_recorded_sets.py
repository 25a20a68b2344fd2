"""Real telemetry through every door: fit, infer, audit, report, save, load; polars and pandas alike."""

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ruamel.yaml import YAML

import tslam
from tslam.report.model import GapReport

ROWS = 2000
"""Rows taken of each set, whole series where they are shorter: the whole sets are for `make bench`."""

FOLDER = Path(os.environ.get("TSLAM_RECORDED", "nowhere"))
SETS = sorted(p.stem for p in FOLDER.glob("*.parquet"))

pytestmark = pytest.mark.recorded


def _names(entries: list[Any] | None) -> list[str]:
    return [e["name"] if isinstance(e, dict) else e for e in entries or []]


def _load(name: str) -> tuple[pl.DataFrame, dict[str, Any]]:
    roles = YAML(typ="safe").load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))["roles"]
    frame = pl.read_parquet(FOLDER / f"{name}.parquet")
    series = "series_id" if "series_id" in frame.columns else None
    if series is None:
        frame = frame.head(ROWS)
    else:
        sizes = frame.group_by(series, maintain_order=True).len()
        few = sizes.filter((pl.col("len").cum_sum() <= ROWS) | (pl.int_range(pl.len()) == 0))
        frame = frame.filter(pl.col(series).is_in(few[series].to_list()))
        frame = frame.group_by(series, maintain_order=True).head(ROWS)
    return frame, {
        "actions": _names(roles["actions"]),
        "exog": _names(roles.get("exogenous")),
        "observations": _names(roles["observations"]),
        "time": "timestamp",
        "series": series,
    }


def test_the_folder_of_recorded_sets_is_named() -> None:
    if not SETS:
        pytest.skip("TSLAM_RECORDED names no folder with Parquet files: nothing recorded is tested")
    assert all((FOLDER / f"{name}.yaml").is_file() for name in SETS)


@pytest.mark.parametrize("name", SETS)
def test_a_recorded_set_goes_through_every_door(name: str, tmp_path: Path) -> None:
    frame, roles = _load(name)
    model = tslam.fit(frame, **roles, config="linear")
    latents = model.infer(frame)
    assert latents.height == frame.height
    assert latents.columns[-len(model.latent_names) :] == model.latent_names

    twin = tslam.fit(frame.to_pandas(), **roles, config="linear")
    other = twin.infer(frame.to_pandas())
    for latent in model.latent_names:
        assert (
            pl.Series(other[latent].to_list(), dtype=pl.Float64)
            .fill_nan(None)
            .equals(latents[latent].rename("").fill_nan(None))
        )

    report = model.audit(frame)
    theirs = twin.audit(frame.to_pandas())
    assert report.data.digest == theirs.data.digest
    assert report.findings == theirs.findings
    page = report.to_html(tmp_path / "gaps.html")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert GapReport.from_json(report.to_json()).gaps == report.gaps
    assert {c for gap in report.gaps for c in gap.channels} <= set(report.data.channels)

    model.save(tmp_path / "model")
    assert tslam.load(tmp_path / "model").infer(frame).equals(latents)
