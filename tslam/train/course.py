"""A training run between two epochs: everything that the next epoch depends on, and how it is made."""

import math
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tslam.config import FitConfig
from tslam.dynamics.neural import ForwardNet
from tslam.train.rows import Rows

__all__ = ["Course", "Epoch"]

_WARM_UP = 10
"""Epochs over which the step size rises: weak effects are learned before large steps overrun them."""
_AVERAGE = 0.99
"""Decay per step of the running mean of the weights, which is what is judged and kept."""
_DECAY = 1e-2
"""Weight decay, on matrices only."""
_CLIP = 1.0
"""Largest norm of a gradient."""
_GAIN = 1e-4
"""Nats per measured value that count as progress, made at once or over several epochs."""
_SLOW_AFTER, _SLOW_BY = 6, 0.5
"""Epochs without progress after which the step size shrinks, and by what."""
_PATIENCE = 20
"""Epochs without progress after which training stops."""


class Epoch(NamedTuple):
    """One entry of the history: mean negative log-likelihood, nats per measured value."""

    epoch: int
    train: float
    stop: float


class Course:
    """The state of a training run. Epoch 0 is the start, judged before anything is learned.

    Source: AdamW, Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019; averaging of
    weights, Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control
    Optim. 30(4), 1992. The constants were chosen by trial on simulated and recorded plants, see
    docs/notes/2026-11-21-neural-forward.md.
    """

    def __init__(self, net: ForwardNet, rows: Rows, config: FitConfig, generator: torch.Generator) -> None:
        self.net = net
        self.average = deepcopy(net)
        self.generator = generator
        self.rows = rows
        self.config = config
        matrices = [p for p in net.parameters() if p.ndim > 1]
        vectors = [p for p in net.parameters() if p.ndim == 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": _DECAY}, {"params": vectors, "weight_decay": 0.0}],
            lr=config.learning_rate,
        )
        self.idle = 0
        self.slowdown = 1.0
        self.best = _copy(self.average)
        self.history = [Epoch(0, self._likelihood(rows.train), self._likelihood(rows.stop))]
        self.best_epoch = 0
        self.reference = self.history[0].stop
        """The likelihood that must be bettered by a margin to count as progress."""

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.history[-1].epoch

    @property
    def best_stop(self) -> float:
        """Likelihood of the best epoch on the rows for early stopping."""
        return self.history[self.best_epoch].stop

    @property
    def rate(self) -> float:
        """Step size of the epoch to come."""
        return self.config.learning_rate * self.slowdown * min(1.0, (self.epoch + 1) / _WARM_UP)

    @property
    def finite(self) -> bool:
        """Did the last epoch arrive at numbers?"""
        return math.isfinite(self.history[-1].train) and math.isfinite(self.history[-1].stop)

    @property
    def over(self) -> str | None:
        """Why there is no further epoch; None where there is one."""
        if self.idle >= _PATIENCE:
            return f"no progress on the stop rows for {self.idle} epochs"
        if self.epoch >= self.config.epochs:
            return f"reached {self.config.epochs} epochs"
        return None

    def advance(self) -> None:
        """One epoch over the training rows, then one look at the rows for early stopping."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        order = torch.randperm(len(self.rows.train), generator=self.generator)
        train = self.rows.train[order.to(self.rows.train.device)]
        total = torch.zeros((), device=train.device)
        # batches of one size: a stump at the end would shake the weights as hard as a whole one
        for batch in train.tensor_split(max(1, round(len(train) / self.config.batch))):
            total += self._step(batch) * len(batch)
        self._judge(float(total) / len(train), self._likelihood(self.rows.stop))

    def _step(self, batch: Tensor) -> Tensor:
        loss = self.net.nll(*self.rows.take(batch))
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.net.parameters(), _CLIP)
        self.optimiser.step()
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mean.lerp_(now, 1 - _AVERAGE)
        return loss.detach()

    def _judge(self, train: float, stop: float) -> None:
        if stop < self.best_stop:
            self.best_epoch = self.epoch + 1
            self.best = _copy(self.average)
        self.history.append(Epoch(self.epoch + 1, train, stop))
        if stop < self.reference - _GAIN:
            self.reference, self.idle = stop, 0
        elif self.epoch > _WARM_UP:
            self.idle += 1
        if self.idle and self.idle % _SLOW_AFTER == 0:
            self.slowdown *= _SLOW_BY

    @torch.no_grad()
    def _likelihood(self, rows: Tensor) -> float:
        return float(self.average.nll(*self.rows.take(rows)))


def _copy(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}
