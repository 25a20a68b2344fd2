"""How much of the truth a linear read-out of the latents holds, where the truth is known."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["LinearLatentOptimality", "linear_latent_optimality", "missed"]


@dataclass(frozen=True)
class LinearLatentOptimality:
    """LLO and what it is made of: 2 where z holds the action and nothing else, 0 where it holds only noise.

    Source: Zhang et al., "What Do Latent Action Models Actually Learn?", NeurIPS 2025 (arXiv 2506.15691).
    """

    action: float
    """Share of the action's variance that z misses."""
    noise: float
    """Share of the noise that z misses; 1 where there is none."""
    history: float
    """Share of o_t that z misses."""

    @property
    def value(self) -> float:
        """−action + noise + history."""
        return -self.action + self.noise + self.history


def linear_latent_optimality(
    z: Float[np.ndarray, "n latent"],
    action: Float[np.ndarray, "n act"],
    noise: Float[np.ndarray, "n other"],
    history: Float[np.ndarray, "n chan"],
) -> LinearLatentOptimality:
    """LLO of frozen latents, by least-squares read-outs.

    Args:
        z: Latents.
        action: q, what the action added (or the action itself).
        noise: ε, what else was added; all zero where there is none.
        history: o_t.
    """
    return LinearLatentOptimality(missed(z, action), missed(z, noise), missed(z, history))


def missed(z: Float[np.ndarray, "n latent"], target: Float[np.ndarray, "n width"]) -> float:
    """Share of the variance of ``target`` that no linear function of z has; 1 where it does not vary."""
    away = target - target.mean(axis=0)
    total = float((away**2).sum())
    if total <= 1e-24 * target.size:
        return 1.0
    F = z - z.mean(axis=0)
    basis, values, _ = np.linalg.svd(F, full_matrices=False)
    basis = basis[:, values > 1e-10 * max(float(values[0]), 1e-300)]
    return 1.0 - float(((basis.T @ away) ** 2).sum()) / total
