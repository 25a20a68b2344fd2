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
_LOUD, _LOUDER = 4.0, 6.0
"""Moves that end a stretch, in median moves: of the lean latent alone, and of one among all."""


@dataclass(frozen=True, eq=False)
class Reader:
    """A lean forward model with a held latent, fitted without a label."""

    lam: LAM
    structure: Structure
    offsets: Offsets
    alone: bool
    """Do moves of the lean latent alone end a stretch, or those of the model's own as well?"""


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
    """Between moves of latents."""


def transitions_of(panel: Panel, within: frozenset[str]) -> tuple[Chain, Structure]:
    """One-lag transitions."""
    structure = Structure(1, 1, within)
    return chain(panel, structure), structure


def learn_reader(
    panel: Panel,
    within: frozenset[str],
    rows: Bool[np.ndarray, " rows"],
    latents: Float[np.ndarray, "rows latent"],
) -> Reader:
    """Fit the lean model, and slopes within stretches, on the transitions that leave some rows.

    Args:
        panel: The panel.
        within: Columns whose sample is a mean over its interval.
        rows: Rows that may be learnt from.
        latents: The model's own smoothed latents on the rows of the panel.
    """
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
    wide, both = regressors(forward, c.X), _latents(lam, c, latents)
    found = {alone: learn_offsets(wide, c, train, _parted(both, c, alone)) for alone in (True, False)}
    alone = found[True][1] >= found[False][1]
    return Reader(lam, structure, found[alone][0], alone)


def read(reader: Reader, panel: Panel, latents: Float[np.ndarray, "rows latent"]) -> Reading:
    """Read every transition of a panel.

    Args:
        reader: From :func:`learn_reader`.
        panel: The panel.
        latents: The model's own smoothed latents on its rows; NaN where nothing can be said.
    """
    c = chain(panel, reader.structure)
    both, forward = _latents(reader.lam, c, latents), reader.lam.forward
    assert isinstance(forward, LinearForward | ProductForward)
    parts = _parted(both, c, reader.alone)
    offsets = reader.offsets.path(regressors(forward, c.X), c, parts)
    z = np.column_stack([both[:, :1], offsets, both[:, 1:]])
    features = np.column_stack([z, np.nan_to_num(c.Y, nan=0.0), c.X])
    return Reading(c, c.Y.shape[1], features, z.shape[1], parts)


def _latents(lam: LAM, c: Chain, own: Float[np.ndarray, "rows latent"]) -> Float[np.ndarray, "n any"]:
    """The lean latent of each transition, and the model's own."""
    path = lam.infer(c.X, c.Y, c.start)
    assert path is not None
    return np.column_stack([path.mean[:, 0], np.nan_to_num(own[c.rows], nan=0.0)])


def _parted(both: Float[np.ndarray, "n any"], c: Chain, alone: bool) -> Stretches:
    return stretches(both[:, :1], c, _LOUD) if alone else stretches(both, c, _LOUDER)


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
