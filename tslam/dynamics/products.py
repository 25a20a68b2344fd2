"""Second-order regressors: what a product of two signals does that neither does alone.

A fan and a damper, a pump and a valve, a load and a limit act as products; squares bend what a line
cannot. A ridge model on them is still closed form.

Source: second-order Volterra terms at lag 0; Schetzen, "The Volterra and Wiener Theories of Nonlinear
Systems", 1980. Inputs are bounded by 3 tanh(x / 3), so that extremes do not dominate the squares.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.dynamics.forward import LinearForward

__all__ = ["MOST_PRODUCTS", "ProductForward", "Products", "widened"]

MOST_PRODUCTS = 500
"""Above this many pairs only squares and products with an input are kept: they carry what actions do."""

_PLANE = 1e-9
"""Share of a product's variance that its signals leave, up to which they say it linearly: rounding."""


@dataclass(frozen=True, eq=False)
class Products:
    """Which pairs are multiplied, and how each product is standardised."""

    pairs: Int[np.ndarray, "pair 2"]
    mean: Float[np.ndarray, " pair"]
    sd: Float[np.ndarray, " pair"]

    @classmethod
    def learn(cls, current: Float[np.ndarray, "n signal"], observations: int) -> "Products":
        """Choose pairs and their scale from the current samples.

        Args:
            current: ``[o_t, a_t, x_t]``, standardised.
            observations: How many of the first columns are observations.
        """
        signals = current.shape[1]
        if signals * (signals + 1) // 2 <= MOST_PRODUCTS:
            pairs = np.array(np.triu_indices(signals)).T
        else:
            squares = {(i, i) for i in range(signals)}
            mixed = {(min(i, j), max(i, j)) for j in range(observations, signals) for i in range(signals)}
            pairs = np.array(sorted(squares | mixed))
        raw = _multiply(current, pairs)
        sd = raw.std(axis=0)
        keep = (sd > 1e-9) & ~_said(current, raw, pairs)
        return cls(pairs[keep], raw.mean(axis=0)[keep], sd[keep])

    def of(self, current: Float[np.ndarray, "n signal"]) -> Float[np.ndarray, "n pair"]:
        """Standardised products of the current samples."""
        return np.asarray((_multiply(current, self.pairs) - self.mean) / self.sd)


@dataclass(frozen=True, eq=False)
class ProductForward:
    """o_{t+1} = [X, products of current signals] W + b: locally linear, and still closed form."""

    products: Products
    current: Int[np.ndarray, " signal"]
    """Columns of X that are multiplied."""
    linear: LinearForward
    """On X and the products behind one another."""

    def mean(self, X: Float[np.ndarray, "n feat"]) -> Float[np.ndarray, "n chan"]:
        """Predicted o_{t+1}, in scaled units, one row per transition."""
        return self.linear.mean(widened(X, self.products, self.current))


def widened(
    X: Float[np.ndarray, "n feat"], products: Products, current: Int[np.ndarray, " signal"]
) -> Float[np.ndarray, "n wide"]:
    """X, and behind it the products of its chosen columns."""
    return np.column_stack([X, products.of(X[:, current])])


def _said(
    current: Float[np.ndarray, "n signal"], raw: Float[np.ndarray, "n pair"], pairs: Int[np.ndarray, "pair 2"]
) -> Bool[np.ndarray, " pair"]:
    """Products that their signals say linearly: a square of two values, two signals that exclude each other.

    A ridge would split a signal's effect between the two, and its slope at either value could have any sign.
    """
    x = current - current.mean(axis=0)
    gram, cross = x.T @ x, raw.T @ x
    own = gram[pairs[:, :, None], pairs[:, None, :]]
    along = np.take_along_axis(cross, pairs, axis=1)
    said = np.einsum("pi,pij,pj->p", along, np.linalg.pinv(own, rcond=_PLANE, hermitian=True), along)
    whole = len(raw) * raw.var(axis=0)
    return np.asarray(whole - said <= _PLANE * whole)


def _multiply(
    current: Float[np.ndarray, "n signal"], pairs: Int[np.ndarray, "pair 2"]
) -> Float[np.ndarray, "n pair"]:
    bounded = 3.0 * np.tanh(current / 3.0)
    return np.asarray(bounded[:, pairs[:, 0]] * bounded[:, pairs[:, 1]])
