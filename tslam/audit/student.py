"""Residuals of telemetry have heavy tails: their scatter, centre and score under a Student density."""

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["DEGREES", "robust_scatter", "student_centre", "student_score"]

DEGREES = 6.0
"""Degrees of freedom of the Student density that residuals are scored by: tails of telemetry are heavy."""
_STEPS = 8


def student_score(
    residual: Float[np.ndarray, "n chan"], cov: Float[np.ndarray, "chan chan"]
) -> Float[np.ndarray, " n"]:
    """Log-density of each residual under a Student distribution, up to a constant, in nats."""
    chan = residual.shape[1]
    distance = np.einsum("ti,ij,tj->t", residual, np.linalg.inv(cov), residual)
    return np.asarray(-0.5 * (DEGREES + chan) * np.log1p(distance / DEGREES))


def student_centre(
    residual: Float[np.ndarray, "n chan"],
    seen: Bool[np.ndarray, "n chan"],
    cov: Float[np.ndarray, "chan chan"],
) -> Float[np.ndarray, " chan"]:
    """Where the Student density of a given scatter sits best, by reweighting: 0 for symmetric residuals.

    Residuals of telemetry are skewed, and their mean is not where most of them are. A model scored around the
    mean gains by any term that moves its prediction to where most are, whatever the term says.

    Source: the location step of the EM in :func:`robust_scatter`.
    """
    centre, precision = np.zeros(residual.shape[1]), np.linalg.inv(cov)
    for _ in range(_STEPS):
        left = np.where(seen, residual - centre, 0.0)
        distance = np.einsum("ti,ij,tj->t", left, precision, left)
        weight = seen / (DEGREES + distance)[:, None]
        centre = (weight * np.where(seen, residual, 0.0)).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-12)
    return np.asarray(centre)


def robust_scatter(
    residual: Float[np.ndarray, "n chan"], seen: Bool[np.ndarray, "n chan"]
) -> tuple[Float[np.ndarray, "chan chan"], Float[np.ndarray, " n"]]:
    """Scatter under a Student density, by the EM of Lange, Little and Taylor, JASA 84(408), 1989."""
    pairs = np.maximum(seen.astype(float).T @ seen.astype(float), 1.0)
    cov = residual.T @ residual / pairs
    trust = np.ones(len(residual))
    floor = 1e-8 * max(float(np.trace(cov)) / len(cov), 1e-12) * np.eye(len(cov))
    for _ in range(_STEPS):
        distance = np.einsum("ti,ij,tj->t", residual, np.linalg.inv(cov + floor), residual)
        trust = (DEGREES + seen.sum(axis=1)) / (DEGREES + distance)
        cov = (residual * trust[:, None]).T @ residual / pairs
    return cov + floor, trust
