"""Transitions on a device: one flat tensor of regressors, and what the linear answer leaves to learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tslam.dynamics.forward import LinearForward
from tslam.errors import ConfigError, TrainingError

__all__ = ["Rows", "largest"]

_FLOOR = 1e-4
"""Smallest unit of a correction, as a share of a channel's standard deviation; float32 sees no less."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What a net is trained on. Minibatches are drawn by index; nothing is copied per row."""

    X: Float[Tensor, "n feat"]
    left: Float[Tensor, "n chan"]
    seen: Float[Tensor, "n chan"]
    train: Int[Tensor, " train"]
    stop: Int[Tensor, " stop"]
    scale: Float[np.ndarray, " chan"]
    """Root mean square of what the linear solution leaves on the training rows, the unit of ``left``."""

    @classmethod
    def on(
        cls,
        device: torch.device,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
        train: Bool[np.ndarray, " n"],
        stop: Bool[np.ndarray, " n"],
        linear: LinearForward,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Residuals of the linear solution in double precision, then everything in single on the device.

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
        used = np.flatnonzero(train | stop)
        X, Y = X[used], Y[used]
        _check(X, Y, names)
        left = Y - linear.mean(X)
        seen = np.isfinite(left)
        zero = np.where(seen, left, 0.0)
        count = seen[train[used]].sum(axis=0)
        square = np.square(zero[train[used]]).sum(axis=0)
        scale = np.where(count > 0, np.sqrt(square / np.maximum(count, 1)), 1.0)
        scale = np.maximum(scale, _FLOOR)
        return cls(
            X=torch.tensor(X, dtype=torch.float32, device=device),
            left=torch.tensor(zero / scale, dtype=torch.float32, device=device),
            seen=torch.tensor(seen, dtype=torch.float32, device=device),
            train=torch.from_numpy(np.flatnonzero(train[used])).to(device),
            stop=torch.from_numpy(np.flatnonzero(stop[used])).to(device),
            scale=scale,
        )

    def take(self, rows: Int[Tensor, " batch"]) -> tuple[Tensor, Tensor, Tensor]:
        """Regressors, residuals and mask of some rows."""
        return self.X.index_select(0, rows), self.left.index_select(0, rows), self.seen.index_select(0, rows)


def largest(X: Float[np.ndarray, "n feat"], names: Sequence[str] | None) -> str:
    """The regressor with the largest magnitude, in words."""
    size = np.where(np.isfinite(X), np.abs(X), np.inf).max(axis=0)
    at = int(size.argmax())
    return f"{f'regressor {at}' if names is None else repr(names[at])} with {size[at]:.3g}"


def _check(
    X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"], names: Sequence[str] | None
) -> None:
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
