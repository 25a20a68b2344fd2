"""Systems of the literature by name: they do not collapse, are kept and read back, and refuse in time."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import tslam
from tslam.dynamics.composed_lam import ComposedLAM
from tslam.dynamics.composition import Composition
from tslam.dynamics.presets import PRESETS
from tslam.errors import ConfigError, TrainingError
from tslam.plants.plant import stamped

LEVELS = 4
ROWS, CHAN = 1600, 6
COMPOSED = [name for name, p in PRESETS.items() if isinstance(p.parts, Composition)]
CODED = [
    name
    for name, p in PRESETS.items()
    if isinstance(p.parts, Composition)
    and p.parts.discrete
    and name not in ("paper:mvp-lam", "paper:ac-state")
]
"""The first holds series against each other, the codes of the second are those of logged actions."""
CONTINUOUS = [
    name
    for name, p in PRESETS.items()
    if isinstance(p.parts, Composition)
    and not p.parts.discrete
    and not p.same_as
    and name not in ("paper:endogenous", "paper:exogenous-swap")
]
"""The first explains what logged actions reach, and the second holds series against each other."""


def _record(seed: int = 0, rows: int = ROWS) -> tuple[pl.DataFrame, np.ndarray]:
    """Six channels, a logged action, and one of four levels that nobody logged, moved at every step."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, LEVELS, rows).astype(float)
    logged = np.repeat(rng.normal(size=rows // 40 + 1), 40)[:rows]
    wide = np.random.default_rng(99)
    B, G = wide.normal(size=CHAN), wide.normal(size=CHAN)
    o = np.zeros((rows, CHAN))
    for t in range(rows - 1):
        o[t + 1] = 0.6 * o[t] + B * (level[t] - 1.5) + 0.3 * G * logged[t] + 0.1 * rng.normal(size=CHAN)
    columns = {f"y_{i}": o[:, i] for i in range(CHAN)} | {"valve": logged}
    return stamped(columns, 10.0), level


def _fit(frame: pl.DataFrame, name: str, **config: Any) -> tslam.LatentActionModel:
    settings = tslam.FitConfig.model_validate({"preset": name, "epochs": 40, "hidden": 32} | config)
    return tslam.fit(frame, actions=["valve"], time="time", config=settings, series=_series(frame))


def _series(frame: pl.DataFrame) -> str | None:
    return "unit" if "unit" in frame.columns else None


def _told(codes: np.ndarray, level: np.ndarray) -> float:
    """Share of the level's variance that its mean for each combination of codes tells."""
    keys = np.unique(codes, axis=0, return_inverse=True)[1].ravel()
    mean = np.bincount(keys, level) / np.maximum(np.bincount(keys), 1)
    return float(1 - ((level - mean[keys]) ** 2).mean() / level.var())


def _check_codes(model: tslam.LatentActionModel, frame: pl.DataFrame, level: np.ndarray) -> None:
    """Codes are in use, and they tell the level, a value for each row of the frame."""
    found = model.diagnose(frame).codebook
    assert found is not None
    assert max(found.perplexity) >= LEVELS / 2, found.reading
    lam = model._fitted.parts[0].lam
    panel = model._panel(frame)
    c, _ = model._held(panel, model._fitted.parts[0], seen=False)
    codes = lam.codes(c.X[c.usable], c.Y[c.usable])
    assert codes is not None
    assert _told(codes, level[c.rows[c.usable]]) > 0.5


@pytest.mark.parametrize("name", CODED)
def test_no_preset_with_codes_collapses_and_its_codes_tell_the_level(name: str) -> None:
    frame, level = _record()
    _check_codes(_fit(frame, name), frame, level)


def test_codes_of_actions_only_tell_the_logged_one() -> None:
    frame, _ = _record()
    _check_codes(_fit(frame, "paper:ac-state"), frame, frame["valve"].to_numpy())


def test_a_planted_collapse_is_found() -> None:
    frame, level = _record()
    model = _fit(frame, "paper:genie", epochs=5)
    lam = model._fitted.parts[0].lam
    assert isinstance(lam, ComposedLAM)
    for parameter in list(lam.net.idm.parameters())[-2:]:
        parameter.zero_()
    with pytest.raises(AssertionError, match="collapsed"):
        _check_codes(model, frame, level)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_latents_follow_the_level_and_belong_to_their_step(name: str) -> None:
    frame, level = _record()
    d = _fit(frame, name).diagnose(frame, truth=level[:, None])
    assert d.truth is not None
    assert d.truth.action < 0.5
    assert d.time_alignment is not None
    assert d.time_alignment.peak == 0
    assert d.scene_cut is not None
    assert d.scene_cut.ratio > 2


def test_every_preset_is_a_whole_model(tmp_path: Path) -> None:
    frame, _ = _record(rows=400)
    for name in ("paper:laom", "paper:lapo", "paper:wild-noisy"):
        model = _fit(frame, name, epochs=3)
        again = tslam.load(model.save(tmp_path / name.replace(":", "-")))
        assert model.infer(frame).equals(again.infer(frame))
        assert model.infer(frame).height == frame.height
        assert again.family == "composed"
        assert name in " ".join(model.trace)
        assert model.score(frame).equals(again.score(frame))
        assert isinstance(model.audit(frame), tslam.GapReport)


def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_generator_alone() -> None:
    frame, _ = _record(rows=400)
    before = torch.get_rng_state()
    first, again = (_fit(frame, "paper:lapo", epochs=3).infer(frame) for _ in range(2))
    assert first.equals(again)
    assert torch.equal(before, torch.get_rng_state())


def test_families_by_the_name_of_a_paper() -> None:
    frame, _ = _record(rows=400)
    assert _fit(frame, "paper:linear").family == "linear"
    assert _fit(frame, "paper:held", iterations=20).family == "held"
    assert _fit(frame, "paper:lfads", epochs=3, iterations=20).family == "neural"


def test_replicas_hold_series_against_each_other_and_do_not_collapse() -> None:
    one, level = _record(rows=800)
    noise = np.random.default_rng(5).normal(size=(CHAN, len(one)))
    two = one.with_columns(pl.col(f"y_{i}") * 1.1 + 0.05 * noise[i] for i in range(CHAN))
    frame = pl.concat(
        [one.with_columns(unit=pl.lit("a")), two.with_columns(unit=pl.lit("b"))], how="vertical"
    )
    model = _fit(frame, "paper:mvp-lam")
    assert model.infer(frame).height == frame.height
    _check_codes(model, frame, np.concatenate([level, level]))
    with pytest.raises(ConfigError, match="needs at least two"):
        _fit(one, "paper:mvp-lam", epochs=3)


def test_what_cannot_be_fitted_is_refused_before_training() -> None:
    frame, _ = _record(rows=400)
    with pytest.raises(ConfigError, match="Did you mean 'paper:lapo'"):
        tslam.fit(frame, time="time", config="paper:lapoo")
    with pytest.raises(ConfigError, match="7 latents were asked for and there are 6 observations"):
        _fit(frame, "paper:lapo", latents=7)
    with pytest.raises(ConfigError, match="128 entries is larger than the data"):
        _fit(frame.head(150), "paper:moto")
    with pytest.raises(ConfigError, match="625 entries is larger than the data"):
        _fit(frame, "paper:fsq", latents=4)
    with pytest.raises(ConfigError, match="there is neither"):
        tslam.fit(frame.drop("valve"), time="time", config="paper:endogenous")
    with pytest.raises(ConfigError, match="needs at least two"):
        _fit(frame, "paper:exogenous-swap")
    with pytest.raises(ConfigError, match="labels for no row"):
        tslam.fit(frame.drop("valve"), time="time", config="paper:clam")
    empty = frame.with_columns(valve=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(ConfigError, match="labels for no row"):
        _fit(empty, "paper:clam")


def test_a_loss_that_is_no_number_stops_and_keeps_what_was_good() -> None:
    frame, _ = _record(rows=400)
    with pytest.raises(TrainingError, match=r"left the finite numbers: epoch .* The largest regressor is"):
        _fit(frame, "paper:como", learning_rate=1e30)


def test_every_composed_preset_names_its_source_and_what_changed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "presets.md").read_text()
    for name, found in PRESETS.items():
        assert found.source
        assert found.changed
        assert f"`{name}`" in page
        assert not found.same_as or PRESETS[found.same_as].parts == found.parts
    assert len(COMPOSED) > 15
