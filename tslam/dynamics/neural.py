"""The neural forward model: a linear skip that starts at the ridge answer, an MLP that starts at zero."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tslam.dynamics.forward import LinearForward
from tslam.errors import ArtifactError

__all__ = ["ForwardNet", "ForwardSpec", "NeuralForward", "principal_axes"]

_REACH = 5.0
"""Where regressors saturate, in standard deviations: beyond it nothing bends and the linear part decides."""
_EVEN = 0.3
"""How far the views are brought to even size: what is added to each variance, as a share of the largest."""
_FLOOR = 1e-4
"""Smallest unit of the correction, as a share of a channel's standard deviation; float32 sees no less."""
_LOG_2PI = math.log(2 * math.pi)
_CHUNK = 65_536
"""Rows predicted at once: bounds memory, changes nothing."""


@dataclass(frozen=True)
class ForwardSpec:
    """Sizes of a neural forward model: regressors, channels, width of both hidden layers."""

    feat: int
    chan: int
    hidden: int


class ForwardNet(nn.Module):
    """o_{t+1} = X W + b + scale * (V T + MLP(V)) + noise, Gaussian, one variance per channel.

    ``W`` and ``b`` are a linear solution and stay as they are, in double precision. What is learned, the
    tilt ``T``, the MLP and the log-variances, is in units of ``scale``, what the linear solution leaves of
    each channel, and starts at zero: the start is the linear model. The views ``V = (5 tanh(X / 5) - c) P``
    turn the regressors to their principal axes, mildly evened: neighbouring lags are nearly the same, and
    only along these axes do their differences, which carry the dynamics, stand on their own.

    The two hidden layers are plain SiLU layers. Layer normalisation would forget how large the regressors
    are; on noisy plants that cost more held-out likelihood than it gained elsewhere.
    """

    weights: Tensor
    bias: Tensor
    scale: Tensor
    centre: Tensor
    axes: Tensor

    def __init__(self, spec: ForwardSpec) -> None:
        super().__init__()
        self.spec = spec
        feat, chan, hidden = spec.feat, spec.chan, spec.hidden
        self.register_buffer("weights", torch.zeros(feat, chan, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(chan, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(chan, dtype=torch.float64))
        self.register_buffer("centre", torch.zeros(feat, dtype=torch.float64))
        self.register_buffer("axes", torch.eye(feat, dtype=torch.float64))
        self.tilt = nn.Parameter(torch.zeros(feat, chan))
        self.first = _blank(feat, hidden)
        self.second = _blank(hidden, hidden)
        self.last = _blank(hidden, chan)
        self.log_var = nn.Parameter(torch.zeros(chan))

    @classmethod
    def starting_at(
        cls,
        linear: LinearForward,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
        hidden: int,
        generator: torch.Generator,
    ) -> Self:
        """A net whose answer is a linear solution's.

        Args:
            linear: The solution.
            X: Regressors of the training rows: they say which way the views are turned.
            Y: Their targets; NaN where not measured. What the solution leaves of them is the ``scale``.
            hidden: Width of both hidden layers.
            generator: Draws the hidden layers (uniform, ±1/√fan-in).
        """
        feat, chan = linear.weights.shape
        net = cls(ForwardSpec(feat, chan, hidden))
        tame = _REACH * np.tanh(X / _REACH)
        for buffer, value in (
            (net.weights, linear.weights),
            (net.bias, linear.bias),
            (net.scale, _unit(Y - linear.mean(X))),
            (net.centre, tame.mean(axis=0)),
            (net.axes, principal_axes(tame)),
        ):
            buffer.copy_(torch.from_numpy(value))
        for layer in (net.first, net.second):
            bound = 1 / math.sqrt(max(1, layer.in_features))
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
        return net

    @classmethod
    def from_state(cls, spec: ForwardSpec, arrays: Mapping[str, np.ndarray]) -> Self:
        """The net that ``state`` was taken from.

        Raises:
            ArtifactError: an array is missing, unknown or of another shape.
        """
        net = cls(spec)
        own = net.state_dict()
        wanted = {name: tuple(tensor.shape) for name, tensor in own.items()}
        found = {name: np.shape(array) for name, array in arrays.items()}
        if wanted != found:
            wrong = sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))
            raise ArtifactError(
                f"Arrays {wrong} do not fit a neural forward model of {spec.feat} regressors, {spec.chan} "
                f"channels and width {spec.hidden}. Save the model again."
            )
        net.load_state_dict({n: torch.from_numpy(np.array(a)).to(own[n].dtype) for n, a in arrays.items()})
        return net

    def state(self) -> dict[str, np.ndarray]:
        """Every weight as an array, for safetensors."""
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.state_dict().items()}

    def views(self, X: Float[Tensor, "batch feat"]) -> Float[Tensor, "batch feat"]:
        """The regressors as the learned part sees them, in single precision; X in double precision."""
        return ((_REACH * torch.tanh(X / _REACH) - self.centre) @ self.axes).float()

    def correction(self, V: Float[Tensor, "batch feat"]) -> Float[Tensor, "batch chan"]:
        """What is added to the linear answer, in units of ``scale``, from ``views``."""
        hidden = nn.functional.silu(self.second(nn.functional.silu(self.first(V))))
        return torch.addmm(self.last(hidden), V, self.tilt)

    def forward(self, X: Float[Tensor, "batch feat"]) -> Float[Tensor, "batch chan"]:
        """Mean of o_{t+1}; X in double precision, scaled units."""
        return torch.addmm(self.bias, X, self.weights) + self.scale * self.correction(self.views(X))

    def nll(
        self,
        V: Float[Tensor, "batch feat"],
        left: Float[Tensor, "batch chan"],
        seen: Float[Tensor, "batch chan"],
    ) -> Float[Tensor, ""]:
        """Gaussian negative log-likelihood, nats per measured value.

        Args:
            V: From ``views``.
            left: What the linear solution leaves of the targets, in units of ``scale``; 0 where not measured.
            seen: 1 where the target was measured, else 0.
        """
        miss = left - self.correction(V)
        each = self.log_var + miss.square() * torch.exp(-self.log_var)
        each = 0.5 * (each + _LOG_2PI) + self.scale.log().float()
        return (each * seen).sum() / seen.sum().clamp(min=1)


