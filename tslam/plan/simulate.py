"""Many steps ahead, many origins at once: the forward model fed with its own predictions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from tslam.dynamics.forward import ForwardModel, LinearForward
from tslam.dynamics.lam import LAM
from tslam.dynamics.neural import NeuralForward
from tslam.panel.chain import Structure
from tslam.panel.panel import Feature, Panel

__all__ = ["Inputs", "Simulator", "before"]

_REACH = 50.0
"""Where a forecast is cut off, in standard deviations of its channel: an unstable model stays finite."""


def before(structure: Structure) -> int:
    """Rows of each input ahead of the origin that a first step sees."""
    return max(structure.input_lags, 1) - 1


@dataclass(frozen=True, eq=False)
class Inputs:
    """Logged actions and exogenous variables around each origin, in scaled units.

    Row ``before(structure)`` of the second axis is the origin; ``steps`` more follow.
    """

    actions: Float[Tensor, "n rows act"]
    exog: Float[Tensor, "n rows exog"]


@dataclass(frozen=True, eq=False)
class Simulator:
    """o_{t+1} = f(o_{≤t}, a, x) + B z_t, step after step."""

    step: Callable[[Tensor], Tensor]
    loadings: Float[Tensor, "chan latent"]
    structure: Structure
    early_actions: tuple[int, ...]
    early_exog: tuple[int, ...]

    @classmethod
    def of(cls, lam: LAM, structure: Structure, panel: Panel) -> Self:
        """The simulator of a fitted model, for panels of its contract."""
        chan = len(panel.channels)
        loadings = torch.zeros(chan, 0) if lam.inverse is None else torch.tensor(lam.inverse.B)
        return cls(
            _step(lam.forward),
            loadings.double(),
            structure,
            _early(panel.action_features, structure),
            _early(panel.exog_features, structure),
        )

    def run(
        self,
        history: Float[Tensor, "n lags chan"],
        inputs: Inputs,
        latents: Float[Tensor, "n steps latent"],
        extra: Float[Tensor, "n steps chan"] | None = None,
    ) -> Float[Tensor, "n steps chan"]:
        """Forecasts, one row per origin.

        Args:
            history: o_T, o_{T-1}, ..., scaled.
            inputs: What is known, or assumed, of inputs around T .. T + steps.
            latents: z of each step; its second axis says how many steps there are.
            extra: Added to each step's prediction (what the model left of the real one, in a replay).
        """
        out = []
        for h in range(latents.shape[1]):
            X = torch.cat([history.flatten(1), *self._inputs(inputs, h)], dim=1)
            ahead = self.step(X) + latents[:, h] @ self.loadings.T
            if extra is not None:
                ahead = ahead + extra[:, h]
            ahead = ahead.clamp(-_REACH, _REACH)
            out.append(ahead)
            history = torch.cat([ahead[:, None], history[:, :-1]], dim=1)
        return torch.stack(out, dim=1)

    def _inputs(self, inputs: Inputs, h: int) -> list[Tensor]:
        """Inputs of step h as the forward model saw them: the newest offset first."""
        now, parts = before(self.structure) + h, []
        for values, early in ((inputs.actions, self.early_actions), (inputs.exog, self.early_exog)):
            if early:
                parts.append(values[:, now + 1, list(early)])
            parts += [values[:, now - lag] for lag in range(self.structure.input_lags)]
        return parts


def _early(features: tuple[Feature, ...], structure: Structure) -> tuple[int, ...]:
    return tuple(i for i, feature in enumerate(features) if feature.column in structure.within)


def _step(forward: ForwardModel) -> Callable[[Tensor], Tensor]:
    """The mean of a forward model on tensors."""
    if isinstance(forward, LinearForward):
        weights, bias = torch.tensor(forward.weights), torch.tensor(forward.bias)
        return lambda X: torch.addmm(bias, X, weights)
    if isinstance(forward, NeuralForward):
        net = forward.net
        return lambda X: net(X.to(net.weights.device)).cpu()
    return lambda X: torch.from_numpy(forward.mean(X.numpy()))
