"""Held latents: how long a history, products of signals or none, and how many latents."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from tslam.config import FitConfig
from tslam.kernels.hac import MeanTest, mean_test
from tslam.kernels.side_by_side import side_by_side
from tslam.panel.chain import Structure
from tslam.select.candidates import Candidate, Data, compare, few_products, fit_held_family, input_lags

__all__ = ["HeldFit", "HeldSearch", "earns"]

_SURE = 0.01
"""p below which more latents are taken to be better."""
_FIRST = 2
"""Latents that histories are compared with: one may have to stand for two things at once."""


_SHORT = 2
"""Longest history that is tried beside products of signals."""


class HeldFit(NamedTuple):
    """A candidate with held latents, and how it was asked for."""

    lags: int
    products: bool
    latents: int
    candidate: Candidate


@dataclass(frozen=True, eq=False)
class HeldSearch:
    """The walk through histories and numbers of latents.

    History hides levels, so that the shortest one is tried beside longer ones, which start from it; and a
    model that is straight where the plant bends makes levels up, so that products are tried too.
    """

    data: Callable[[Structure], Data]
    config: FitConfig
    within: frozenset[str]
    channels: int
    found: dict[tuple[int, bool, int], HeldFit] = field(default_factory=dict)

    def best(self, lags: int) -> HeldFit:
        """The best candidate on held-out rows.

        Args:
            lags: Of the linear model.

        Raises:
            TrainingError: no fit arrived at finite numbers.
        """
        tried = sorted({lags} if self.config.lags else {1, min(2, lags), lags})
        shapes = [(n, False) for n in tried]
        if few_products(self.data(self._structure(lags))):
            shapes += [(n, True) for n in tried if n <= _SHORT or self.config.lags]
        most = min(self.config.max_latents, self.channels)
        count = self.config.latents or max(1, min(_FIRST, most))
        # a longer history starts from the shortest one, with products or without
        walks = [[shape for shape in shapes if shape[1] is wide] for wide in (False, True)]
        found = side_by_side(lambda walk: [self._fit(*shape, count) for shape in walk], walks)
        first = max((fit for walk in found for fit in walk), key=lambda fit: fit.candidate.mean)
        return first if self.config.latents is not None else self._as_many_as_it_takes(first, most)

    def _fit(self, lags: int, products: bool, latents: int) -> HeldFit:
        key = (lags, products, latents)
        if key not in self.found:
            data = self.data(self._structure(lags))
            shorter = self._fit(1, products, latents) if lags > 1 else None
            candidate = fit_held_family(
                data,
                self.config,
                latents,
                products=products,
                shorter=shorter and (shorter.candidate, self.data(self._structure(1))),
            )
            self.found[key] = HeldFit(lags, products, latents, candidate)
        return self.found[key]

    def _structure(self, lags: int) -> Structure:
        return Structure(lags, input_lags(lags), self.within)

    def _as_many_as_it_takes(self, first: HeldFit, most: int) -> HeldFit:
        """Twice as many while that is surely better, and one where two are not: no more than there is."""
        best = first
        # both are mostly asked for: side by side they take the time of one
        counts = [n for n in (2 * first.latents, 1) if n <= most and n != first.latents]
        side_by_side(partial(self._fit, first.lags, first.products), counts)
        while 2 * best.latents <= most:
            more = self._fit(best.lags, best.products, 2 * best.latents)
            if compare(more.candidate, best.candidate).p >= _SURE:
                break
            best = more
        if best is not first or best.latents == 1:
            return best
        one = self._fit(best.lags, best.products, 1)
        return best if compare(best.candidate, one.candidate).p < _SURE else one


def earns(fit: HeldFit, data: Data) -> MeanTest:
    """What the latents of a candidate gain, held out, on the same model without them."""
    c = data.chain
    gain = fit.candidate.lam.causal_gain(c.X, c.Y, c.start)
    return mean_test(np.where(data.held, gain, np.nan))
