"""Training of a composed network, with early stopping; the best weights on the stop rows are kept."""

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from tslam.config import FitConfig
from tslam.dynamics.composed import ComposedNet, NetSpec, Transition
from tslam.dynamics.composition import Composition
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.objectives import Labels, Partner, follow, objective
from tslam.dynamics.steady import one_thread
from tslam.errors import TrainingError
from tslam.train.course import Epoch
from tslam.train.device import resolve
from tslam.train.episode import Episode, endogenous, refuse_episode
from tslam.train.progress import track
from tslam.train.rows import largest

__all__ = ["ComposedDivergedError", "Episode", "train_composed"]

_PATIENCE = 30
_CLIP = 1.0
_DECAY = 1e-3
_WARM_UP = 5


class ComposedDivergedError(TrainingError):
    """Training left the numbers. ``last_good`` is the best network before that, None where there was none."""

    def __init__(self, message: str, last_good: ComposedNet | None) -> None:
        super().__init__(message)
        self.last_good = last_good


def train_composed(
    parts: Composition,
    episode: Episode,
    linear: LinearForward,
    config: FitConfig,
    *,
    seed: int,
    device: str = "auto",
    progress: bool | Literal["auto"] = False,
    names: Sequence[str] | None = None,
) -> tuple[ComposedNet, tuple[Epoch, ...]]:
    """Train a composition from the ridge answer on.

    Everything random is drawn from the seed, in a fork of the global generator that leaves it as it was: the
    quantisers of the kept library know no other.

    Args:
        parts: The composition.
        episode: Rows.
        linear: The ridge start.
        config: ``hidden``, ``epochs``, ``learning_rate`` and ``batch`` are read.
        seed: Of weights, batches and noise.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``.
        progress: Show a bar.
        names: Names of the regressors, for messages.

    Raises:
        ConfigError: the composition asks for what the data do not have.
        ComposedDivergedError: the loss left the finite numbers.
    """
    episode = replace(episode, train=episode.train & episode.whole, stop=episode.stop & episode.whole)
    refuse_episode(parts, episode)
    where = resolve(device)
    with one_thread(), torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(np.random.SeedSequence([seed & 0xFFFFFFFF, 0xC0]).generate_state(1)[0])
        chan = episode.Y.shape[1]
        spec = NetSpec(
            episode.X.shape[1], chan, episode.lags, episode.labels.shape[1], min(parts.latents, chan),
            config.hidden,
        )  # fmt: skip
        at = episode.train
        net = ComposedNet.starting_at(parts, spec, linear, episode.X[at], episode.Y[at])
        if parts.endogenous:
            net.phi.copy_(torch.from_numpy(endogenous(episode, parts.horizon)))
        net = net.to(where)
        history: tuple[Epoch, ...] = ()
        for stage in (1, 2) if net.widths[1] else (2,):
            net.begin(stage)
            history += _learn(net, episode, config, progress, names)
    return net.eval().requires_grad_(requires_grad=False), history


def _learn(
    net: ComposedNet,
    episode: Episode,
    config: FitConfig,
    progress: bool | Literal["auto"],
    names: Sequence[str] | None,
) -> tuple[Epoch, ...]:
    """One stage: the network ends at the weights that are best on the stop rows."""
    run = _Run(net, _Tensors.of(episode, net.parts, net.weights.device), config)
    for _ in track(range(config.epochs), "Training", progress):
        more = run.advance()
        if not math.isfinite(run.history[-1].train + run.history[-1].stop):
            raise _diverged(run, episode, names)
        if not more:
            break
    net.load_state_dict(run.best)
    return tuple(run.history)


