"""The linear latent action model without a gradient step, from moments alone.

    z = C f + D o'      ô' = W f + B z      L = E‖ô' − o'‖²

``f`` is all that the forward model is given: o_t, and by their timing logged actions and exogenous
variables (the exogenous extension: what is measured of the outside cannot be taken for an action).

Source: Zhang et al., "What Do Latent Action Models Actually Learn?", NeurIPS 2025 (arXiv 2506.15691),
propositions 4.1, 4.2 and 4.4. There o' = o + q + ε with history and change uncorrelated; here any W, so
that the same holds of what a regression on ``f`` leaves. Each problem below is reduced-rank regression
(Izenman, "Reduced-rank regression for the multivariate linear model", J. Multivariate Analysis 5(2), 1975).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tslam.dynamics.forward import LinearForward
from tslam.dynamics.moments import Moments
from tslam.errors import ConfigError, TrainingError

__all__ = ["Augmented", "LinearLAM", "fit_augmented", "fit_closed_form", "fit_labelled", "fit_swapped"]

_FLAT = 1e-12
"""Directions with less than this share of the largest variance count as constant."""


@dataclass(frozen=True, eq=False)
class LinearLAM:
    """ô' = forward(f) + B z, z = D (o' − forward(f)): the C of the equations is −D W."""

    forward: LinearForward
    B: Float[np.ndarray, "chan latent"]
    D: Float[np.ndarray, "latent chan"]
    cov: Float[np.ndarray, "chan chan"]
    """Covariance of what the forward model leaves."""
    head: Float[np.ndarray, "act latent"] | None = None
    """Least-squares read-out of labelled actions from z, where labels took part."""

    @property
    def spectrum(self) -> Float[np.ndarray, " chan"]:
        """Eigenvalues of what the forward model leaves, largest first."""
        return np.asarray(np.linalg.eigvalsh(self.cov)[::-1])

    @property
    def tail(self) -> float:
        """Σ λ_i beyond the latents: the least loss that any linear LAM of this size has (proposition 4.2)."""
        return float(self.spectrum[self.B.shape[1] :].sum())

    @property
    def loss(self) -> float:
        """E‖ô' − o'‖² over the rows of the fit."""
        miss = np.eye(len(self.cov)) - self.B @ self.D
        return float(np.trace(miss @ self.cov @ miss.T))

    def infer(
        self, F: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"]
    ) -> Float[np.ndarray, "n latent"]:
        """Latent of each transition; NaN where o' was not measured whole."""
        return np.asarray((Y - self.forward.mean(F)) @ self.D.T)

    def predict(
        self, F: Float[np.ndarray, "n feat"], z: Float[np.ndarray, "n latent"]
    ) -> Float[np.ndarray, "n chan"]:
        """Prediction of o' under the latents given."""
        return np.asarray(self.forward.mean(F) + z @ self.B.T)


@dataclass(frozen=True, eq=False)
class Augmented:
    """The four matrices under augmentation, where C is found too instead of being free."""

    A: Float[np.ndarray, "chan chan"]
    B: Float[np.ndarray, "chan latent"]
    C: Float[np.ndarray, "latent chan"]
    D: Float[np.ndarray, "latent chan"]

    @property
    def imbalance(self) -> float:
        """‖C + D‖ / ‖D‖: 0 where z = 0 says that nothing changed."""
        return float(np.linalg.norm(self.C + self.D) / np.linalg.norm(self.D))


def fit_closed_form(moments: Moments, known: int, latents: int) -> LinearLAM:
    """The least-squares linear LAM: regress o' on what is known, keep the largest directions of the rest.

    Args:
        moments: Of the columns [f | o'].
        known: How many columns f has.
        latents: Number of latents.

    Raises:
        ConfigError: more latents than channels.
        TrainingError: fewer rows than columns.
    """
    forward, cov = _regress(moments, known)
    _refuse(latents, len(cov))
    U = np.linalg.eigh(cov)[1][:, ::-1][:, :latents]
    return LinearLAM(forward, U, U.T, cov)


def fit_labelled(moments: Moments, labelled: Moments, known: int, latents: int, weight: float) -> LinearLAM:
    """The linear LAM with an action head: L + λ E‖E z − a‖² over the labelled rows.

    The moments of o' that go with the labels are those of all rows, which are better known.

    Args:
        moments: Of the columns [f | o'], all rows.
        labelled: Of the columns [f | o' | a], the rows with labels.
        known: How many columns f has.
        latents: Number of latents.
        weight: λ, in sum-of-squares units: channels / action columns makes one direction of a weigh as much
            as all of o' does; 0.01 does nothing.

    Raises:
        ConfigError: more latents than channels, or no row has a label.
        TrainingError: fewer rows than columns.
    """
    if labelled.rows < 2:
        raise ConfigError(
            f"Found {labelled.rows} rows with a label; an action head needs at least 2. Give labels, or fit "
            "without the head."
        )
    forward, cov = _regress(moments, known)
    chan = len(cov)
    _refuse(latents, chan)
    W = np.zeros((labelled.cov.shape[0], chan))
    W[:known], W[known : known + chan] = -forward.weights, np.eye(chan)
    cross = labelled.cov[known + chan :] @ W  # Cov(a, r), r what the forward model leaves
    target = np.vstack([cov, np.sqrt(weight) * cross])
    V, D = _reduced_rank(target, cov, latents)
    head = V[chan:] / np.sqrt(weight) if weight > 0 else cross @ D.T @ _inverse(D @ cov @ D.T)
    return LinearLAM(forward, V[:chan], D, cov, head)


