"""Held latents that jump: rare and large moves are taken for what they are, and holding costs nothing.

Under Gaussian steps a latent that jumps and holds is as likely as one that wanders a little at every step,
so that a regression may leave wandering to z or take the level from it at will; with few moves in a record it
does. Under heavy-tailed steps only a path that holds is likely, and the regression has to leave it the level.

Source: EM for Student noise by scale mixtures, Lange, Little and Taylor, "Robust statistical modeling using
the t distribution", JASA 84(408), 1989; here on the steps of z, its path and its scales in turn.
"""

import numpy as np
from jaxtyping import Float

from tslam.dynamics.held_step import Problem, State
from tslam.dynamics.inverse import HeldInverse, LatentPath, stationary

__all__ = ["settle_on_jumps"]

_DEGREES = 4.0
"""Degrees of freedom of the steps of z: fewer take small steps for jumps, more give the Gaussian back."""
_HOLDS = 0.998
"""Persistence while the regression settles: what ends a level is a jump, not decay."""
_FIRST_STEP, _FIRST_SCALE = 0.05, 1e-3
"""First guesses of the variance of a step, and of its scale; z has variance 1."""
_ROUNDS = 60
_READ_ROUNDS = 15
_START = 0.98


def settle_on_jumps(problem: Problem, state: State, rounds: int = _ROUNDS) -> State:
    """Go on from a Gaussian fit under heavy-tailed steps of z; then find the φ that it is read with.

    Args:
        problem: Data and the sums over it.
        state: Where to start.
        rounds: EM steps under heavy tails.

    Raises:
        numpy.linalg.LinAlgError: a step met a singular system.
    """
    now = np.flatnonzero(~problem.start)
    count = state.B.shape[1]
    phi = np.full(count, _HOLDS)
    scale, spread = np.full(count, _FIRST_SCALE), np.full((len(problem.F), count), _FIRST_STEP)
    W, B, R = state.W, state.B, state.R
    for _ in range(rounds):
        spread[problem.start] = 1.0 - phi**2
        path = HeldInverse(B, R, phi).path(problem.left(W), problem.start, spread=spread)
        W, B = problem.regress(path)
        R = problem.noise_left(W, B, path)
        step = _squared_steps(path, phi, now)
        scale = np.maximum((step / (_DEGREES + step / scale)).mean(axis=0) * (_DEGREES + 1.0), 1e-8)
        size = np.mean(path.mean**2 + np.einsum("tii->ti", path.cov), axis=0)
        B, scale = B * np.sqrt(size), scale / size
        spread[now] = (_DEGREES * scale + step / size) / (_DEGREES + 1.0)
    return _read(problem, State(W, B, R, phi))


def _squared_steps(
    path: LatentPath, phi: Float[np.ndarray, " latent"], now: np.ndarray
) -> Float[np.ndarray, "step latent"]:
    """Expected square of z_t - φ z_{t-1}."""
    var, lagged = np.einsum("tii->ti", path.cov), np.einsum("tii->ti", path.lagged)
    step = (path.mean[now] - phi * path.mean[now - 1]) ** 2
    step += var[now] + phi**2 * var[now - 1] - 2.0 * phi * lagged[now]
    return np.asarray(np.maximum(step, 1e-12))


def _read(problem: Problem, state: State) -> State:
    """The same regression, with the φ and the size of z that make Gaussian steps likeliest."""
    left = problem.left(state.W)
    B, phi = state.B, np.full(state.B.shape[1], _START)
    for _ in range(_READ_ROUNDS):
        phi, sd = stationary(HeldInverse(B, state.R, phi).path(left, problem.start), problem.start)
        B = B * sd
    return State(state.W, B, state.R, phi)
