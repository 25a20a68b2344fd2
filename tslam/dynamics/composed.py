"""A composed network: an inverse model, a bottleneck, and a forward model that starts at the ridge answer."""

from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tslam.dynamics.bottleneck import Squeezed, bottleneck
from tslam.dynamics.composition import Composition
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.neural import principal_axes

__all__ = ["ComposedNet", "NetSpec", "Transition"]

_REACH = 5.0
"""Where regressors saturate, in standard deviations."""
_REPRESENTED = 8
"""Width of a learnt representation."""


@dataclass(frozen=True)
class NetSpec:
    """Sizes of a composed network."""

    feat: int
    chan: int
    lags: int
    labels: int
    latents: int
    hidden: int


class Transition(NamedTuple):
    """Regressors, the next sample, the one that the inverse model sees, and how many steps off it is."""

    X: Float[Tensor, "batch feat"]
    Y: Float[Tensor, "batch chan"]
    ahead: Float[Tensor, "batch chan"]
    steps: Float[Tensor, "batch 1"]


class ComposedNet(nn.Module):
    """o_{t+1} = X W + b + scale * (decoder(views, z) + z G), z = bottleneck(idm(..)); W and b stay."""

    weights: Tensor
    bias: Tensor
    scale: Tensor
    centre: Tensor
    axes: Tensor
    change: Tensor

    def __init__(self, parts: Composition, spec: NetSpec) -> None:
        super().__init__()
        self.parts, self.spec = parts, spec
        feat, chan, known = spec.feat, spec.chan, spec.feat - spec.lags * spec.chan
        for name, value in (
            ("weights", torch.zeros(feat, chan)),
            ("bias", torch.zeros(chan)),
            ("scale", torch.ones(chan)),
            ("centre", torch.zeros(feat)),
            ("axes", torch.eye(feat)),
            ("change", torch.ones(chan)),
        ):
            self.register_buffer(name, value.double())
        seen = {"window": feat + chan, "difference": chan + known}.get(parts.sees, 2 * chan + known + 1)
        self.squeeze = bottleneck(parts, spec.latents)
        self.idm = _network(seen, spec.hidden, int(getattr(self.squeeze, "width", spec.latents)))
        self.decoder = _network(feat + spec.latents, spec.hidden, chan)
        self.direct = nn.Linear(spec.latents, chan, bias=False)
        self.labels = nn.Linear(spec.latents, max(1, spec.labels))
        self.encoder = _network(chan, spec.hidden, _REPRESENTED)
        self.target = deepcopy(self.encoder).requires_grad_(requires_grad=False)
        self.predictor = _network(feat + spec.latents, spec.hidden, _REPRESENTED)
        for parameter in list(self.decoder.parameters())[-2:]:
            nn.init.zeros_(parameter)

    @classmethod
    def starting_at(
        cls,
        parts: Composition,
        spec: NetSpec,
        linear: LinearForward,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
    ) -> Self:
        """A net whose answer without z is a linear solution's; the global generator draws its layers.

        Args:
            parts: The composition.
            spec: Sizes.
            linear: The solution.
            X: Regressors of the training rows.
            Y: Their targets, all measured.
        """
        net = cls(parts, spec)
        tame = _REACH * np.tanh(X / _REACH)
        for buffer, value in (
            (net.weights, linear.weights),
            (net.bias, linear.bias),
            (net.scale, np.maximum((Y - linear.mean(X)).std(axis=0), 1e-4)),
            (net.centre, tame.mean(axis=0)),
            (net.axes, principal_axes(tame)),
            (net.change, np.maximum((Y - X[:, : spec.chan]).std(axis=0), 1e-4)),
        ):
            buffer.copy_(torch.from_numpy(value))
        return net

    def views(self, X: Float[Tensor, "batch feat"]) -> Float[Tensor, "batch feat"]:
        """The regressors along their principal axes, in single precision."""
        return ((_REACH * torch.tanh(X / _REACH) - self.centre) @ self.axes).float()

    def left(
        self, X: Float[Tensor, "batch feat"], Y: Float[Tensor, "batch chan"]
    ) -> Float[Tensor, "batch chan"]:
        """What the linear start leaves of the next sample, in units of ``scale``."""
        return ((Y - torch.addmm(self.bias, X, self.weights)) / self.scale).float()

    def infer(self, t: Transition) -> Squeezed:
        """Z of each transition, with its cost and codes."""
        chan, past = self.spec.chan, self.spec.lags * self.spec.chan
        now, known = t.X[:, :chan], torch.tanh(t.X[:, past:] / _REACH) * _REACH
        moved = (t.ahead - now) / self.change
        seen = {
            "window": lambda: [self.views(t.X), self.left(t.X, t.Y)],
            "difference": lambda: [moved, known],
        }.get(self.parts.sees, lambda: [now, moved, known, t.steps])()
        raw = self.idm(torch.cat([part.float() for part in seen], dim=1))
        squeezed: Squeezed = self.squeeze(raw)
        return squeezed

    def correction(
        self, X: Float[Tensor, "batch feat"], z: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, "batch chan"]:
        """What is added to the linear start, in units of ``scale``."""
        added: Tensor = self.decoder(torch.cat([self.views(X), z], dim=1)) + self.direct(z)
        return added

    def apply_latents(
        self, X: Float[Tensor, "batch feat"], z: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, "batch chan"]:
        """The next sample under these latents."""
        return torch.addmm(self.bias, X, self.weights) + self.scale * self.correction(X, z).double()


def _network(fan_in: int, hidden: int, fan_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(fan_in, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, fan_out)
    )
