"""The linear world of Zhang et al.: o' = o + X a + ε, with the settings they print."""

from dataclasses import dataclass

import numpy as np

from tslam.diagnose.llo import LinearLatentOptimality, linear_latent_optimality
from tslam.dynamics.closed_form import LinearLAM, fit_closed_form
from tslam.dynamics.moments import Moments

CHAN, ACT = 128, 8
ROWS = 40_000


@dataclass(frozen=True)
class World:
    """Transitions, and what made them."""

    now: np.ndarray
    after: np.ndarray
    action: np.ndarray
    pushed: np.ndarray
    """q = X a."""
    noise: np.ndarray
    X: np.ndarray

    @property
    def moments(self) -> Moments:
        """Of [o | o']."""
        return Moments.of(np.column_stack([self.now, self.after]))

    def closed_form(self, latents: int = ACT) -> LinearLAM:
        """The linear LAM of this world."""
        return fit_closed_form(self.moments, CHAN, latents)

    def llo(self, lam: LinearLAM) -> LinearLatentOptimality:
        """What its latents hold."""
        z = lam.infer(self.now, self.after)
        return linear_latent_optimality(z, self.pushed, self.noise, self.now)


def orthonormal(rng: np.random.Generator, width: int, rank: int) -> np.ndarray:
    """Random orthonormal columns (QR of a normal matrix)."""
    return np.linalg.qr(rng.normal(size=(width, rank)))[0]


def world(
    sigma: float, seed: int, *, noise: str = "agents", determined: float = 0.0, rows: int = ROWS
) -> World:
    """A world of 128 observations and 8 actions, o and a of unit variance.

    Args:
        sigma: Standard deviation of the noise: of each other agent's action, or of each observation.
        seed: Of everything random.
        noise: ``none``, ``iid`` or ``agents`` (8 others, acting through orthonormal columns of their own).
        determined: δ in a = δ Π o + (1 − δ) π, with Π of orthonormal rows and π of unit variance.
        rows: Transitions.
    """
    rng = np.random.default_rng(seed)
    X, E = orthonormal(rng, CHAN, ACT), orthonormal(rng, CHAN, ACT)
    policy = orthonormal(rng, CHAN, ACT).T
    o = rng.normal(size=(rows, CHAN))
    action = determined * o @ policy.T + (1 - determined) * rng.normal(size=(rows, ACT))
    if noise == "agents":
        added = sigma * rng.normal(size=(rows, ACT)) @ E.T
    else:
        added = (sigma if noise == "iid" else 0.0) * rng.normal(size=(rows, CHAN))
    pushed = action @ X.T
    return World(o, o + pushed + added, action, pushed, added, X)
