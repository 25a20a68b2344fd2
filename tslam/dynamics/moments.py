"""First and second moments in one pass over rows: all that a closed form needs, however long the record."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Self

import numpy as np
from jaxtyping import Float

from tslam.errors import TrainingError

__all__ = ["Moments", "gather"]


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and scatter of some rows. Those of two stretches add up; memory does not grow with rows.

    Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances", COMPSTAT 1982: stable where means are large beside spreads.
    """

    rows: int
    mean: Float[np.ndarray, " width"]
    scatter: Float[np.ndarray, "width width"]
    """Sum over the rows of the outer product of each with itself, mean taken off."""
    left_out: int = 0
    """Rows with a value that was not measured; nothing is filled in."""

    @classmethod
    def of(cls, V: Float[np.ndarray, "n width"]) -> Self:
        """Moments of some rows; those with a missing value are left out and counted."""
        whole = V if np.isfinite(V.sum()) else V[np.isfinite(V).all(axis=1)]
        if not len(whole):
            width = V.shape[1]
            return cls(0, np.zeros(width), np.zeros((width, width)), len(V))
        mean = whole.mean(axis=0)
        away = whole - mean
        return cls(len(whole), mean, away.T @ away, len(V) - len(whole))

    def __add__(self, other: Self) -> Self:
        rows = self.rows + other.rows
        if rows == 0:
            return type(self)(0, self.mean, self.scatter, self.left_out + other.left_out)
        apart = other.mean - self.mean
        share = other.rows / rows
        scatter = self.scatter + other.scatter + np.outer(apart, apart) * (self.rows * share)
        return type(self)(rows, self.mean + share * apart, scatter, self.left_out + other.left_out)

    @property
    def cov(self) -> Float[np.ndarray, "width width"]:
        """Covariance, divided by the number of rows."""
        return np.asarray(self.scatter / max(1, self.rows))


def gather(chunks: Iterable[Float[np.ndarray, "_ width"]]) -> Moments:
    """Moments of all chunks together, one pass, a chunk at a time.

    Args:
        chunks: Arrays of rows of one width.

    Raises:
        TrainingError: no row was whole.
    """
    parts = (Moments.of(chunk) for chunk in chunks)
    first = next(parts, None)
    total = None if first is None else reduce(add, parts, first)
    if total is None or total.rows == 0:
        raise TrainingError(
            f"No row has every value measured ({0 if total is None else total.left_out} rows were given). "
            "Leave out columns that are empty, or carry inputs forward before."
        )
    return total
