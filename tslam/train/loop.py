"""Training of the neural forward model, from the ridge answer onwards, with early stopping."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from tslam.config import FitConfig
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.neural import ForwardNet, NeuralForward
from tslam.errors import TrainingError
from tslam.seeding import torch_generator
from tslam.train.checkpoint import Checkpoint, fingerprint
from tslam.train.course import Course, Epoch
from tslam.train.device import resolve
from tslam.train.progress import track
from tslam.train.rows import Rows, largest, refuse

__all__ = ["DivergedError", "Trained", "train_forward"]


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained forward model and how training went."""

    forward: NeuralForward
    history: tuple[Epoch, ...]
    """Per epoch, from 0 (the linear start): likelihood on the training and on the stop rows."""
    best_epoch: int
    """The epoch whose weights were kept; 0: nothing better than the linear start was found."""
    stopped_because: str


class DivergedError(TrainingError):
    """Training left the numbers. ``last_good`` is the best model before that, None where there was none."""

    def __init__(self, message: str, last_good: Trained | None) -> None:
        super().__init__(message)
        self.last_good = last_good


def train_forward(
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    train: Bool[np.ndarray, " n"],
    stop: Bool[np.ndarray, " n"],
    *,
    start: LinearForward,
    config: FitConfig,
    seed: int,
    device: str = "auto",
    progress: bool | Literal["auto"] = False,
    names: Sequence[str] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train a neural forward model that starts at a linear one and never ends worse on the stop rows.

    The weights kept are those of the epoch with the best likelihood on ``stop``, epoch 0 (the linear
    answer) included. These rows were read, so a score on them is optimistic: hold out others for scores
    and comparisons. The same seed gives the same bits on the same device with the same number of threads.

    Args:
        X: Regressors, about unit variance, no constant column.
        Y: Targets, scaled; NaN where not measured.
        train: Rows to learn from.
        stop: Rows for early stopping.
        start: The linear solution to start at, fitted on the training rows.
        config: ``hidden``, ``epochs``, ``learning_rate`` and ``batch`` are read.
        seed: Of the first weights and the order of the rows.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` and so on.
        progress: Show a bar.
        names: Names of the regressors, for messages.
        checkpoint: Where to keep the run; one that is there already is resumed.

    Raises:
        ConfigError: nothing to train on, rows marked twice, or no such device.
        TrainingError: values that are not finite; DivergedError where training arrived at such.
        ArtifactError: the checkpoint is damaged, belongs to another run, or cannot be written.
    """
    where = resolve(device)
    refuse(X, Y, train, stop, names)
    generator = torch_generator(seed, "train_forward")
    net = ForwardNet.starting_at(start, X[train], Y[train], config.hidden, generator).to(where)
    course = Course(net, Rows.of(net, X, Y, train, stop), config, generator)
    mark = "" if checkpoint is None else fingerprint(course)
    if checkpoint is not None:
        checkpoint.restore(course, mark)
    _finite_or_raise(course, X[train | stop], names)
    for _ in track(range(course.epoch, config.epochs), "Training", progress):
        if course.over:
            break
        course.advance()
        _finite_or_raise(course, X[train | stop], names)
        if checkpoint is not None and (course.over or course.epoch % checkpoint.every == 0):
            checkpoint.save(course, mark)
    return _best(course, course.over or "")


def _best(course: Course, stopped_because: str) -> Trained:
    net = deepcopy(course.average).requires_grad_(requires_grad=False)
    net.load_state_dict(course.best)
    return Trained(NeuralForward(net), tuple(course.history), course.best_epoch, stopped_because)


def _finite_or_raise(course: Course, X: Float[np.ndarray, "n feat"], names: Sequence[str] | None) -> None:
    if course.finite:
        return
    last = course.history[-1]
    why = (
        f"epoch {last.epoch} had a loss of {last.train:.3g} in training and {last.stop:.3g} on the stop rows"
    )
    good = _best(course, why) if last.epoch else None
    raise DivergedError(
        f"Training left the finite numbers: {why}, at learning rate {course.rate:.3g}. The largest regressor "
        f"is {largest(X, names)}; about 1 was expected. Scale or clip it, or lower the learning rate"
        + (f" (the weights of epoch {good.best_epoch} are kept in last_good)." if good else "."),
        good,
    )
