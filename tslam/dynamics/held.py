"""Held latents by expectation-maximisation: level and moves of an action that nobody logged.

The regression of o_{t+1} on what is known and the path of z are fitted jointly. A forward model fitted
first would absorb the held level into history, and leave only the moves.

Source: Shumway and Stoffer, "An approach to time series smoothing and forecasting using the EM
algorithm", Journal of Time Series Analysis 3(4), 1982. Accelerated, because plain EM crawls where
noise is small (:mod:`tslam.dynamics.squarem`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from tslam.dynamics.forward import LinearForward
from tslam.dynamics.held_step import Noise, Problem, State
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.jumping import settle_on_jumps
from tslam.dynamics.squarem import accelerate
from tslam.errors import TrainingError

__all__ = ["STARTS", "HeldFit", "Noise", "fit_held", "fit_held_from"]

STARTS = (0.98, 0.5, 0.05)
"""First guesses of φ: EM keeps near its start, so each is tried and the likeliest kept."""
_SETTLED = 10.0
"""φ is freed once a round gains less than this many times the tolerance."""


@dataclass(frozen=True, eq=False)
class HeldFit:
    """A forward regression and the latents that go with it."""

    forward: LinearForward
    inverse: HeldInverse
    loglik: float
    """Nats per transition of the training rows, less the ridge penalty."""
    history: tuple[float, ...]
    """The same after each round of iterations; it falls at most in the last one, under moves that jump."""


def fit_held(
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    train: Bool[np.ndarray, " n"],
    start: Bool[np.ndarray, " n"],
    *,
    latents: int = 1,
    ridge: float | Float[np.ndarray, " feat"] = 1e-3,
    iterations: int = 200,
    tolerance: float = 1e-6,
    noise: Noise = "full",
    starts: Sequence[float] = STARTS,
    jumps: bool = False,
) -> HeldFit:
    """Fit regression, latents and their persistence jointly; keep the likeliest of several starts.

    φ stays at its first guess until regression and loadings have settled around it, and is found
    then. Freed at once it follows a regression that has absorbed the held level, and sticks low.

    Args:
        X: Regressors of consecutive transitions, about unit variance.
        Y: o_{t+1}, scaled; NaN where not measured.
        train: Transitions to learn from; the others leave the latent path free.
        start: True where a segment begins.
        latents: Number of latents.
        ridge: Penalty per row on the regression, one number or one per regressor.
        iterations: Most EM steps from each start.
        tolerance: Stop when an accelerated step gains less, in nats per transition.
        noise: Covariance of e; ``full`` needs every channel measured together, in more than twice as many
            rows as there are channels, and falls back to ``diagonal`` where that is not so.
        starts: First guesses of φ.
        jumps: Let the regression settle under moves of z that are rare and large
            (:mod:`tslam.dynamics.jumping`); likelier under that than under ``loglik``, which is Gaussian.

    Raises:
        TrainingError: no start led to finite numbers.
    """
    seen = np.isfinite(Y[train])
    together = bool((seen.all(axis=1) | ~seen.any(axis=1)).all()) and seen[:, 0].sum() > 2 * Y.shape[1]
    try:
        problem = Problem(X, Y, train, start, ridge, noise if together else "diagonal")
    except np.linalg.LinAlgError as error:
        raise _nowhere(latents) from error
    best: tuple[State, list[float]] | None = None
    for phi in starts:
        try:
            state, history = _climb(problem, problem.first(latents, phi), iterations, tolerance)
        except np.linalg.LinAlgError:
            continue  # this start met a singular covariance; the others may not, and none is an error below
        if np.isfinite(history[-1]) and (best is None or history[-1] > best[1][-1]):
            best = (state, history)
    if best is None:
        raise _nowhere(latents)
    s, history = best
    return _found(problem, s, history, jumps=jumps)


def fit_held_from(
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    train: Bool[np.ndarray, " n"],
    start: Bool[np.ndarray, " n"],
    *,
    forward: LinearForward,
    inverse: HeldInverse,
    ridge: float | Float[np.ndarray, " feat"],
    iterations: int = 60,
    tolerance: float = 1e-5,
    jumps: bool = False,
) -> HeldFit:
    """Fit regression and latents jointly from where they are, φ free: each latent stays the one it was.

    Args:
        X: Regressors of consecutive transitions, about unit variance.
        Y: o_{t+1}, scaled; NaN where not measured.
        train: Transitions to learn from; the others leave the latent path free.
        start: True where a segment begins.
        forward: First guess of the regression.
        inverse: First guess of the latents; its noise stays diagonal where it is.
        ridge: Penalty per row on the regression.
        iterations: Most EM steps.
        tolerance: Stop when an accelerated step gains less, in nats per transition.
        jumps: As in :func:`fit_held`.

    Raises:
        TrainingError: a step met a singular covariance.
    """
    diagonal = not np.any(inverse.R - np.diag(np.diag(inverse.R)))
    first = State(np.vstack([forward.weights, forward.bias]), inverse.B, inverse.R, inverse.phi)
    try:
        problem = Problem(X, Y, train, start, ridge, "diagonal" if diagonal else "full")
        if jumps:  # Gaussian steps would lead away from a path that holds
            return _found(problem, first, [], jumps=True)
        s, history = accelerate(
            problem.step, first, problem.pack, problem.unpack, iterations=iterations, tolerance=tolerance
        )
    except np.linalg.LinAlgError as error:
        raise _singular(inverse.latents, str(error)) from error
    return _found(problem, s, history, jumps=False)


def _found(problem: Problem, s: State, history: list[float], *, jumps: bool) -> HeldFit:
    if jumps:
        try:
            s = settle_on_jumps(problem, s)
            history = [*history, problem.step(s)[1]]
        except np.linalg.LinAlgError as error:
            raise _singular(s.phi.size, str(error)) from error
        if not np.isfinite(history[-1]):
            raise _singular(s.phi.size, "no finite likelihood")
    inverse = HeldInverse(s.B, s.R, s.phi)
    return HeldFit(LinearForward(s.W[:-1], s.W[-1]), inverse, history[-1], tuple(history))


def _nowhere(latents: int) -> TrainingError:
    return TrainingError(
        f"EM for {latents} held latents did not arrive at finite numbers from any start. "
        "Look for channels of wildly different scale or nearly equal channels, or raise `ridge`."
    )


def _singular(latents: int, reason: str) -> TrainingError:
    return TrainingError(
        f"EM for {latents} held latents met a singular covariance ({reason}). Look for nearly "
        "equal channels, or raise `ridge`."
    )


def _climb(problem: Problem, state: State, iterations: int, tolerance: float) -> tuple[State, list[float]]:
    """First with φ as it is, then with φ free."""
    history: list[float] = []
    for free, most, enough in ((False, iterations // 2, _SETTLED * tolerance), (True, iterations, tolerance)):
        state, climbed = accelerate(
            partial(problem.step, free=free),
            state,
            problem.pack,
            problem.unpack,
            iterations=most,
            tolerance=enough,
        )
        history += climbed
    return state, history
