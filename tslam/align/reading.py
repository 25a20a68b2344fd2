"""What a decoder reads: transitions, a lean held latent, offsets of stretches, the model's own latents.

The lean model sees one sample of history: more would carry the held level themselves and leave none to the
latent. Products of signals stand where there is room for them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tslam.align.offsets import Offsets, learn_offsets
from tslam.align.stretches import Stretches, stretches
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.held import fit_held
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM
from tslam.dynamics.linear import residual_covariance
from tslam.dynamics.products import ProductForward, Products, widened
from tslam.panel.chain import Chain, Structure, chain
from tslam.panel.panel import Panel

__all__ = ["Reader", "Reading", "learn_reader", "transitions_of"]

_MOST_PAIRS = 150
"""Products are read up to this many pairs of signals."""
_RIDGE, _PRODUCT_RIDGE = 1e-4, 1e-2
_ITERATIONS = 80


@dataclass(frozen=True, eq=False)
class Reader:
    """A lean forward model with a held latent, fitted without a label."""

    lam: LAM
    structure: Structure
    offsets: Offsets


@dataclass(frozen=True, eq=False)
class Reading:
    """Transitions of a panel, and what is read of each."""

    chain: Chain
    channels: int
    features: Float[np.ndarray, "n feat"]
    """Latents (lean, offsets, the model's own), then o_{t+1}, o_t and inputs; 0 where none was measured."""
    latents: int
    """How many of the features are latents."""
    stretches: Stretches
    """Between moves of the lean latent."""


def transitions_of(panel: Panel, within: frozenset[str]) -> tuple[Chain, Structure]:
    """One-lag transitions."""
    structure = Structure(1, 1, within)
    return chain(panel, structure), structure


def learn_reader(panel: Panel, within: frozenset[str], rows: Bool[np.ndarray, " rows"]) -> Reader:
    """Fit the lean model on the transitions that leave the given rows."""
    c, structure = transitions_of(panel, within)
    train = c.usable & rows[c.rows]
    signals, chan = c.X.shape[1], len(panel.channels)
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
    lam = LAM("held", forward, fit.inverse, forward, cov)
    parts = stretches(_lean(lam, c), c)
    return Reader(lam, structure, learn_offsets(regressors(forward, c.X), c, train, parts))


def read(reader: Reader, panel: Panel, latents: Float[np.ndarray, "rows latent"]) -> Reading:
    """Read every transition of a panel.

    Args:
        reader: From :func:`learn_reader`.
        panel: The panel.
        latents: The model's own smoothed latents on its rows; NaN where nothing can be said.
    """
    c = chain(panel, reader.structure)
    lean, forward = _lean(reader.lam, c), reader.lam.forward
    assert isinstance(forward, LinearForward | ProductForward)
    parts = stretches(lean, c)
    offsets = reader.offsets.path(regressors(forward, c.X), c, parts)
    own = np.nan_to_num(latents[c.rows], nan=0.0)
    z = np.column_stack([lean, offsets, own])
    features = np.column_stack([z, np.nan_to_num(c.Y, nan=0.0), c.X])
    return Reading(c, c.Y.shape[1], features, z.shape[1], parts)


def _lean(lam: LAM, c: Chain) -> Float[np.ndarray, " n"]:
    """The lean latent of each transition."""
    path = lam.infer(c.X, c.Y, c.start)
    assert path is not None
    return np.asarray(path.mean[:, 0])


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


def inverse_of(lam: LAM) -> HeldInverse:
    """The inverse of a model that has one."""
    assert lam.inverse is not None
    return lam.inverse
