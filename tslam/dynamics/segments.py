"""Levels told by what stays between moves: a regression with an offset of its own for each segment.

    o_{t+1} = f(o_{≤t}, a, x) + d_s + e,   d_s = B u_s,   s the segment between two moves that t lies in

Where settled telemetry tells a held level by itself, a regression on history takes the level, and what it
leaves shows only moves. With a free offset per segment it cannot: only what varies within a segment tells how
the past acts, and the level is what the segments differ by. A segment too many costs a little accuracy, a
move that was missed costs the level, hence many segments to begin with and a low price for each.

Sources: the within (fixed effects) estimator of panel data, Mundlak, "On the pooling of time series and cross
section data", Econometrica 46(1), 1978; that it shortens memory in short segments, Nickell, "Biases in
dynamic models with fixed effects", Econometrica 49(6), 1981: such a model reads levels, another one predicts.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.dynamics.held_step import Problem, State
from tslam.kernels.levels import held_levels

__all__ = ["settle_on_segments"]

_BLOCK = 10
"""Rows of a segment to begin with: most of them see no move."""
_ROUNDS = 20
_PENALTY = 4.0
"""Nats that a further segment costs."""
_DIRECTIONS = 4
"""Directions that segments are told by: what else is held, or wanders, has to go somewhere."""
_CLEAR = 1.0
"""Variance of a level's effect, over that of the noise in one row, from which it is read."""
_SHORT = 3
"""Rows below which the offset of a segment says too little."""
_FAINT = 0.05
_HOLDS = 0.98
"""Persistence of what is read beside the levels; one that were fitted would follow outliers."""
_FLOOR = 1e-9


@dataclass(frozen=True, eq=False)
class _Offsets:
    """A regression beside offsets of segments, and the directions that these differ by."""

    W: Float[np.ndarray, "feat chan"]
    mean: Float[np.ndarray, " chan"]
    whiten: Float[np.ndarray, "chan chan"]
    """Cholesky factor of the noise."""
    power: Float[np.ndarray, " latent"]
    """Variance of the level's effect over that of the noise in one row, the largest first."""
    directions: Float[np.ndarray, "chan latent"]
    """Whitened, of unit length."""

    @property
    def loadings(self) -> Float[np.ndarray, "chan latent"]:
        """What a level of one standard deviation adds."""
        return np.asarray(self.whiten @ self.directions * np.sqrt(self.power))

    def measured(self, left: Float[np.ndarray, "n chan"]) -> Float[np.ndarray, "n latent"]:
        """Each level as every row alone tells it, with a variance of 1 / power."""
        white = np.linalg.solve(self.whiten, (left - self.mean).T).T
        return np.asarray(white @ self.directions / np.sqrt(self.power))


def settle_on_segments(problem: Problem, latents: int | None = None) -> State | None:
    """A regression that history cannot take levels from, and the latents whose levels segments differ by.

    In turn: regression beside a free offset for each segment; the directions in which offsets differ by more
    than noise explains; for each of them the likeliest segments. Only rows measured whole are learnt from.

    Args:
        problem: Data and the sums over it; its noise is taken to be full.
        latents: How many; None: those whose level says more in one row than its noise.

    Returns:
        None where segments do not differ clearly enough, or in fewer directions than asked for.

    Raises:
        numpy.linalg.LinAlgError: a step met a singular system.
    """
    whole = np.asarray(problem.seen.all(axis=1))
    rows = np.flatnonzero(whole)
    count = min(max(_DIRECTIONS, latents or 0), problem.Y.shape[1])
    if rows.size <= max(_SHORT * _BLOCK, problem.Y.shape[1]):
        return None
    moved = np.arange(len(whole)) % _BLOCK == 0
    for _ in range(_ROUNDS):
        found = _beside_offsets(problem, rows, np.cumsum(moved | problem.start)[rows], count)
        if not found.power.size:
            return None
        again = _moves(problem, found, whole)
        if np.array_equal(again, moved):
            break
        moved = again
    kept = int((found.power >= _CLEAR).sum()) if latents is None else latents
    if not 0 < kept <= found.power.size:
        return None
    W = np.vstack([found.W, found.mean])
    noise = found.whiten @ found.whiten.T
    return State(W, found.loadings[:, :kept], noise, np.full(kept, _HOLDS))


def _beside_offsets(
    problem: Problem, rows: Int[np.ndarray, " row"], segment: Int[np.ndarray, " row"], count: int
) -> _Offsets:
    """The regression within segments, and the leading directions between them."""
    F, Y = problem.F[rows, :-1], problem.zero[rows]
    first = np.flatnonzero(np.append(True, np.diff(segment) != 0))
    length = np.diff(np.append(first, len(rows)))
    sums, told = np.add.reduceat(F, first), np.add.reduceat(Y, first)
    gram = F.T @ F - sums.T @ (sums / length[:, None]) + np.diag(problem.penalty[:-1])
    W = np.linalg.solve(gram, F.T @ Y - sums.T @ (told / length[:, None]))
    left, offset = Y - F @ W, (told - sums @ W) / length[:, None]
    inner = left - np.repeat(offset, length, axis=0)
    noise = inner.T @ inner / max(len(rows) - len(length), len(rows) // 4)
    whiten = np.linalg.cholesky(noise + _FLOOR * np.eye(len(noise)))
    mean = left.mean(axis=0)
    white, weight = np.linalg.solve(whiten, (offset - mean).T).T, np.where(length >= _SHORT, length, 0)
    between = (white * weight[:, None]).T @ white - np.count_nonzero(weight) * np.eye(len(noise))
    power, directions = np.linalg.eigh(between / max(1, weight.sum()))
    order = np.argsort(-power)[:count]
    order = order[power[order] > _FAINT]
    return _Offsets(W, mean, whiten, power[order], directions[:, order])


def _moves(problem: Problem, found: _Offsets, whole: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """True where the likeliest levels of any direction change."""
    measured = found.measured(problem.zero - problem.F[:, :-1] @ found.W)
    moved = np.zeros(len(whole), bool)
    for w, power in zip(measured.T, found.power, strict=True):
        levels, _ = held_levels(np.ascontiguousarray(w), np.where(whole, power, 0.0), problem.start, _PENALTY)
        moved[1:] |= np.diff(levels) != 0
    return moved
