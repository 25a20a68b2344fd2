"""Cross-fitted ridge regression in which each channel takes the penalties that predict it best.

What is multiplied differs from channel to channel: a flow may be a pump times a valve where a temperature
is all but linear. One penalty for all leaves out the products that one channel needs, or lets those in that
the others do not; either way a misfit is left, and looks like something that nobody logged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import cho_factor, cho_solve

from tslam.panel.split import Split

__all__ = [
    "CONSTANT",
    "LINEAR_PENALTIES",
    "Choices",
    "CrossFit",
    "cross_fitted",
    "filled",
    "grams",
    "log_error",
    "penalties",
    "solved",
]

_OFF = 1e3
"""Penalty that switches products off."""
_ALIKE = (1e-3, 1e-1, _OFF)
"""Ridge penalties tried on all products alike, for one channel and for all of them together."""
_MIDDLE = 1.0
"""And for one channel: between .1 and off there is much to choose from."""
_INPUTS = (1e-3, 1e-1)
"""On products with an input alone, or of two inputs: fewer to learn, and what an action does to an effect."""
LINEAR_PENALTIES = (1e-3, 1e-5)
"""And on the rest. With the second, history tells an input that is held by small differences of past samples
that are nearly alike. Where there is little noise the log of its squared error is lower by up to .5 a
channel, and little is left by which a log is late or lacks something: logs are asked under the first."""
CONSTANT = 1e-9
"""Penalty on the constant: none to speak of."""
_AS_GOOD, _AS_GOOD_ALL = 1e-2, 1e-3
"""Log of the squared error by which other penalties have to predict better: one channel, and their mean."""


@dataclass(frozen=True, eq=False)
class CrossFit:
    """The rich model, each channel under its own penalties."""

    ridge: Float[np.ndarray, "wide chan"]
    common: Float[np.ndarray, " wide"]
    """The penalties that serve all channels best, for what has to share them."""
    weights: tuple[Float[np.ndarray, "wide chan"], ...]
    residual: Float[np.ndarray, "n chan"]
    """Held out; 0 where not measured."""
    loss: float
    """Mean over the channels of the log of their squared held-out error, under the common penalties."""


class Choices(NamedTuple):
    """Penalties per row of data, one vector a choice."""

    common: list[Float[np.ndarray, " wide"]]
    """On all products alike: for one channel, and for all together."""
    own: list[Float[np.ndarray, " wide"]]
    """For one channel only."""


def penalties(width: int, inputs: Int[np.ndarray, " pair"], linear: Sequence[float]) -> Choices:
    """Every choice of penalties, with a light one on the constant.

    Args:
        width: Columns that are no product.
        inputs: How many of the two factors of each product are inputs.
        linear: Penalties tried on the first columns.
    """
    further = [np.full(len(inputs), _MIDDLE)]
    further += [np.where(inputs >= least, p, _OFF) for least in (1, 2) for p in _INPUTS]

    def with_linear(products: Sequence[Float[np.ndarray, " pair"]]) -> list[Float[np.ndarray, " wide"]]:
        each = product(linear, products)
        return [np.concatenate([np.full(width, first), second, [CONSTANT]]) for first, second in each]

    return Choices(with_linear([np.full(len(inputs), p) for p in _ALIKE]), with_linear(further))


def cross_fitted(
    F: Float[np.ndarray, "n wide"],
    raw: Float[np.ndarray, "n chan"],
    splits: tuple[Split, ...],
    gram: tuple[np.ndarray, ...],
    tried: Choices,
) -> CrossFit:
    """Predict each fold from the others under every choice, and take for each channel what predicts best.

    Args:
        F: Regressors, a constant last.
        raw: o_{t+1}; NaN where not measured.
        splits: The folds.
        gram: FᵀF over the training rows of each.
        tried: Choices of penalties.
    """
    seen = np.isfinite(raw)
    normal = [
        _normal(F[s.train], np.where(seen, raw, 0.0)[s.train], seen[s.train], G)
        for s, G in zip(splits, gram, strict=True)
    ]
    told, all_told = np.full(raw.shape[1], np.inf), np.inf
    common = tried.common[0]
    columns = np.zeros((F.shape[1], raw.shape[1]))
    best = [columns.copy() for _ in splits]
    left = np.zeros(raw.shape)
    for k, ridge in enumerate((*tried.common, *tried.own)):
        weights, residual = _fit(F, raw, seen, splits, normal, ridge)
        error = log_error(residual, seen)
        if k < len(tried.common) and error.mean() < all_told - _AS_GOOD_ALL:
            common, all_told = ridge, float(error.mean())
        better = error < told - _AS_GOOD
        told[better] = error[better]
        columns[:, better] = ridge[:, None]
        left[:, better] = residual[:, better]
        for old, new in zip(best, weights, strict=True):
            old[:, better] = new[:, better]
    return CrossFit(columns, common, tuple(best), left, all_told)


def solved(
    gram: Float[np.ndarray, "wide wide"],
    cross: Float[np.ndarray, "wide chan"],
    ridge: Float[np.ndarray, "wide chan"],
    rows: int,
) -> Float[np.ndarray, "wide chan"]:
    """Weights of each channel under its own penalties, those of channels with the same ones in one go."""
    out = np.zeros_like(cross)
    alike, which = np.unique(ridge, axis=1, return_inverse=True)
    for k, penalty in enumerate(alike.T):
        own = which == k
        out[:, own] = _positive(gram + np.diag(penalty * rows), cross[:, own])
    return out


def grams(F: Float[np.ndarray, "n wide"], splits: tuple[Split, ...]) -> tuple[np.ndarray, ...]:
    """FᵀF of each fold's training rows: the whole less what the fold leaves out."""
    whole = F.T @ F
    return tuple(whole - F[~s.train].T @ F[~s.train] for s in splits)


