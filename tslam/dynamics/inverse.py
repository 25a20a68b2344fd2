"""Inverse dynamics: the latent action behind each transition, from what the forward model left over.

    o_{t+1} = f(o_{≤t}, a, x) + B z_t + e_t,   e ~ N(0, R),   z_t = φ z_{t-1} + w_t

φ near 1 is a latent that is held, φ = 0 the one-step latent of a linear LAM (Zhang et al., "What Do
Latent Action Models Actually Learn?", NeurIPS 2025, proposition 4.1: PCA on what is left over).
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.kernels.kalman import kalman_filter, kalman_smoother

__all__ = [
    "HeldInverse",
    "InverseDynamics",
    "LatentPath",
    "Mode",
    "leave_out",
    "measured_together",
    "stationary",
]

Mode = Literal["smoothed", "filtered"]

_MOST_PERSISTENT = 0.9995
"""φ is kept below 1, so that the stationary prior exists."""


@dataclass(frozen=True, eq=False)
class LatentPath:
    """Latents of consecutive transitions, and what was known before each of them."""

    mean: Float[np.ndarray, "n latent"]
    cov: Float[np.ndarray, "n latent latent"]
    lagged: Float[np.ndarray, "n latent latent"]
    """Covariance with the latent of the transition before (smoothed paths)."""
    prior: Float[np.ndarray, "n latent"]
    """Mean given everything up to o_t: what a causal prediction of o_{t+1} may use."""
    prior_cov: Float[np.ndarray, "n latent latent"]
    gain: Float[np.ndarray, " n"]
    """Log-likelihood of each transition over that of z = 0."""


class InverseDynamics(Protocol):
    """Reads latent actions out of residual transitions."""

    @property
    def latents(self) -> int:
        """Number of latents."""
        ...

    def path(
        self, residual: Float[np.ndarray, "n chan"], start: Bool[np.ndarray, " n"], mode: Mode = "smoothed"
    ) -> LatentPath:
        """Latents of consecutive transitions."""
        ...


@dataclass(frozen=True, eq=False)
class HeldInverse:
    """Kalman filter and smoother for latents that persist; see :mod:`tslam.kernels.kalman`."""

    B: Float[np.ndarray, "chan latent"]
    R: Float[np.ndarray, "chan chan"]
    phi: Float[np.ndarray, " latent"]

    @property
    def latents(self) -> int:
        """Number of latents."""
        return int(self.B.shape[1])

    def only(self, keep: list[int]) -> "HeldInverse":
        """The same with the chosen latents, in the order given."""
        return HeldInverse(self.B[:, keep], self.R, self.phi[keep])

    def path(
        self,
        residual: Float[np.ndarray, "n chan"],
        start: Bool[np.ndarray, " n"],
        mode: Mode = "smoothed",
        weights: Float[np.ndarray, " n"] | None = None,
        spread: Float[np.ndarray, "n latent"] | None = None,
    ) -> LatentPath:
        """Latents of consecutive transitions.

        Args:
            residual: o_{t+1} − f, scaled; NaN where not measured.
            start: True where a segment begins.
            mode: ``smoothed`` uses past and future, ``filtered`` only o_{≤t+1}.
            weights: Precision of each transition relative to R (0: not used at all).
            spread: Variance of w at each transition; None: the same at all of them, so that z has variance 1.
        """
        h, J, which = self.measurement(residual, weights)
        q = 1.0 - self.phi[None] ** 2 if spread is None else spread
        prior, prior_cov, mean, cov, gain = kalman_filter(h, J, which, start, self.phi, q)
        lagged = np.zeros_like(cov)
        if mode == "smoothed":
            mean, cov, lagged = kalman_smoother(start, self.phi, prior, prior_cov, mean, cov)
        return LatentPath(mean, cov, lagged, prior, prior_cov, gain)

    def measurement(
        self, residual: Float[np.ndarray, "n chan"], weights: Float[np.ndarray, " n"] | None = None
    ) -> tuple[Float[np.ndarray, "n latent"], Float[np.ndarray, "pattern latent latent"], np.ndarray]:
        """Bᵀ R⁻¹ r and Bᵀ R⁻¹ B, for each pattern of measured channels."""
        seen = np.isfinite(residual)
        n, k = len(residual), self.latents
        groups = measured_together(seen)
        which, spread = np.zeros(n, np.int64), np.diag(self.R)
        for p, (_, rows) in enumerate(groups):
            which[rows] = p
        if not np.any(self.R - np.diag(spread)):
            # independent noise: all patterns at once
            precise = self.B / spread[:, None]
            h = np.where(seen, residual, 0.0) @ precise
            there = np.array([pattern for pattern, _ in groups], np.float64)
            J = np.einsum("pc,ci,cj->pij", there, precise, self.B)
        else:
            h, J = np.zeros((n, k)), np.zeros((len(groups), k, k))
            for p, (pattern, rows) in enumerate(groups):
                if not pattern.any():
                    continue
                gain = np.linalg.solve(self.R[np.ix_(pattern, pattern)], self.B[pattern])
                h[rows] = residual[np.ix_(rows, pattern)] @ gain
                J[p] = self.B[pattern].T @ gain
        if weights is None:
            return h, J, which
        weighted = J[which] * weights[:, None, None]
        return h * weights[:, None], weighted, np.arange(n)


def leave_out(
    mean: Float[np.ndarray, "n latent"],
    cov: Float[np.ndarray, "n latent latent"],
    h: Float[np.ndarray, "n latent"],
    J: Float[np.ndarray, "n latent latent"],
) -> Float[np.ndarray, "n latent"]:
    """Smoothed latents with each row's own measurement taken out again.

    P₋⁻¹ = P⁻¹ − J and P₋⁻¹ m₋ = P⁻¹ m − h (de Jong, "A cross-validation filter for time series models",
    Biometrika 75(3), 1988, in information form).

    Args:
        mean: Smoothed means.
        cov: Smoothed covariances.
        h: Bᵀ R⁻¹ r of each row.
        J: Bᵀ R⁻¹ B of each row.
    """
    tiny = 1e-12 * np.eye(mean.shape[1])
    precision = np.linalg.inv(cov + tiny)
    target = np.einsum("tij,tj->ti", precision, mean) - h
    return np.asarray(np.linalg.solve(precision - J + tiny, target[..., None])[..., 0])


def measured_together(
    seen: Bool[np.ndarray, "n chan"],
) -> list[tuple[Bool[np.ndarray, " chan"], Int[np.ndarray, " rows"]]]:
    """Each pattern of measured channels, and the rows that have it."""
    if seen.all():
        return [(seen[0], np.arange(len(seen)))]
    # rows as integers: sorting these is a hundred times faster than sorting rows of booleans
    packed = np.packbits(seen, axis=1)
    words = np.zeros((len(seen), -(-packed.shape[1] // 8) * 8), np.uint8)
    words[:, : packed.shape[1]] = packed
    keys = words.view(np.uint64)
    order = np.lexsort(keys.T)
    changed = np.any(keys[order[1:]] != keys[order[:-1]], axis=1)
    groups = np.split(order, np.flatnonzero(changed) + 1)
    return [(seen[rows[0]], rows) for rows in groups]


def stationary(
    path: LatentPath, start: Bool[np.ndarray, " n"], phi: Float[np.ndarray, " latent"] | None = None
) -> tuple[Float[np.ndarray, " latent"], Float[np.ndarray, " latent"]]:
    """Persistence and stationary standard deviation of each latent that the smoothed moments make likeliest.

    Args:
        path: Smoothed latents.
        start: True where a segment begins; there the stationary distribution is the prior.
        phi: The persistence, where it is given; None: found too.

    Source: Shumway and Stoffer, "An approach to time series smoothing and forecasting using the EM
    algorithm", Journal of Time Series Analysis 3(4), 1982, with a diagonal transition; the exact
    likelihood of an AR(1) process, whose best φ is a root of a cubic.
    """
    now = np.flatnonzero(~start)
    second = path.mean**2 + np.einsum("tii->ti", path.cov)
    first, s11, s00 = second[start].sum(axis=0), second[now].sum(axis=0), second[now - 1].sum(axis=0)
    s10 = (path.mean[now] * path.mean[now - 1] + np.einsum("tii->ti", path.lagged[now])).sum(axis=0)
    n, starts = len(start), len(start) - now.size
    # innovations: whole - 2 φ s10 + φ² inner, at the start of a segment scaled by 1 - φ²
    whole, inner = first + s11, s00 - first
    if phi is None:
        phi = np.array([_persistence(*moments, n, starts) for moments in zip(whole, s10, inner, strict=True)])
    q = np.maximum((whole - 2.0 * phi * s10 + phi**2 * inner) / n, 1e-9)
    return phi, np.sqrt(q / (1.0 - phi**2))


def _persistence(whole: float, s10: float, inner: float, n: int, starts: int) -> float:
    """The φ that maximises starts log(1 − φ²) − n log(whole − 2 φ s10 + φ² inner)."""
    cubic = [(starts - n) * inner, (n - 2 * starts) * s10, n * inner + starts * whole, -n * s10]
    roots = np.roots(cubic)
    tried = np.append(
        np.clip(roots[np.abs(roots.imag) < 1e-9].real, 0.0, _MOST_PERSISTENT), [0.0, _MOST_PERSISTENT]
    )
    innovations = np.maximum(whole - 2.0 * tried * s10 + tried**2 * inner, 1e-30)
    return float(tried[np.argmax(starts * np.log1p(-(tried**2)) - n * np.log(innovations))])
