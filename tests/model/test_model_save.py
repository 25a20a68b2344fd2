"""To disk and back: the same answers, nothing lost on the way, and nothing but models taken for one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_cases import fleet, fleet_model, model, record
from polars.testing import assert_frame_equal
from safetensors.numpy import load_file, save_file

import tslam
from tslam import artefact
from tslam.errors import ArtifactError, ConfigError
from tslam.plants.plant import stamped

FILES = {"model.json", "panel.json", "contract.json", "contract.odcs.yaml", "weights.safetensors"}


def bent() -> tuple[pl.DataFrame, tslam.LatentActionModel]:
    """A record that products of signals tell, and a model of it."""
    rng = np.random.default_rng(0)
    a, b, o = *rng.uniform(-2, 2, (2, 800)), np.zeros((800, 2))
    for t in range(799):
        o[t + 1] = 0.6 * o[t] + 0.5 * np.array([a[t] * b[t], np.abs(a[t])]) + 0.1 * rng.normal(size=2)
    frame = stamped({"o0": o[:, 0], "o1": o[:, 1], "a": a, "b": b}, 1.0)
    config = tslam.FitConfig(family="held", latents=1, lags=1, iterations=10)
    return frame, tslam.fit(frame, actions=["a", "b"], config=config, progress=False)


CASES: dict[str, Callable[[], tuple[pl.DataFrame, tslam.LatentActionModel]]] = {
    "linear": lambda: (record().frame, model("linear")),
    "held": lambda: (record().frame, model("held")),
    "neural": lambda: (record().frame, model("neural")),
    "products": bent,
    "fleet": lambda: (fleet("north", "south"), fleet_model()),
    "per series": lambda: (fleet("north", "south"), fleet_model(per_series=True)),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model, to be copied and not to be touched."""
    return model("held").save(tmp_path_factory.mktemp("kept") / "plant")


@pytest.fixture
def saved(kept: Path, tmp_path: Path) -> Path:
    """A saved model to do with as one likes."""
    return Path(shutil.copytree(kept, tmp_path / "plant"))


@pytest.mark.parametrize("case", CASES)
def test_a_loaded_model_answers_as_the_fitted_one(case: str, tmp_path: Path) -> None:
    frame, fitted = CASES[case]()
    loaded = tslam.load(fitted.save(tmp_path / "new" / "plant"))
    assert {path.name for path in (tmp_path / "new" / "plant").iterdir()} == FILES
    for mode in ("smoothed", "filtered"):
        assert_frame_equal(loaded.infer(frame, mode), fitted.infer(frame, mode), check_exact=True)
    assert_frame_equal(loaded.score(frame), fitted.score(frame), check_exact=True)
    assert loaded.latents == fitted.latents
    assert loaded.latent_names == fitted.latent_names
    assert loaded.contract == fitted.contract
    assert loaded.family == fitted.family
    assert (loaded.trace, loaded.notes) == (fitted.trace, fitted.notes)
    assert str(loaded.summary()) == str(fitted.summary())


@pytest.mark.parametrize("case", ["held", "per series"])
def test_a_loaded_model_audits_as_the_fitted_one(case: str, tmp_path: Path) -> None:
    frame, fitted = CASES[case]()
    loaded = tslam.load(fitted.save(tmp_path / "plant"))
    one, other = (json.loads(m.audit(frame).to_json()) for m in (loaded, fitted))
    assert one == other


def test_saved_again_it_is_the_same_to_the_byte(saved: Path, tmp_path: Path) -> None:
    again = tslam.load(saved).save(tmp_path / "again")
    for name in FILES:
        assert (again / name).read_bytes() == (saved / name).read_bytes()


def test_the_contract_beside_it_is_one_to_fit_by(saved: Path) -> None:
    frame = record().frame
    again = tslam.fit(frame, contract=saved / "contract.odcs.yaml", config="linear", progress=False)
    assert again.contract.actions == model().contract.actions
    assert again.contract.observations == model().contract.observations


