"""The lean forward model of one held latent: one sample of history, and products where there is room.

More history would carry the held level itself and leave none to the latent.
"""

import numpy as np
from jaxtyping import Bool, Float

from tslam.dynamics.forward import LinearForward
from tslam.dynamics.held import fit_held
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM
from tslam.dynamics.linear import residual_covariance
from tslam.dynamics.products import ProductForward, Products, widened
from tslam.panel.chain import Chain

__all__ = ["forward_of", "inverse_of", "learn_lean", "regressors", "relined"]

_MOST_PAIRS = 150
"""Products are read up to this many pairs of signals."""
_RIDGE, _PRODUCT_RIDGE = 1e-4, 1e-2
_ITERATIONS = 80


def learn_lean(c: Chain, train: Bool[np.ndarray, " n"]) -> LAM:
    """Fit the lean model to one-lag transitions.

    Args:
        c: The transitions.
        train: Those that may be learnt from.
    """
    signals, chan = c.X.shape[1], c.Y.shape[1]
    pairs = signals * (signals + 1) // 2
    products = Products.learn(c.X[train], chan) if pairs <= _MOST_PAIRS else None
    X = c.X if products is None else np.column_stack([c.X, products.of(c.X)])
    penalty = np.append(np.full(signals, _RIDGE), np.full(X.shape[1] - signals, _PRODUCT_RIDGE))
    fit = fit_held(
        X,
        c.Y,
        train,
        c.start,
        latents=1,
        ridge=penalty,
        iterations=_ITERATIONS,
        tolerance=1e-5,
        starts=(0.98,),
    )
    forward = fit.forward if products is None else ProductForward(products, np.arange(signals), fit.forward)
    cov = residual_covariance(c.Y - forward.mean(c.X), train)
    return LAM("held", forward, fit.inverse, forward, cov)


def forward_of(lam: LAM) -> LinearForward | ProductForward:
    """The regression of a lean model."""
    assert isinstance(lam.forward, LinearForward | ProductForward)
    return lam.forward


def inverse_of(lam: LAM) -> HeldInverse:
    """The inverse of a model that has one."""
    assert lam.inverse is not None
    return lam.inverse


def regressors(forward: LinearForward | ProductForward, X: Float[np.ndarray, "n feat"]) -> np.ndarray:
    """What the linear part of a forward model is applied to."""
    return X if isinstance(forward, LinearForward) else widened(X, forward.products, forward.current)


def relined(
    forward: LinearForward | ProductForward, weights: Float[np.ndarray, "feat chan"], bias: np.ndarray
) -> LinearForward | ProductForward:
    """The same forward model with other weights."""
    linear = LinearForward(weights, bias)
    return (
        linear
        if isinstance(forward, LinearForward)
        else ProductForward(forward.products, forward.current, linear)
    )
