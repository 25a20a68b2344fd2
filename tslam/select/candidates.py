"""Fit one candidate: a family with given lags and latents, on training transitions only."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.config import FitConfig
from tslam.dynamics.forward import ForwardModel, LinearForward, fit_persistent, onto_persistence
from tslam.dynamics.held import STARTS, Noise, fit_held, fit_held_from
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM, log_score
from tslam.dynamics.linear import one_step, residual_covariance
from tslam.dynamics.products import ProductForward, Products, widened
from tslam.kernels.hac import MeanTest, mean_test
from tslam.panel.chain import Chain, Structure

__all__ = [
    "PRODUCT_RIDGE",
    "Candidate",
    "Data",
    "causal_score",
    "compare",
    "few_products",
    "fit_held_family",
    "fit_linear_family",
    "input_lags",
    "keep_latents",
]

PRODUCT_RIDGE = 1e-2
"""Ridge penalty, per row, on products of signals: they are many and bend at the edges."""
_MOST_PRODUCTS = 300
_EARNED_P = 0.05
"""A held latent whose causal gain is not this sure gives way to one that may move at every step."""


@dataclass(frozen=True, eq=False)
class Data:
    """Transitions of one structure, and which of them train or are held out."""

    structure: Structure
    chain: Chain
    train: Bool[np.ndarray, " n"]
    held: Bool[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fitted model and its log-score, per transition, on held-out rows."""

    lam: LAM
    structure: Structure
    score: Float[np.ndarray, " n"]
    """Causal log-score of every transition, nats; NaN outside the held-out rows."""

    @property
    def mean(self) -> float:
        """Held-out log-score per transition."""
        return float(np.nanmean(self.score))


def compare(better: Candidate, than: Candidate) -> MeanTest:
    """HAC test of the held-out difference of two candidates, on the rows both predict."""
    return mean_test(better.score - than.score)


def fit_linear_family(data: Data, config: FitConfig, latents: int) -> Candidate:
    """Ridge on history and inputs; latents without memory along what is left over."""
    c = data.chain
    forward = fit_persistent(c.X, c.Y, data.train, config.penalty)
    residual = c.Y - forward.mean(c.X)
    count = min(latents, c.Y.shape[1])
    inverse = one_step(residual, data.train, count) if count else None
    lam = LAM("linear", forward, inverse, forward, residual_covariance(residual, data.train))
    return Candidate(lam, data.structure, causal_score(lam, data))


def fit_held_family(
    data: Data,
    config: FitConfig,
    latents: int,
    *,
    products: bool = False,
    shorter: tuple[Candidate, Data] | None = None,
) -> Candidate:
    """Regression and held latents, jointly; noise covariance full where the latent earns so.

    With full noise covariance z stands for what persists. Where nothing persists it would stand for
    nothing, and the diagonal one lets it follow common white moves instead.

    Args:
        data: Transitions and split.
        config: Ridge and iterations.
        latents: Number of latents, at least 1; no more than there are channels are fitted.
        products: Regress on products of the current signals too: a plant that bends would otherwise look
            to z like something that is held.
        shorter: The same with a shorter history, to start from: from a start of its own a longer history
            takes the level to itself, though leaving it to z is likelier.
    """
    c = data.chain
    design = _Products.learn(data, config) if products else _Plain(config.penalty)
    F = design.of(c.X)
    plain = design.forward(fit_persistent(F, c.Y, data.train, design.penalty))
    left = c.Y - plain.mean(c.X)
    baseline = LAM("held", plain, None, plain, residual_covariance(left, data.train))
    reference = Candidate(baseline, data.structure, causal_score(baseline, data))
    count = max(1, min(latents, c.Y.shape[1]))

    def fitted(noise: Noise, starts: tuple[float, ...]) -> Candidate:
        target = c.Y - F[:, : c.Y.shape[1]]
        first = _start(shorter, c, F.shape[1]) if noise == "full" else None
        if first is None:
            fit = fit_held(
                F, target, data.train, c.start, latents=count, ridge=design.penalty,
                iterations=config.iterations, noise=noise, starts=starts, jumps=noise == "full",
            )  # fmt: skip
        else:
            fit = fit_held_from(
                F, target, data.train, c.start, forward=first[0], inverse=first[1], ridge=design.penalty,
                iterations=config.iterations, jumps=True,
            )  # fmt: skip
        lam = LAM(
            "held", design.forward(onto_persistence(fit.forward)), fit.inverse, plain, baseline.baseline_cov
        )
        return Candidate(lam, data.structure, causal_score(lam, data))

    full = fitted("full", STARTS[:1])
    if products or c.Y.shape[1] == 1 or compare(full, reference).p < _EARNED_P:
        return full
    return fitted("diagonal", STARTS)


