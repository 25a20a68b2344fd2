"""Transitions on a device: one flat tensor of views, and what the linear answer leaves to learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tslam.dynamics.neural import ForwardNet
from tslam.errors import ConfigError, TrainingError

__all__ = ["Rows", "largest", "refuse"]


@dataclass(frozen=True, eq=False)
class Rows:
    """What a net is trained on. Minibatches are drawn by index; nothing is copied per row."""

    V: Float[Tensor, "n feat"]
    left: Float[Tensor, "n chan"]
    seen: Float[Tensor, "n chan"]
    train: Int[Tensor, " train"]
    stop: Int[Tensor, " stop"]

    @classmethod
    def of(
        cls,
        net: ForwardNet,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
        train: Bool[np.ndarray, " n"],
        stop: Bool[np.ndarray, " n"],
    ) -> Self:
        """Residuals and views in double precision, then everything in single, where the net is."""
        used = np.flatnonzero(train | stop)
        device = net.weights.device
        regressors = torch.tensor(X[used], dtype=torch.float64, device=device)
        left = torch.tensor(Y[used], dtype=torch.float64, device=device)
        left = (left - torch.addmm(net.bias, regressors, net.weights)) / net.scale
        return cls(
            V=net.views(regressors),
            left=torch.where(left.isnan(), 0.0, left).float(),
            seen=(~left.isnan()).float(),
            train=torch.from_numpy(np.flatnonzero(train[used])).to(device),
            stop=torch.from_numpy(np.flatnonzero(stop[used])).to(device),
        )

    def take(self, rows: Int[Tensor, " batch"]) -> tuple[Tensor, Tensor, Tensor]:
        """Views, residuals and mask of some rows."""
        return self.V.index_select(0, rows), self.left.index_select(0, rows), self.seen.index_select(0, rows)


def refuse(
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    train: Bool[np.ndarray, " n"],
    stop: Bool[np.ndarray, " n"],
    names: Sequence[str] | None,
) -> None:
    """Refuse rows that nothing can be learned from.

    Raises:
        ConfigError: nothing to train on or to stop on, or rows that are both.
        TrainingError: values that are not numbers.
    """
    if np.any(train & stop):
        raise ConfigError(
            f"{int((train & stop).sum())} rows are marked both train and stop. Early stopping needs rows "
            "that were not trained on: mark each row once."
        )
    for label, rows in (("train", train), ("stop", stop)):
        if not np.isfinite(Y[rows]).any():
            raise ConfigError(
                f"No target is measured on the {int(rows.sum())} rows marked {label}. Mark others."
            )
    used = train | stop
    X, Y = X[used], Y[used]
    if not np.isfinite(X).all():
        raise TrainingError(
            f"Regressors must be finite and {int((~np.isfinite(X)).any(axis=1).sum())} rows are not: the "
            f"largest is {largest(X, names)}. Carry missing regressors forward, or leave those rows out."
        )
    if np.isinf(Y).any():
        channel = int(np.isinf(Y).any(axis=0).argmax())
        raise TrainingError(
            f"Target {channel} is infinite in {int(np.isinf(Y[:, channel]).sum())} rows. Write NaN where a "
            "value is missing, and mend the rest."
        )


def largest(X: Float[np.ndarray, "n feat"], names: Sequence[str] | None) -> str:
    """The regressor with the largest magnitude, in words."""
    size = np.where(np.isfinite(X), np.abs(X), np.inf).max(axis=0)
    at = int(size.argmax())
    return f"{f'regressor {at}' if names is None else repr(names[at])} with {size[at]:.3g}"