@dataclass(frozen=True, eq=False)
class NeuralForward:
    """A trained net as a forward model: arrays in, arrays out."""

    net: ForwardNet

    def mean(self, X: Float[np.ndarray, "n feat"]) -> Float[np.ndarray, "n chan"]:
        """Predicted o_{t+1}, in scaled units, one row per transition."""
        out = np.empty((len(X), self.net.spec.chan))
        device = self.net.weights.device
        with torch.inference_mode():
            for at in range(0, len(X), _CHUNK):
                rows = torch.tensor(X[at : at + _CHUNK], dtype=torch.float64, device=device)
                out[at : at + _CHUNK] = self.net(rows).cpu().numpy()
        return out

    @property
    def variance(self) -> Float[np.ndarray, " chan"]:
        """Learned noise variance of each channel, scaled units."""
        variance = torch.exp(self.net.log_var.detach().double()) * self.net.scale.square()
        return np.asarray(variance.cpu().numpy())

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Sizes (for JSON) and weights (for safetensors)."""
        return asdict(self.net.spec), self.net.state()

    @classmethod
    def from_state(
        cls, spec: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, device: torch.device | str = "cpu"
    ) -> Self:
        """The model that ``to_state`` described.

        Raises:
            ArtifactError: sizes and weights do not fit together.
        """
        return cls(ForwardNet.from_state(ForwardSpec(**spec), arrays).to(device))


def _unit(left: Float[np.ndarray, "n chan"]) -> Float[np.ndarray, " chan"]:
    """Root mean square of each channel; 1 where nothing was measured."""
    seen = np.isfinite(left)
    count = seen.sum(axis=0)
    mean = np.square(np.where(seen, left, 0.0)).sum(axis=0) / np.maximum(count, 1)
    return np.where(count > 0, np.maximum(np.sqrt(mean), _FLOOR), 1.0)


def principal_axes(X: Float[np.ndarray, "n feat"]) -> Float[np.ndarray, "feat feat"]:
    """Principal axes, each divided by the root of its variance plus a share of the largest."""
    away = X - X.mean(axis=0)
    values, vectors = np.linalg.eigh(away.T @ away / len(X))
    largest = max(float(values[-1]), np.finfo(np.float64).tiny)
    return np.asarray(vectors / np.sqrt(np.maximum(values, 0.0) + _EVEN * largest))


def _blank(fan_in: int, fan_out: int) -> nn.Linear:
    """A layer of zeros; the library's own start would draw from the global generator."""
    layer = nn.Linear(fan_in, fan_out, device="meta").to_empty(device="cpu")
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