@dataclass(frozen=True, eq=False)
class _Tensors:
    """An episode on the device, and the ways to a batch of it."""

    X: Tensor
    Y: Tensor
    ahead: Int[Tensor, "horizon n"]
    """Row of o_{t+k}, k = 1 .. K; of o_{t+1} where the segment ends before."""
    labels: Tensor
    seen: Tensor
    partner: Tensor
    train: Tensor
    stop: Tensor

    @classmethod
    def of(cls, e: Episode, parts: Composition, device: torch.device) -> "_Tensors":
        n, run = len(e.X), np.cumsum(e.start)
        ahead = np.tile(np.arange(n), (parts.horizon, 1))
        for k in range(1, parts.horizon):
            to = np.minimum(np.arange(n) + k, n - 1)
            ahead[k] = np.where((run[to] == run) & e.whole[to], to, np.arange(n))
        partner = np.where((e.partner >= 0) & e.whole[np.maximum(e.partner, 0)], e.partner, -1)

        def send(values: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(device)

        return cls(
            X=send(e.X.astype(np.float64)),
            Y=send(np.where(e.whole[:, None], e.Y, 0.0)),
            ahead=send(ahead),
            labels=send(np.nan_to_num(e.labels)).float(),
            seen=send(np.isfinite(e.labels)).float(),
            partner=send(partner),
            train=send(np.flatnonzero(e.train)),
            stop=send(np.flatnonzero(e.stop)),
        )

    def batch(
        self, rows: Int[Tensor, " batch"], steps: Int[Tensor, " batch"]
    ) -> tuple[Transition, Labels, Partner]:
        """Transitions, with o_{t+k} ``steps`` off, their labels and their partners."""
        at = self.ahead[steps - 1, rows]
        off = (at - rows + 1)[:, None].float()
        other = self.partner[rows]
        there = other.clamp(min=0)
        return (
            Transition(self.X[rows], self.Y[rows], self.Y[at], off / len(self.ahead)),
            Labels(self.labels[rows], self.seen[rows]),
            Partner(self.X[there], self.Y[there], (other >= 0).float()),
        )


class _Run:
    """Training between two epochs."""

    def __init__(self, net: ComposedNet, data: _Tensors, config: FitConfig) -> None:
        self.net, self.data, self.config = net, data, config
        learnt = [p for p in net.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(learnt, lr=config.learning_rate, weight_decay=_DECAY)
        self.best = deepcopy(net.state_dict())
        self.least, self.idle = math.inf, 0
        self.history: list[Epoch] = []

    def advance(self) -> bool:
        """One epoch; False where there is no point in another."""
        epoch = len(self.history) + 1
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * min(1.0, epoch / _WARM_UP)
        self.net.train()
        rows = self.data.train[torch.randperm(len(self.data.train)).to(self.data.train.device)]
        total = 0.0
        for batch in rows.tensor_split(max(1, round(len(rows) / self.config.batch))):
            total += self._step(batch) * len(batch)
        self.net.eval()
        with torch.no_grad():
            ones = torch.ones_like(self.data.stop)
            stop = float(objective(self.net, *self.data.batch(self.data.stop, ones)))
        self.history.append(Epoch(epoch, total / len(rows), stop))
        self.idle += 1
        if stop < self.least:
            # codebooks start at the first batch, so that a lower loss is only trusted after some epochs
            self.least, self.idle, self.best = stop, 0, deepcopy(self.net.state_dict())
        return self.idle < _PATIENCE

    def _step(self, rows: Tensor) -> float:
        steps = torch.randint(1, len(self.data.ahead) + 1, (len(rows),)).to(rows.device)
        loss = objective(self.net, *self.data.batch(rows, steps))
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.net.parameters(), _CLIP)
        self.optimiser.step()
        follow(self.net)
        return float(loss.detach())


def _diverged(run: _Run, e: Episode, names: Sequence[str] | None) -> ComposedDivergedError:
    last, good = run.history[-1], None
    if math.isfinite(run.least):
        good = deepcopy(run.net).eval().requires_grad_(requires_grad=False)
        good.load_state_dict(run.best)
    kept = " (the best weights before are kept in last_good)" if good is not None else ""
    return ComposedDivergedError(
        f"Training left the finite numbers: epoch {last.epoch} had a loss of {last.train:.3g} in training "
        f"and {last.stop:.3g} on the stop rows, at learning rate {run.config.learning_rate:.3g}. The largest "
        f"regressor is {largest(e.X[e.train], names)}; about 1 was expected. Scale or clip it, or lower the "
        f"learning rate{kept}.",
        good,
    )
