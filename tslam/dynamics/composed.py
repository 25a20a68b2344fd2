"""A composed network: an inverse model, a bottleneck, and a forward model that starts at the ridge answer."""

from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tslam.dynamics.bottleneck import Noisy, Squeezed, bottleneck
from tslam.dynamics.composition import Composition
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.neural import principal_axes

__all__ = ["ComposedNet", "NetSpec", "Transition"]

_REACH = 5.0
"""Where regressors saturate, in standard deviations."""
_SURE_OF_IT = -4.0
"""Logarithm of the variance at which a noisy z starts, where it starts at the closed form."""
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
    phi: Tensor

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
        first, rest = self.widths
        self.stage = 2
        self.squeeze = bottleneck(parts, first)
        self.idm = _network(seen, spec.hidden, int(getattr(self.squeeze, "width", first)))
        self.decoder = _network(feat + spec.latents, spec.hidden, chan)
        self.direct = nn.Linear(spec.latents, chan, bias=False)
        self.labels = nn.Linear(spec.latents, max(1, spec.labels))
        self.encoder = _network(chan, spec.hidden, _REPRESENTED)
        self.target = deepcopy(self.encoder).requires_grad_(requires_grad=False)
        self.predictor = _network(feat + spec.latents, spec.hidden, _REPRESENTED)
        for parameter in list(self.decoder.parameters())[-2:]:
            nn.init.zeros_(parameter)
        if parts.endogenous:
            self.register_buffer("phi", torch.eye(chan).double())
        if parts.closed:
            self.start = nn.Linear(chan, first, bias=False)
            for parameter in list(self.idm.parameters())[-2:]:
                nn.init.zeros_(parameter)
        if rest:
            self.squeeze_rest = bottleneck(parts, rest)
            self.idm_rest = _network(seen, spec.hidden, int(getattr(self.squeeze_rest, "width", rest)))

    @property
    def widths(self) -> tuple[int, int]:
        """Latents of the first stage and of the second."""
        rest = self.spec.latents // 2 if self.parts.staged else 0
        return self.spec.latents - rest, rest

    def begin(self, stage: int) -> None:
        """Learn the first half of z, or freeze it with its codes and learn the other half."""
        self.stage = stage
        if stage == 2 and self.widths[1]:
            for part in (self.idm, self.squeeze, self.labels):
                part.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> Self:
        """Frozen codes stay as they are in training too."""
        super().train(mode)
        if self.widths[1] and self.stage == 2:
            self.squeeze.eval()
        return self

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
            (net.scale, np.maximum(_units(parts, (Y - linear.mean(X)).std(axis=0)), 1e-4)),
            (net.centre, tame.mean(axis=0)),
            (net.axes, principal_axes(tame)),
            (net.change, np.maximum((Y - X[:, : spec.chan]).std(axis=0), 1e-4)),
        ):
            buffer.copy_(torch.from_numpy(value))
        if parts.closed:
            net._close(net.left(torch.from_numpy(X), torch.from_numpy(Y)))
        return net

    @torch.no_grad()
    def _close(self, left: Float[Tensor, "n chan"]) -> None:
        """Read the largest directions of what the linear start leaves, and apply them as they were read.

        Source: Zhang et al., arXiv 2506.15691, proposition 4.2.
        """
        values, vectors = torch.linalg.eigh(left.T @ left / len(left))
        size, first = values[-1].clamp(min=1e-12).sqrt(), self.widths[0]
        top = vectors.flip(1)[:, :first]
        self.start.weight.copy_(top.T / size)
        list(self.idm.parameters())[-1][first:] = _SURE_OF_IT
        self.direct.weight[:, :first] = top * size

    def views(self, X: Float[Tensor, "batch feat"]) -> Float[Tensor, "batch feat"]:
        """The regressors along their principal axes, in single precision."""
        return ((_REACH * torch.tanh(X / _REACH) - self.centre) @ self.axes).float()

    def left(
        self, X: Float[Tensor, "batch feat"], Y: Float[Tensor, "batch chan"]
    ) -> Float[Tensor, "batch chan"]:
        """What the linear start leaves of the next sample, in units of ``scale``."""
        return ((Y - torch.addmm(self.bias, X, self.weights)) / self.scale).float()

    def within(
        self, values: Float[Tensor, "batch chan"], unit: Float[Tensor, " chan"]
    ) -> Float[Tensor, "batch chan"]:
        """What of samples in some unit the endogenous representation keeps; all, where there is none."""
        if not self.parts.endogenous:
            return values
        return (((values * unit) @ self.phi) / unit).to(values.dtype)

    def infer(self, t: Transition) -> Squeezed:
        """Z of each transition, with its cost and codes."""
        sees = self._seen(t)
        first: Squeezed = self.squeeze(self._raw(t, sees))
        rest = self.widths[1]
        if not rest:
            return first
        if self.stage == 1:
            return first._replace(z=nn.functional.pad(first.z, (0, rest)))
        second: Squeezed = self.squeeze_rest(self.idm_rest(sees))
        codes = None
        if first.codes is not None and second.codes is not None:
            codes = torch.cat([first.codes, second.codes], dim=1)
        return Squeezed(torch.cat([first.z, second.z], dim=1), second.cost, codes)

    def posterior(self, t: Transition) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Mean and logarithm of the variance of a noisy z."""
        assert isinstance(self.squeeze, Noisy)
        return self.squeeze.split(self._raw(t, self._seen(t)))

    def _raw(self, t: Transition, sees: Float[Tensor, "batch seen"]) -> Float[Tensor, "batch width"]:
        """What the bottleneck is given: the network's answer, and the closed form where it starts there."""
        raw: Tensor = self.idm(sees)
        if not self.parts.closed:
            return raw
        read = self.start(self.within(self.left(t.X, t.Y), self.scale))
        return raw + nn.functional.pad(read, (0, raw.shape[1] - read.shape[1]))

    def _seen(self, t: Transition) -> Float[Tensor, "batch seen"]:
        """What the inverse model sees of a transition."""
        chan, past = self.spec.chan, self.spec.lags * self.spec.chan
        now, known = t.X[:, :chan], torch.tanh(t.X[:, past:] / _REACH) * _REACH
        moved = self.within((t.ahead - now) / self.change, self.change)
        now = self.within(now, torch.ones_like(self.change))
        seen = {
            "window": lambda: [self.views(t.X), self.within(self.left(t.X, t.Y), self.scale)],
            "difference": lambda: [moved, known],
        }.get(self.parts.sees, lambda: [now, moved, known, t.steps])()
        return torch.cat([part.float() for part in seen], dim=1)

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


def _units(parts: Composition, left: Float[np.ndarray, " chan"]) -> Float[np.ndarray, " chan"]:
    """In what the misses of each channel are counted: what is left of it, or of those it is held against."""
    power = np.square(left)
    if parts.symmetries:
        power = power[np.array(parts.symmetries)].mean(axis=0)
    if parts.one_unit:
        power = np.full_like(power, power.mean())
    return np.asarray(np.sqrt(power))


def _network(fan_in: int, hidden: int, fan_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(fan_in, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, fan_out)
    )
