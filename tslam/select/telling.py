"""Who reads the latents: where levels are clear, a regression whose history cannot take them."""

from dataclasses import replace

import numpy as np

from tslam.config import FitConfig
from tslam.dynamics.forward import LinearForward, onto_persistence
from tslam.dynamics.held_step import Problem
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM
from tslam.dynamics.products import ProductForward, widened
from tslam.dynamics.segments import settle_on_segments
from tslam.select.candidates import PRODUCT_RIDGE, Candidate, Data

__all__ = ["with_reader"]


def with_reader(candidate: Candidate, data: Data, config: FitConfig) -> Candidate:
    """The candidate, its latents read by a model that was settled on segments; as it is where none is clear.

    Predictions stay those of the candidate: history that has taken a level predicts as well as one that has
    not, so that no held-out score tells the two apart.

    Args:
        candidate: Held latents beside a regression, on products of signals or without.
        data: What it was fitted on.
        config: Ridge, and how many latents where that was asked for.
    """
    c, lam = data.chain, candidate.lam
    wide = lam.forward if isinstance(lam.forward, ProductForward) else None
    F = c.X if wide is None else widened(c.X, wide.products, wide.current)
    more = F.shape[1] - c.X.shape[1]
    penalty = np.append(np.full(c.X.shape[1], config.penalty), np.full(more, PRODUCT_RIDGE))
    problem = Problem(F, c.Y - F[:, : c.Y.shape[1]], data.train, c.start, penalty, "full")
    try:
        state = settle_on_segments(problem, config.latents)
    except np.linalg.LinAlgError:
        return candidate  # equal channels: the candidate's own latents, whose noise is diagonal, stand them
    if state is None:
        return candidate
    linear = onto_persistence(LinearForward(state.W[:-1], state.W[-1]))
    forward = linear if wide is None else ProductForward(wide.products, wide.current, linear)
    inverse = HeldInverse(state.B, state.R, state.phi)
    reader = LAM("held", forward, inverse, lam.baseline, lam.baseline_cov)
    return replace(candidate, lam=replace(lam, told=reader))
