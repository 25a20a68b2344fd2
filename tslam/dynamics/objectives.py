"""What a composed network is trained for."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tslam.dynamics.composed import ComposedNet, Transition

__all__ = ["Labels", "Partner", "follow", "objective"]

_FOLLOW = 0.99
"""Decay of the running mean that a representation is predicted in."""


class Labels(NamedTuple):
    """Logged actions, 0 where not measured, and where they were."""

    values: Float[Tensor, "batch act"]
    seen: Float[Tensor, "batch act"]


class Partner(NamedTuple):
    """Another series at the same time: its regressors and next sample; ``weight`` 0 where there is none."""

    X: Float[Tensor, "batch feat"]
    Y: Float[Tensor, "batch chan"]
    weight: Float[Tensor, " batch"]


def objective(
    net: ComposedNet, t: Transition, labels: Labels | None = None, partner: Partner | None = None
) -> Float[Tensor, ""]:
    """Loss of a batch: reconstruction, bottleneck, and what else the composition asks for.

    Losses are means over channels in units of what the ridge start leaves, so that an action head of weight
    1 is one of d_o / d_a in sum-of-squares units (Zhang et al., arXiv 2506.15691).

    Args:
        net: The network.
        t: Transitions.
        labels: Logged actions, for the action head.
        partner: The same times in another series, for replicas.
    """
    parts = net.parts
    inferred, given = (_shifted(net, t), _shifted(net, t)) if net.training else (t, t)
    z, cost, _ = net.infer(inferred)
    left = net.left(given.X, given.Y)
    miss = _miss(net, left - net.correction(given.X, z))
    loss = miss.mean() + cost
    if parts.represented:
        said = net.predictor(torch.cat([net.views(given.X), z], dim=1))
        loss = loss + (said - net.target(left).detach()).square().mean()
        loss = loss + (net.encoder(left) - net.target(left).detach()).square().mean()
    if parts.actions and labels is not None:
        away = (net.labels(z) - labels.values).square() * labels.seen
        loss = loss + parts.actions * away.sum() / labels.seen.sum().clamp(min=1)
    if parts.replicas and partner is not None:
        other = net.left(partner.X, partner.Y) - net.correction(partner.X, z)
        each = _miss(net, other).mean(dim=1) * partner.weight
        loss = loss + each.sum() / partner.weight.sum().clamp(min=1)
    return loss


@torch.no_grad()
def follow(net: ComposedNet) -> None:
    """Move the target of the representation a little towards the encoder."""
    for mean, now in zip(net.target.parameters(), net.encoder.parameters(), strict=True):
        mean.lerp_(now, 1 - _FOLLOW)


def _miss(net: ComposedNet, error: Float[Tensor, "batch chan"]) -> Float[Tensor, "batch chan"]:
    return error.abs() if net.parts.loss == "l1" else error.square()


def _shifted(net: ComposedNet, t: Transition) -> Transition:
    """The same shift on all samples of a transition: nothing changed because of it (proposition 4.3)."""
    if not net.parts.augmentation:
        return t
    shift = net.parts.augmentation * net.scale * torch.randn_like(t.Y)
    past = net.spec.lags * net.spec.chan
    tiled = nn.functional.pad(shift.repeat(1, net.spec.lags), (0, t.X.shape[1] - past))
    return Transition(t.X + tiled, t.Y + shift, t.ahead + shift, t.steps)
