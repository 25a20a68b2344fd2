"""What a decoder reads: transitions, latents read in several ways, and held ones found without a label."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from tslam.align.found import Held, find_held
from tslam.align.lean import forward_of, learn_lean, regressors
from tslam.align.offsets import Offsets, learn_offsets
from tslam.align.stretches import Stretches, stretches
from tslam.dynamics.lam import LAM
from tslam.panel.chain import Chain, Structure, chain
from tslam.panel.panel import Panel

__all__ = ["Reader", "Reading", "learn_reader", "read", "transitions_of"]

_LOUD, _LOUDER = 4.0, 6.0
"""Moves that end a stretch, in median moves: of the lean latent alone, and of one among all."""


@dataclass(frozen=True, eq=False)
class Reader:
    """A lean forward model with a held latent, and what else was found without a label."""

    lam: LAM
    structure: Structure
    offsets: Offsets
    alone: bool
    """Do moves of the lean latent alone end a stretch, or those of the model's own as well?"""
    held: tuple[Held, ...] = ()
    """The likeliest first; an alignment that is at rest needs none, as its decoder has its own."""


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
    held: tuple[Held, ...]

    @cached_property
    def levels(self) -> Float[np.ndarray, "n held"]:
        """The held latents that were found without a label, in their order."""
        return np.column_stack(
            [np.zeros((len(self.features), 0)), *(h.model.path(self.chain) for h in self.held)]
        )


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
    """Learn what can be without a label, on the transitions that leave some rows.

    Args:
        panel: The panel.
        within: Columns whose sample is a mean over its interval.
        rows: Rows that may be learnt from.
        latents: The model's own smoothed latents on the rows of the panel.
    """
    c, structure = transitions_of(panel, within)
    train = c.usable & rows[c.rows]
    lam = learn_lean(c, train)
    wide, both = regressors(forward_of(lam), c.X), _latents(lam, c, latents)
    found = {alone: learn_offsets(wide, c, train, _parted(both, c, alone)) for alone in (True, False)}
    alone = found[True][1] >= found[False][1]
    offsets = found[alone][0]
    path = offsets.path(wide, c, _parted(both, c, alone))
    held = find_held(lam, c, train, np.column_stack([path[:, :1], both, path[:, 1:]]))
    return Reader(lam, structure, offsets, alone, held)


def read(reader: Reader, panel: Panel, latents: Float[np.ndarray, "rows latent"]) -> Reading:
    """Read every transition of a panel.

    Args:
        reader: From :func:`learn_reader`.
        panel: The panel.
        latents: The model's own smoothed latents on its rows; NaN where nothing can be said.
    """
    c = chain(panel, reader.structure)
    both = _latents(reader.lam, c, latents)
    parts = _parted(both, c, reader.alone)
    offsets = reader.offsets.path(regressors(forward_of(reader.lam), c.X), c, parts)
    z = np.column_stack([both[:, :1], offsets, both[:, 1:]])
    features = np.column_stack([z, np.nan_to_num(c.Y, nan=0.0), c.X])
    return Reading(c, c.Y.shape[1], features, z.shape[1], parts, reader.held)


def _latents(lam: LAM, c: Chain, own: Float[np.ndarray, "rows latent"]) -> Float[np.ndarray, "n any"]:
    """The lean latent of each transition, and the model's own."""
    path = lam.infer(c.X, c.Y, c.start)
    assert path is not None
    return np.column_stack([path.mean[:, 0], np.nan_to_num(own[c.rows], nan=0.0)])


def _parted(both: Float[np.ndarray, "n any"], c: Chain, alone: bool) -> Stretches:
    return stretches(both[:, :1], c, _LOUD) if alone else stretches(both, c, _LOUDER)
