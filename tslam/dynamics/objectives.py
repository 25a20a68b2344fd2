"""What a composed network is trained for."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tslam.dynamics.composed import ComposedNet, Transition
from tslam.dynamics.composition import Augmented

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
    inferred, given = (_elsewhere(net, t, parts.augmented), _elsewhere(net, t)) if net.training else (t, t)
    z, cost, _ = net.infer(inferred)
    left = net.left(given.X, given.Y)
    miss = _miss(net, left - net.correction(given.X, z)).mean(dim=1)
    across = torch.zeros_like(miss)
    if parts.paired and partner is not None:
        other = net.left(partner.X, partner.Y) - net.correction(partner.X, z)
        across = _miss(net, other).mean(dim=1)
        share = parts.swap * partner.weight
        miss = (1 - share) * miss + share * across
    loss = miss.mean() + cost
    if parts.represented:
        said = net.predictor(torch.cat([net.views(given.X), z], dim=1))
        loss = loss + (said - net.target(left).detach()).square().mean()
        loss = loss + (net.encoder(left) - net.target(left).detach()).square().mean()
    if parts.actions and labels is not None and not (net.widths[1] and net.stage == 2):
        away = (net.labels(z) - labels.values).square() * labels.seen
        loss = loss + parts.actions * away.sum() / labels.seen.sum().clamp(min=1)
    if parts.replicas and partner is not None:
        loss = loss + (across * partner.weight).sum() / partner.weight.sum().clamp(min=1)
    if parts.consistency:
        loss = loss + parts.consistency * _read_again(net, given, z)
    return loss


@torch.no_grad()
def follow(net: ComposedNet) -> None:
    """Move the target of the representation a little towards the encoder."""
    for mean, now in zip(net.target.parameters(), net.encoder.parameters(), strict=True):
        mean.lerp_(now, 1 - _FOLLOW)


def _miss(net: ComposedNet, error: Float[Tensor, "batch chan"]) -> Float[Tensor, "batch chan"]:
    error = net.within(error, net.scale)
    return error.abs() if net.parts.loss == "l1" else error.square()


def _read_again(net: ComposedNet, t: Transition, z: Float[Tensor, "batch latent"]) -> Float[Tensor, ""]:
    """How far z is from what is read where it was applied in another place, in units of its own variance."""
    X = t.X[torch.randperm(len(t.X)).to(t.X.device)]
    after = net.apply_latents(X, z)
    training = net.training
    net.eval()  # reading again is no new sample for codebooks, and has no noise of its own
    again = net.infer(Transition(X, after, after, torch.full_like(t.steps, 1 / net.parts.horizon))).z
    net.train(training)
    return (again - z).square().mean() / z.var(dim=0).mean().clamp(min=1e-6)


def _elsewhere(net: ComposedNet, t: Transition, how: Augmented = "shared") -> Transition:
    """A transition shifted, and in another order; what z says of the one must hold in the other."""
    return _reordered(net, _shifted(net, t, how))


def _shifted(net: ComposedNet, t: Transition, how: Augmented = "shared") -> Transition:
    """A shift on the samples of a transition.

    Shared by all of them it changes nothing, and z must not tell of it (proposition 4.3). Where each sample
    has its own, z must not tell of what is no larger than these shifts.
    """
    if not net.parts.augmentation:
        return t
    chan, lags = net.spec.chan, net.spec.lags
    size = net.parts.augmentation * net.scale
    if how == "shared":
        shift = size * torch.randn_like(t.Y)
        shifts = shift.repeat(1, lags + 2)
    else:
        shifts = size.repeat(lags + 2) * t.Y.new_empty(len(t.Y), (lags + 2) * chan).normal_()
    past, now, ahead = torch.split(shifts, [lags * chan, chan, chan], dim=1)
    tiled = nn.functional.pad(past, (0, t.X.shape[1] - lags * chan))
    return Transition(t.X + tiled, t.Y + now, t.ahead + ahead, t.steps)


def _reordered(net: ComposedNet, t: Transition) -> Transition:
    """All samples of a transition in one of the orders in which the system is the same, drawn for each.

    Logged inputs and labels stay as they are.
    """
    if not net.parts.symmetries:
        return t
    chan, lags = net.spec.chan, net.spec.lags
    orders = torch.tensor(net.parts.symmetries, device=t.X.device)
    order = orders[torch.randint(len(orders), (len(t.X),)).to(t.X.device)]
    past = torch.cat([order + lag * chan for lag in range(lags)], dim=1)
    X = torch.cat([t.X.gather(1, past), t.X[:, lags * chan :]], dim=1)
    return Transition(X, t.Y.gather(1, order), t.ahead.gather(1, order), t.steps)
