"""Search for the sequence of actions that costs least: batched in torch, no gradient needed.

Sources: cross-entropy method, Rubinstein and Kroese, "The Cross-Entropy Method", 2004, with sizes as in
Garrido et al., arXiv 2601.05230, and more elites for longer plans; MPPI, Williams et al., "Information
theoretic MPC for model-based reinforcement learning", ICRA 2017.
"""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Method", "search"]

Method = Literal["cem", "mppi"]

_SAMPLES, _ELITES, _ROUNDS = 300, 30, 20
_SPREAD, _LEAST = 0.3, 0.01
"""First and least spread of a choice, in units of the range."""
_KEEP = 0.1
"""Share of the last mean and spread that a round of CEM keeps."""
_HEAT = 0.1
"""Temperature of MPPI, as a share of the spread of costs."""

_Costs = Callable[[Float[Tensor, "n choice"]], Float[Tensor, " n"]]


def search(
    costs: _Costs, start: Float[Tensor, " choice"], method: Method, generator: torch.Generator
) -> tuple[Float[Tensor, " choice"], float]:
    """The best choice found, and its cost.

    Args:
        costs: Cost of each row of choices, in units of the range.
        start: First mean; it is itself among the candidates.
        method: How samples move the mean.
        generator: Of the samples.
    """
    mean, spread = start.clone(), torch.full_like(start, _SPREAD)
    best, least = start.clone(), float(costs(start[None])[0])
    for _ in range(_ROUNDS):
        noise = torch.randn((_SAMPLES, start.numel()), generator=generator, dtype=start.dtype)
        drawn = (mean + spread * noise).clamp(0.0, 1.0)
        drawn[0], drawn[1] = mean, best
        found = torch.nan_to_num(costs(drawn), nan=torch.inf)
        at = int(found.argmin())
        if float(found[at]) < least:
            best, least = drawn[at].clone(), float(found[at])
        if method == "cem":
            elite = drawn[found.argsort()[:_ELITES]]
            mean = _KEEP * mean + (1 - _KEEP) * elite.mean(0)
            spread = (_KEEP * spread + (1 - _KEEP) * elite.std(0)).clamp(min=_LEAST)
        else:
            finite = found[torch.isfinite(found)]
            heat = _HEAT * float(finite.std()) + 1e-12
            weight = torch.softmax(-(found - found.min()) / heat, dim=0)
            mean = weight @ drawn
            spread = (0.9 * spread).clamp(min=_LEAST)
    return best, least
