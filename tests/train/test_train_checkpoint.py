"""A run that was interrupted and resumed is the run that never stopped."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_cases import QUICK, problem

from tslam.config import FitConfig
from tslam.errors import ArtifactError
from tslam.train.checkpoint import Checkpoint
from tslam.train.course import Course
from tslam.train.loop import Trained, train_forward

# learns for some epochs, then slows down, then stops by itself
PROBLEM = problem(120, noise=1.0)
LONG = QUICK.model_copy(update={"hidden": 4, "epochs": 60, "learning_rate": 0.03, "batch": 32})


class PowerLossError(Exception):
    """What stops a run in the middle."""


def _train(config: FitConfig = LONG, checkpoint: Checkpoint | None = None, seed: int = 3) -> Trained:
    p = PROBLEM
    return train_forward(
        p.X,
        p.Y,
        p.train,
        p.stop,
        start=p.start,
        config=config,
        seed=seed,
        device="cpu",
        checkpoint=checkpoint,
    )


def _interrupted(at: int, checkpoint: Checkpoint) -> None:
    """Run until epoch ``at`` has been made, and is perhaps not yet on disk."""
    whole = Course.advance

    def advance(course: Course) -> None:
        if course.epoch == at:
            raise PowerLossError
        whole(course)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Course, "advance", advance)
        with pytest.raises(PowerLossError):
            _train(checkpoint=checkpoint)


def _same(one: Trained, other: Trained) -> None:
    assert one.history == other.history
    assert (one.best_epoch, one.stopped_because) == (other.best_epoch, other.stopped_because)
    left, right = one.forward.net.state(), other.forward.net.state()
    for name, weights in left.items():
        np.testing.assert_array_equal(weights, right[name])


@settings(max_examples=10)
@given(at=st.lists(st.integers(0, 34), min_size=1, max_size=3).map(sorted), every=st.integers(1, 12))
def test_resumed_equals_never_stopped(
    tmp_path_factory: pytest.TempPathFactory, at: list[int], every: int
) -> None:
    checkpoint = Checkpoint(tmp_path_factory.mktemp("run") / "course.safetensors", every)
    for epoch in at:
        _interrupted(epoch, checkpoint)
    whole = _train()
    assert 10 < whole.best_epoch < 35 < whole.history[-1].epoch < LONG.epochs
    _same(_train(checkpoint=checkpoint), whole)


def test_a_finished_run_is_read_and_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = Checkpoint(tmp_path / "course.safetensors")
    done = _train(checkpoint=checkpoint)
    monkeypatch.delattr(Course, "advance")
    _same(_train(checkpoint=checkpoint), done)


def test_more_epochs_continue_a_finished_run(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "course.safetensors", every=100)
    _train(LONG.model_copy(update={"epochs": 15}), checkpoint)
    _same(_train(checkpoint=checkpoint), _train())


def test_writing_leaves_one_file(tmp_path: Path) -> None:
    _train(checkpoint=Checkpoint(tmp_path / "course.safetensors", every=5))
    assert [path.name for path in tmp_path.iterdir()] == ["course.safetensors"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = Checkpoint(tmp_path / "course.safetensors", every=1)
    _interrupted(5, checkpoint)
    before = checkpoint.path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tslam.train.checkpoint.save_file", full)
    with pytest.raises(ArtifactError, match="No space left"):
        _train(checkpoint=checkpoint)
    assert checkpoint.path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "other",
    [{"seed": 4}, {"config": LONG.model_copy(update={"learning_rate": 1e-3})}],
    ids=["seed", "settings"],
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path: Path, other: dict[str, object]) -> None:
    checkpoint = Checkpoint(tmp_path / "course.safetensors", every=1)
    _interrupted(3, checkpoint)
    with pytest.raises(ArtifactError, match="belongs to a run with other rows, settings or seed"):
        _train(checkpoint=checkpoint, **other)


def test_the_checkpoint_of_other_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = Checkpoint(tmp_path / "course.safetensors", every=1)
    _interrupted(3, checkpoint)
    Y = PROBLEM.Y.copy()
    Y[PROBLEM.stop] += 0.001
    monkeypatch.setitem(globals(), "PROBLEM", PROBLEM._replace(Y=Y))
    with pytest.raises(ArtifactError, match="belongs to a run with other rows"):
        _train(checkpoint=checkpoint)


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "course.safetensors"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="is not the checkpoint of a training run"):
        _train(checkpoint=Checkpoint(path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"could not be written to .*nowhere"):
        _train(checkpoint=Checkpoint(tmp_path / "nowhere" / "course.safetensors", every=1))
