"""Held latents found without a label: where the record alone says that something was held, and jumped.

Expectation-maximisation goes to the nearest top, and there are several. So it starts from every latent that
was read in another way, and keeps what it arrives at, with how likely that makes the record. Where one action
is missing from the log, the likeliest of them is nearly always that action, but for its scale.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tslam.align.jumping import Jumping, fit_jumping
from tslam.dynamics.lam import LAM
from tslam.errors import TrainingError
from tslam.panel.chain import Chain

__all__ = ["Held", "find_held"]

_MOST = 7
"""Latents that are started from."""
_SAME = 0.995
"""Correlation from which two paths are one."""
_STILL = 1e-6


@dataclass(frozen=True, eq=False)
class Held:
    """A held latent, its path of variance one over the record that it was found in."""

    model: Jumping
    behind: float
    """Nats by which it makes the record less likely than the likeliest does."""


def find_held(
    lean: LAM, c: Chain, rows: Bool[np.ndarray, " n"], starts: Float[np.ndarray, "n start"]
) -> tuple[Held, ...]:
    """Held latents of a record, the likeliest first.

    Args:
        lean: The lean model.
        c: Its transitions.
        rows: Transitions that may be learnt from.
        starts: Latents as they were read in other ways, the most promising first.
    """
    found: list[tuple[float, Jumping, Float[np.ndarray, " n"]]] = []
    for guess in starts.T[:_MOST]:
        if guess[rows].std() < _STILL:
            continue
        try:
            model, loglik = fit_jumping(lean, c, rows, guess)
        except TrainingError:
            continue  # the other guesses stand, and where there is none, the ridge
        path = model.path(c)
        if path[rows].std() > _STILL:
            found.append((loglik, *model.scaled(path, rows)))
    found.sort(key=lambda one: -one[0])
    kept: list[tuple[float, Jumping, Float[np.ndarray, " n"]]] = []
    for one in found:
        if all(abs(np.corrcoef(one[2][rows], other[2][rows])[0, 1]) < _SAME for other in kept):
            kept.append(one)
    return tuple(Held(model, (kept[0][0] - loglik) * int(rows.sum())) for loglik, model, _ in kept)
