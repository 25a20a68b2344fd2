"""An alignment: one action, the latents that stand for it, the way there and back, and what that is worth."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from tslam.align.altered import altered
from tslam.align.certificate import Certificate
from tslam.align.decoder import Decoder, positions
from tslam.align.detectable import Detectable, detectable
from tslam.align.drift import departures
from tslam.align.driven import Driven
from tslam.align.labels import Holds
from tslam.align.mistold import mistold
from tslam.align.reading import Reader, Reading, read
from tslam.align.tied import Tied
from tslam.align.usage import changed_use, seen_gains
from tslam.errors import AlignmentError
from tslam.panel.panel import Panel

__all__ = ["Alignment", "Controller", "digest_of"]

_SHORTEST = 5
"""Fewest rows of a label that is held against what is read."""


@dataclass(frozen=True)
class Controller:
    """(a, s) → z: the latent of the tied model that an action is.

    The state enters through the forward model of that latent, which was fitted together with it.
    """

    level: float
    unit: float

    def __call__(self, action: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The latent that stands for an action, in the action's unit."""
        return np.asarray((action - self.level) / self.unit)


@dataclass(frozen=True, eq=False)
class Alignment:
    """Latent and typed action, tied to each other by labels. Frozen."""

    action: str
    reader: Reader
    decoder: Decoder
    tied: Tied | None
    """The forward model whose latent is the action; None for levels and events."""
    certificate: Certificate
    driven: Driven | None = None
    """The plant's model with the action as an input; only where the certificate is predictive or better."""

    @property
    def latents(self) -> tuple[str, ...]:
        """Latents of the model that stand for the action."""
        return self.certificate.latents

    @property
    def controller(self) -> Controller | None:
        """(a, s) → z, where the action is a number."""
        return None if self.tied is None else Controller(self.tied.level, self.tied.unit)

    def reading(self, panel: Panel, latents: Float[np.ndarray, "rows latent"]) -> Reading:
        """What the decoder reads of a panel."""
        return read(self.reader, panel, latents)

    def values(self, reading: Reading, rows: int) -> Float[np.ndarray, " rows"]:
        """The action on grid rows as it is read; NaN where there is no transition."""
        out = np.full(rows, np.nan)
        out[reading.chain.rows] = self.decoder.read(reading)
        return out

    def contradicted(self, reading: Reading, panel: Panel) -> tuple[str, ...]:
        """What contradicts the certificate without any label, in words; empty where nothing does.

        Args:
            reading: What is read of new data.
            panel: The new data.
        """
        own, found = self.certificate, list[str]()
        if self.tied is None:
            return ()
        if own.changes is not None:
            found += altered(own.changes, self.tied, panel, reading.chain)
        found += departures(own.drift, self.tied, reading.chain, panel.channels, own.range)
        if own.use is not None:
            found += changed_use(own.use, self.decoder.read(reading, plain=True), reading.chain)
        return tuple(found)

    def detectable(self, reading: Reading) -> Detectable:
        """Which gains of the action a recheck of this would have told without labels.

        Raises:
            AlignmentError: nothing was kept that levels are compared with.
        """
        if self.certificate.use is None:
            raise AlignmentError(
                f"The certificate of {self.action!r} says nothing of how it is used: it is no number, or "
                "fewer than 30 holds were in the record. Recheck with labels, or align on a longer record."
            )
        path = self.decoder.read(reading, plain=True)
        return detectable(self.action, *seen_gains(self.certificate.use, path, reading.chain))

    def recheck(
        self, panel: Panel, latents: Float[np.ndarray, "rows latent"], holds: Holds | None = None
    ) -> "Alignment":
        """The same alignment, or with its certificate withdrawn where it no longer holds on this panel.

        Args:
            panel: New data.
            latents: The model's smoothed latents on its rows.
            holds: Labels of the action there; None: what is known without any.

        Raises:
            AlignmentError: every label is too short.
        """
        own = self.certificate
        if own.withdrawn is not None or self.tied is None:
            return self
        reading = self.reading(panel, latents)
        found = self.contradicted(reading, panel)
        if holds is not None:
            holds = _long_enough(holds, reading)
            at = positions(holds, reading)
            path = self.decoder.read(reading, plain=True)
            found = (*found, *mistold(own.drift, own.misread, path, at, holds.numbers()))
        if not found:
            return self
        return replace(self, certificate=self.certificate.withdraw("; ".join(found[:3])))


def _long_enough(holds: Holds, reading: Reading) -> Holds:
    """Labels long enough to be held against what is read.

    Raises:
        AlignmentError: there is none.
    """
    left = reading.chain.rows[reading.chain.usable]
    kept = [i for i, rows in enumerate(holds.rows) if np.isin(rows, left).sum() >= _SHORTEST]
    if not kept:
        raise AlignmentError(
            f"No label has {_SHORTEST} rows with measurements; what is read of so short a stretch says too "
            "little. Give a longer one, or recheck without labels."
        )
    return holds.take(kept)


def digest_of(arrays: Mapping[str, Any]) -> str:
    """Fingerprint of arrays and plain values, by name."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        value = arrays[name]
        total.update(name.encode())
        total.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return total.hexdigest()