def log_error(
    residual: Float[np.ndarray, "n chan"], seen: Bool[np.ndarray, "n chan"]
) -> Float[np.ndarray, " chan"]:
    """Log of the squared error of each channel, per measured value."""
    return np.asarray(np.log((residual**2).sum(axis=0) / np.maximum(seen.sum(axis=0), 1) + 1e-12))


def filled(
    F: Float[np.ndarray, "n wide"],
    raw: Float[np.ndarray, "n chan"],
    splits: tuple[Split, ...],
    weights: Sequence[Float[np.ndarray, "wide chan"]],
) -> Float[np.ndarray, "n chan"]:
    """o_{t+1}, the held-out prediction where it was not measured."""
    out = np.zeros_like(raw)
    for split, W in zip(splits, weights, strict=True):
        out[split.held] = F[split.held] @ W
    return np.where(np.isfinite(raw), raw, out)


class _Normal(NamedTuple):
    """Normal equations of channels that were measured at the same rows."""

    channels: Int[np.ndarray, " some"]
    gram: Float[np.ndarray, "wide wide"]
    cross: Float[np.ndarray, "wide some"]
    rows: int


def _normal(
    F: Float[np.ndarray, "n wide"],
    zero: Float[np.ndarray, "n chan"],
    seen: Bool[np.ndarray, "n chan"],
    gram: Float[np.ndarray, "wide wide"],
) -> list[_Normal]:
    """Normal equations over the training rows of one fold, those left out at which a channel was lost."""
    cross = F.T @ zero
    gaps, which = np.unique(~seen, axis=1, return_inverse=True)
    told = []
    for k, gap in enumerate(gaps.T):
        own = np.flatnonzero(which == k)
        lost = F[gap]
        left = gram - lost.T @ lost if gap.any() else gram
        told.append(_Normal(own, left, cross[:, own], max(1, int((~gap).sum()))))
    return told


def _fit(
    F: Float[np.ndarray, "n wide"],
    raw: Float[np.ndarray, "n chan"],
    seen: Bool[np.ndarray, "n chan"],
    splits: tuple[Split, ...],
    normal: Sequence[Sequence[_Normal]],
    ridge: Float[np.ndarray, " wide"],
) -> tuple[list[np.ndarray], Float[np.ndarray, "n chan"]]:
    weights, residual = [], np.zeros(raw.shape)
    for s, equations in zip(splits, normal, strict=True):
        W = np.zeros((F.shape[1], raw.shape[1]))
        for one in equations:
            W[:, one.channels] = _positive(one.gram + np.diag(ridge * one.rows), one.cross)
        weights.append(W)
        residual[s.held] = np.where(seen[s.held], raw[s.held] - F[s.held] @ W, 0.0)
    return weights, residual


def _positive(
    gram: Float[np.ndarray, "wide wide"], cross: Float[np.ndarray, "wide chan"]
) -> Float[np.ndarray, "wide chan"]:
    """Solution for a matrix that is positive definite: in half the time of any other."""
    return np.asarray(cho_solve(cho_factor(gram, check_finite=False), cross, check_finite=False))