def fit_swapped(
    moments: Moments, known: int, latents: int, outside: Float[np.ndarray, "chan chan"], weight: float = 1.0
) -> LinearLAM:
    """The linear LAM whose z, read on one series, must predict another under the same action.

    The other series has its own exogenous innovation, so what z carries of it costs E‖B D w‖².

    Args:
        moments: Of the columns [f | o'].
        known: How many columns f has.
        latents: Number of latents.
        outside: Covariance of the exogenous innovation in o', half the covariance of the difference of what
            is left over in two series under one action.
        weight: How often a pair is swapped, for each time it is not.

    Raises:
        ConfigError: more latents than channels.
        TrainingError: fewer rows than columns.
    """
    forward, cov = _regress(moments, known)
    _refuse(latents, len(cov))
    V, D = _reduced_rank(cov, cov + weight * outside, latents)
    return LinearLAM(forward, V, D, cov)


def fit_augmented(moments: Moments, latents: int, noise: float) -> Augmented:
    """The linear LAM under augmentation: κ₁ added to both IDM inputs, κ₂ to forward input and target.

    Args:
        moments: Of the columns [o | o'], equally many.
        latents: Number of latents.
        noise: Standard deviation of κ₁ and κ₂ per channel.

    Raises:
        ConfigError: more latents than channels.

    Source: proposition 4.3: the optimum has A = I and C + D = 0.
    """
    chan = len(moments.mean) // 2
    _refuse(latents, chan)
    same = noise**2 * np.ones((2, 2))
    S = moments.cov
    seen = S + np.kron(same, np.eye(chan))  # (o + κ₁, o' + κ₁)
    given = S[:chan, :chan] + noise**2 * np.eye(chan)  # o + κ₂
    goal = S[chan:, :chan] + noise**2 * np.eye(chan)  # (o' + κ₂) with (o + κ₂)
    W = goal @ _inverse(given)
    project = S[:, :chan] @ _inverse(given)  # IDM inputs on the forward input
    cross = S[chan:] - W @ S[:chan]
    inner = seen - project @ S[:chan]
    V, K = _reduced_rank(cross, inner, latents)
    return Augmented(W - V @ K @ project, V, K[:, :chan], K[:, chan:])


def _regress(moments: Moments, known: int) -> tuple[LinearForward, Float[np.ndarray, "chan chan"]]:
    """Regression of o' on f, and the covariance of what it leaves."""
    if moments.rows <= known + 1:
        raise TrainingError(
            f"{moments.rows} whole rows cannot settle {known} regressors and a constant. Give more rows or "
            "fewer columns."
        )
    S = moments.cov
    cross = S[:known, known:]
    weights = _inverse(S[:known, :known]) @ cross
    bias = moments.mean[known:] - moments.mean[:known] @ weights
    # as a sum of squares: the difference of nearly equal moments would lose its last digits
    T = np.vstack([-weights, np.eye(S.shape[0] - known)])
    cov = T.T @ S @ T
    return LinearForward(weights, bias), 0.5 * (cov + cov.T)


def _reduced_rank(
    cross: Float[np.ndarray, "target input"], inner: Float[np.ndarray, "input input"], rank: int
) -> tuple[Float[np.ndarray, "target latent"], Float[np.ndarray, "latent input"]]:
    """V, D that minimise E‖y − V D u‖² over all of one rank: V are directions of the fitted values."""
    M = cross @ _inverse(inner)
    fitted = M @ cross.T
    V = np.linalg.eigh(0.5 * (fitted + fitted.T))[1][:, ::-1][:, :rank]
    return V, V.T @ M


def _inverse(S: Float[np.ndarray, "width width"]) -> Float[np.ndarray, "width width"]:
    """Inverse of a covariance, without the directions that never vary; columns on a common footing first."""
    sd = np.sqrt(np.diag(S))
    sd = np.where(sd > 0, sd, 1.0)
    return np.asarray(np.linalg.pinv(S / np.outer(sd, sd), rcond=_FLAT, hermitian=True) / np.outer(sd, sd))


def _refuse(latents: int, chan: int) -> None:
    if not 1 <= latents <= chan:
        raise ConfigError(
            f"{latents} latents were asked for and there are {chan} observations. A latent is a direction "
            f"among them: ask for 1 to {chan}."
        )