def _start(
    shorter: tuple[Candidate, Data] | None, c: Chain, width: int
) -> tuple[LinearForward, HeldInverse] | None:
    """Regression of a shorter history among the regressors of a longer one, and its latents.

    None where there is none, or where its latents follow white moves.
    """
    if shorter is None:
        return None
    candidate, data = shorter
    forward, inverse = candidate.lam.forward, candidate.lam.inverse
    linear = forward.linear if isinstance(forward, ProductForward) else forward
    if inverse is None or not isinstance(linear, LinearForward) or not np.any(np.tril(inverse.R, -1)):
        return None
    weights = np.zeros((width, c.Y.shape[1]))
    at = {term: i for i, term in enumerate(c.terms)}
    for term, own in zip(data.chain.terms, linear.weights, strict=False):
        weights[at[term]] = own
    weights[len(c.terms) :] = linear.weights[len(data.chain.terms) :]
    weights[: c.Y.shape[1]] -= np.eye(c.Y.shape[1])
    return LinearForward(weights, linear.bias), inverse


def few_products(data: Data) -> bool:
    """Are the products few enough for EM, which visits them at every step?"""
    return len(_Products.learn(data, FitConfig()).products.pairs) <= _MOST_PRODUCTS


@dataclass(frozen=True, eq=False)
class _Plain:
    """Regressors as they are."""

    penalty: float

    def of(self, X: Float[np.ndarray, "n feat"]) -> Float[np.ndarray, "n feat"]:
        return X

    def forward(self, linear: LinearForward) -> ForwardModel:
        return linear


@dataclass(frozen=True, eq=False)
class _Products:
    """Regressors and products of the current ones."""

    products: Products
    current: Int[np.ndarray, " signal"]
    penalty: Float[np.ndarray, " wide"]

    @classmethod
    def learn(cls, data: Data, config: FitConfig) -> "_Products":
        c = data.chain
        current = np.array([i for i, (_, offset) in enumerate(c.terms) if offset == 0])
        products = Products.learn(c.X[data.train][:, current], c.Y.shape[1])
        penalty = np.append(
            np.full(c.X.shape[1], config.penalty), np.full(len(products.pairs), PRODUCT_RIDGE)
        )
        return cls(products, current, penalty)

    def of(self, X: Float[np.ndarray, "n feat"]) -> Float[np.ndarray, "n wide"]:
        return widened(X, self.products, self.current)

    def forward(self, linear: LinearForward) -> ForwardModel:
        return ProductForward(self.products, self.current, linear)


def causal_score(lam: LAM, data: Data) -> Float[np.ndarray, " n"]:
    """Held-out log-score of causal predictions, under the covariance of the model's own training errors."""
    c = data.chain
    error = c.Y - lam.predict(c.X, c.Y, c.start)
    score = log_score(error, residual_covariance(error, data.train))
    return np.where(data.held, score, np.nan)


def input_lags(lags: int) -> int:
    """Inputs are held: their last two samples tell level and move, more tells little."""
    return min(2, lags)


def keep_latents(lam: LAM, keep: list[int]) -> LAM:
    """The model with only the chosen of the latents that it shows, in the order given."""
    if lam.told is not None:
        return replace(lam, told=keep_latents(lam.told, keep))
    return lam if lam.inverse is None else replace(lam, inverse=lam.inverse.only(keep))
