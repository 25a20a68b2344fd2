"""A model that reads beside one that predicts: what a user sees of the two."""

from pathlib import Path

import numpy as np
import pytest

import tslam
from tslam import plants
from tslam.dynamics.held import fit_held
from tslam.dynamics.lam import LAM
from tslam.panel.chain import chain
from tslam.select.auto import prepare
from tslam.select.candidates import Candidate, causal_score
from tslam.select.telling import with_reader

RECORD = plants.simulate("rotor", 1200, 100).drop("speed_setpoint")
MODEL = tslam.fit(RECORD.frame, **RECORD.roles(), config=tslam.FitConfig(family="held", lags=1))


def test_the_reader_shows_its_latents_and_the_model_predicts_as_without() -> None:
    part = MODEL._fitted.parts[0]
    told = part.lam.told
    assert told is not None
    assert len(MODEL.latents) == len(MODEL.latent_names) == told.latents
    c = chain(MODEL._panel(RECORD.frame), part.structure)
    alone = LAM("held", part.lam.forward, part.lam.inverse, part.lam.baseline, part.lam.baseline_cov)
    np.testing.assert_array_equal(part.lam.predict(c.X, c.Y, c.start), alone.predict(c.X, c.Y, c.start))
    level = RECORD.truth.frame["speed_setpoint"].to_numpy().astype(float)
    z = np.asarray(MODEL.infer(RECORD.frame).select(MODEL.latent_names).to_numpy(), float)
    seen = np.isfinite(z).all(axis=1)
    by_level = [abs(np.corrcoef(z[seen, k], level[seen])[0, 1]) for k in range(z.shape[1])]
    assert max(by_level) > 0.98
    filtered = MODEL.infer(RECORD.frame, mode="filtered")
    assert set(MODEL.latent_names) <= set(filtered.columns)


def test_a_level_earns_its_place_by_what_history_does_not_tell() -> None:
    whole = plants.simulate("rotor", 1200, 100)
    clean = tslam.fit(whole.frame, **whole.roles(), config=tslam.FitConfig(family="held", lags=1))
    assert clean._fitted.parts[0].lam.told is not None
    assert [latent.earned for latent in clean.latents] == [False] * len(clean.latents)
    assert MODEL.latents[0].earned


def test_what_is_latest_changes_nothing_that_was_filtered_before() -> None:
    whole = MODEL.infer(RECORD.frame, mode="filtered").select(MODEL.latent_names).to_numpy()
    head = MODEL.infer(RECORD.frame[:900], mode="filtered").select(MODEL.latent_names).to_numpy()
    np.testing.assert_allclose(head[:899], whole[:899], atol=1e-9)


def test_both_models_are_kept(tmp_path: Path) -> None:
    again = tslam.load(MODEL.save(tmp_path / "model"))
    for mode in ("smoothed", "filtered"):
        assert again.infer(RECORD.frame, mode=mode).equals(MODEL.infer(RECORD.frame, mode=mode))
    assert again.latents == MODEL.latents


@pytest.mark.parametrize("asked", [1, 2])
def test_as_many_latents_as_are_asked_for(asked: int) -> None:
    config = tslam.FitConfig(family="held", lags=1, latents=asked)
    panel = MODEL._panel(RECORD.frame)
    data = prepare(panel, config)(MODEL._fitted.parts[0].structure)
    c = data.chain
    fit = fit_held(c.X, c.Y, data.train, c.start, latents=asked, iterations=5, starts=(0.98,))
    lam = LAM("held", fit.forward, fit.inverse, fit.forward, np.eye(c.Y.shape[1]))
    found = with_reader(Candidate(lam, data.structure, causal_score(lam, data)), data, config)
    assert found.lam.reader.latents == asked