class TestWhatIsNoModel:
    """Every fault of a folder is an ArtifactError that names the folder."""

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ArtifactError, match=r"nowhere' is not a saved model.*are not there"):
            tslam.load(tmp_path / "nowhere")

    def test_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("{}")
        with pytest.raises(ArtifactError, match="is not a saved model"):
            tslam.load(tmp_path / "file")

    @pytest.mark.parametrize("name", sorted(FILES - {"contract.odcs.yaml"}))
    def test_a_file_is_lost(self, saved: Path, name: str) -> None:
        (saved / name).unlink()
        with pytest.raises(ArtifactError, match=f"'{name}'. is not there. Give the folder that model.save"):
            tslam.load(saved)

    @pytest.mark.parametrize("name", sorted(FILES - {"contract.odcs.yaml"}))
    @pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
    def test_a_file_is_cut_off(self, saved: Path, name: str, share: float) -> None:
        whole = (saved / name).read_bytes()
        (saved / name).write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ArtifactError, match=r"is damaged .*Save it again"):
            tslam.load(saved)

    @pytest.mark.parametrize("name", ["model.json", "panel.json", "contract.json"])
    @pytest.mark.parametrize("text", ["{}", "[]", "null", "3", '{"format": "one"}', '{"format": 1}', "\x00"])
    def test_a_file_is_another_one(self, saved: Path, name: str, text: str) -> None:
        (saved / name).write_text(text)
        with pytest.raises(ArtifactError, match="is damaged"):
            tslam.load(saved)

    def test_the_weights_of_another_model(self, saved: Path, tmp_path: Path) -> None:
        other = fleet_model(per_series=True).save(tmp_path / "other")
        shutil.copy(other / "weights.safetensors", saved)
        with pytest.raises(ArtifactError, match="is damaged"):
            tslam.load(saved)

    def seal(self, saved: Path, arrays: dict[str, np.ndarray]) -> None:
        """Write weights as if they had been these from the first."""
        save_file(arrays, saved / "weights.safetensors")
        facts = json.loads((saved / "model.json").read_text())
        facts["sha256"]["weights.safetensors"] = artefact._sha256(saved / "weights.safetensors")
        (saved / "model.json").write_text(json.dumps(facts))

    @pytest.mark.parametrize("worth", [np.nan, np.inf])
    def test_weights_that_are_no_numbers(self, saved: Path, worth: float) -> None:
        arrays = load_file(saved / "weights.safetensors")
        for name in arrays:
            spoilt = {k: v.copy() for k, v in arrays.items()}
            spoilt[name].flat[0] = worth
            self.seal(saved, spoilt)
            with pytest.raises(ArtifactError, match="is damaged"):
                tslam.load(saved)

    def test_weights_of_another_size(self, saved: Path) -> None:
        arrays = load_file(saved / "weights.safetensors")
        for name in arrays:
            self.seal(saved, arrays | {name: arrays[name][..., :-1].copy()})
            with pytest.raises(ArtifactError, match="is damaged"):
                tslam.load(saved)

    def test_a_later_version(self, saved: Path) -> None:
        facts = json.loads((saved / "model.json").read_text())
        facts |= {"format": facts["format"] + 1, "tslam": "9.1"}
        (saved / "model.json").write_text(json.dumps(facts))
        with pytest.raises(ArtifactError, match=r"has format 2, this .* reads up to 1. Install tslam 9.1"):
            tslam.load(saved)

    @given(
        name=st.sampled_from(sorted(FILES - {"contract.odcs.yaml"})),
        at=st.floats(0, 1, exclude_max=True),
        byte=st.integers(0, 255),
    )
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_a_byte_is_wrong(self, kept: Path, saved: Path, name: str, at: float, byte: int) -> None:
        whole = bytearray((kept / name).read_bytes())
        whole[int(at * len(whole))] = byte
        (saved / name).write_bytes(whole)
        try:
            if name == "model.json":
                self._try(saved)
            elif whole != (kept / name).read_bytes():
                with pytest.raises(ArtifactError, match="is damaged"):
                    tslam.load(saved)
        finally:
            shutil.copy(kept / name, saved)

    def _try(self, saved: Path) -> None:
        """A byte of what the model says of itself may make another sound model, or none."""
        said = str(saved)
        try:
            tslam.load(saved)
        except ArtifactError as error:
            said = str(error)
        assert str(saved) in said


class TestWhereItIsWritten:
    """A model replaces a model, whole or not at all, and nothing else."""

    def test_an_older_model_is_replaced(self, saved: Path) -> None:
        assert tslam.load(saved).family == "held"
        model("linear").save(saved)
        assert tslam.load(saved).family == "linear"
        assert [path.name for path in saved.parent.iterdir()] == ["plant"]

    def test_an_empty_folder_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "plant").mkdir()
        assert tslam.load(model().save(tmp_path / "plant")).family == "linear"

    @pytest.mark.parametrize("name", ["notes.txt", "model.json", "weights.safetensors", "sub/notes.txt"])
    def test_anything_else_is_left_alone(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "plant" / name).parent.mkdir(parents=True)
        (tmp_path / "plant" / name).write_text("mine")
        with pytest.raises(ArtifactError, match=r"is not .only. a saved model.*Give another folder"):
            model().save(tmp_path / "plant")
        assert (tmp_path / "plant" / name).read_text() == "mine"
        assert [path.name for path in tmp_path.iterdir()] == ["plant"]

    def test_a_model_with_something_beside_it_is_left_alone(self, saved: Path) -> None:
        (saved / "notes.txt").write_text("mine")
        with pytest.raises(ArtifactError, match=r"is not .only. a saved model"):
            model().save(saved)
        assert tslam.load(saved).family == "held"

    def test_a_file_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "plant").write_text("mine")
        with pytest.raises(ArtifactError, match=r"is not .only. a saved model"):
            model().save(tmp_path / "plant")
        assert (tmp_path / "plant").read_text() == "mine"

    def test_a_full_disk_leaves_the_older_model(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(artefact, "save_file", full)
        with pytest.raises(ArtifactError, match=r"could not be written.*No space left.*Give another folder"):
            model().save(saved)
        assert tslam.load(saved).family == "held"
        assert [path.name for path in saved.parent.iterdir()] == ["plant"]

    def test_a_swap_that_fails_leaves_the_older_model(
        self, saved: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rename = Path.rename

        def failing(self: Path, target: Path) -> Path:
            if self.name == "new":
                raise OSError(5, "Input/output error")
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(ArtifactError, match="could not be written"):
            model().save(saved)
        assert tslam.load(saved).family == "held"
        assert [path.name for path in saved.parent.iterdir()] == ["plant"]

    def test_a_folder_under_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        with pytest.raises(ArtifactError):
            model().save(tmp_path / "file" / "plant")


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    folder = model("neural").save(tmp_path / "plant")
    with pytest.raises(ConfigError, match="abacus"):
        tslam.load(folder, device="abacus")
