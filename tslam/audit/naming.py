"""Which of the model's latents tell what a gap is about?"""

import numpy as np
from jaxtyping import Float, Int

from tslam.audit.finding import Claim

__all__ = ["telling_latents"]

MOST = 2
"""Latents that a gap names at most."""
_WORTH = 0.02
"""R² that a further latent has to add to be named."""
_LIVELY = 1.5
"""How much more than elsewhere a latent moves at the moves of a gap, to be named for them."""


def telling_latents(
    claim: Claim, rows: Int[np.ndarray, " n"], levels: Float[np.ndarray, "rows latent"]
) -> tuple[int, ...]:
    """Latents of the model that tell the level behind a claim, or move when it does; the best first.

    Args:
        claim: What was found.
        rows: Grid rows that ``claim.path`` runs along.
        levels: The model's latents on the grid rows, NaN where unknown.
    """
    if not levels.shape[1]:
        return ()
    # a path that was found beside other latents may tell the moves of what is hidden, and not its level
    told = () if claim.path is None else _by_level(claim.path, levels[rows])
    return told or _by_moves(np.array([first for first, _ in claim.windows], np.int64), levels)


def _by_level(path: Float[np.ndarray, " n"], levels: Float[np.ndarray, "n latent"]) -> tuple[int, ...]:
    """Forward selection by R²."""
    known = np.isfinite(levels).all(axis=1)
    if known.sum() < 3 * (MOST + 1):
        return ()
    z, Z = path[known] - path[known].mean(), levels[known] - levels[known].mean(axis=0)
    total = max(float(z @ z), 1e-30)
    chosen: list[int] = []
    reached = 0.0
    while len(chosen) < min(MOST, Z.shape[1]):
        tried = {k: _explains(Z[:, [*chosen, k]], z, total) for k in range(Z.shape[1]) if k not in chosen}
        best = max(tried, key=lambda k: tried[k])
        if tried[best] < reached + _WORTH:
            break
        chosen.append(best)
        reached = tried[best]
    return tuple(chosen)


def _explains(Z: Float[np.ndarray, "n some"], z: Float[np.ndarray, " n"], total: float) -> float:
    left = z - Z @ np.linalg.lstsq(Z, z, rcond=None)[0]
    return 1.0 - float(left @ left) / total


def _by_moves(moved: Int[np.ndarray, " move"], levels: Float[np.ndarray, "rows latent"]) -> tuple[int, ...]:
    """Latents that move at those rows and hardly elsewhere."""
    step = np.abs(np.diff(levels, axis=0, prepend=np.nan))
    if not moved.size or not np.isfinite(step[moved]).any():
        return ()
    near = np.unique(np.clip(moved[:, None] + np.arange(2), 0, len(step) - 1))
    ratio = np.nanmean(step[near], axis=0) / np.maximum(np.nanmean(step, axis=0), 1e-30)
    return tuple(int(k) for k in np.argsort(-ratio)[:MOST] if ratio[k] > _LIVELY)
