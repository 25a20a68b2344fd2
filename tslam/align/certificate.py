"""The certificate: what was validated of an alignment, on what, how far it reaches, and when it ends.

A certificate says what it rests on, and the level follows from that: nobody sets it. The seal is a digest of
everything that it says, so that one which was edited, by hand, by copying with changes or on disk, is no
certificate any more. It guards against accidents and short cuts, not against forgery.
"""

import hashlib
from enum import StrEnum
from typing import Self

from pydantic import Field

from tslam.audit.gap import Stamp
from tslam.contract.frozen import Frozen

__all__ = [
    "Certificate",
    "Change",
    "Changes",
    "Check",
    "Consistency",
    "Experiment",
    "Level",
    "Range",
    "Use",
    "Validation",
]

_SURE = 0.8
"""Least lower end of the interval of R² or accuracy, on held-out time, for a predictive certificate."""
_SEEN = 0.5
"""The same on labels left out one after the other, for a correlational one."""
_FEWEST = 4
"""Fewest labels on held-out time, and fewest moves in an experiment."""


class Level(StrEnum):
    """What an alignment has been shown to be."""

    NONE = "none"
    CORRELATIONAL = "correlational"
    PREDICTIVE = "predictive"
    INTERVENTIONAL = "interventional"


class Range(Frozen):
    """Where a quantity was while the alignment was validated, in its own unit."""

    name: str
    low: float
    high: float


class Use(Frozen):
    """How the action was used while it was validated: later holds are compared with these."""

    levels: tuple[float, ...] = Field(description="Level of each hold of the record, as it is read")
    error: float = Field(gt=0, description="Width of a level: how far from it a hold may be read")


class Change(Frozen):
    """A change that new data are held against: one sensor, or one logged action, on another scale."""

    kind: str = Field(description="sensor or action")
    name: str
    factor: float = Field(gt=0, description="How many times as much it reads, or does")
    centre: float = Field(description="What it is multiplied about, in its own unit")
    least: float = Field(ge=0, description="Log-likelihood ratio per row from which it counts")


class Changes(Frozen):
    """The changes that the certified record would contradict."""

    usual: float = Field(description="Log-likelihood per row of the poorer parts of the record")
    tried: tuple[Change, ...]


class Misread(Frozen):
    """How labels were read while the action was validated: later ones are compared with it."""

    error: float = Field(gt=0, description="Scale of the error of a long hold, in the unit of the action")
    middle: float = Field(description="Middle of the labelled range")


class Check(Frozen):
    """One response check: what was looked at, what was found."""

    name: str = Field(description="sign, gain, dose or order")
    passed: bool
    reading: str


class Consistency(Frozen):
    """Accuracy in one part of the held-out labels: a half of an exogenous variable, or a series."""

    part: str
    value: float


class Validation(Frozen):
    """Accuracy on labels that were not learnt from."""

    measure: str = Field(description="r2 or accuracy")
    value: float
    low: float = Field(description="Lower end of the 90% interval, over labels")
    high: float
    labels: int
    later: bool = Field(description="Were the labels later in time than all that were learnt from?")
    baseline: float | None = Field(None, description="The same of a ridge model from labels alone")


class Experiment(Frozen):
    """A logged intervention: somebody moved the action on purpose, to see what follows."""

    by: str = Field(min_length=1, description="Who moved it")
    reason: str = Field(min_length=1, description="What for, and how the moves were chosen")
    start: Stamp
    end: Stamp


class Certificate(Frozen):
    """What was validated of one alignment. Frozen; made by ``model.align`` only."""

    action: str
    kind: str
    unit: str | None = None
    latents: tuple[str, ...] = Field(description="Latents of the model that stand for the action")
    model: str = Field(description="Fingerprint of the model")
    decoder: str = Field(description="Fingerprint of the alignment")
    data: str = Field(description="Digest of the data")
    period: tuple[Stamp, Stamp] = Field(description="First and last stamp of the data")
    labels: int
    validation: Validation
    range: Range | None = Field(description="Labelled range of the action; None for levels")
    levels: tuple[str, ...] = ()
    regime: tuple[Range, ...] = Field(description="Where everything else was")
    checks: tuple[Check, ...] = ()
    consistency: tuple[Consistency, ...] = ()
    experiment: Experiment | None = None
    moves: int = Field(0, description="Labelled moves inside the experiment")
    expires: Stamp = Field(description="Data after this stamp are not covered")
    drift: tuple[Range, ...] = Field(
        (), description="Limits of what the model leaves of each channel, against what it left then"
    )
    use: Use | None = Field(None, description="How the action was used; None: too few holds to tell")
    misread: Misread | None = Field(None, description="How labels are misread; None: not a number")
    changes: Changes | None = Field(
        None, description="Changes of sensors and logged actions that can be told"
    )
    withdrawn: str | None = Field(None, description="Why it no longer holds")
    seal: str = ""

    @property
    def level(self) -> Level:
        """What the evidence amounts to."""
        v = self.validation
        if self.withdrawn is not None or not v.low >= (_SURE if v.later else _SEEN):
            held = self.withdrawn is None and v.low >= _SEEN
            return Level.CORRELATIONAL if held else Level.NONE
        if not v.later or v.labels < _FEWEST or not all(check.passed for check in self.checks):
            return Level.CORRELATIONAL
        if self.experiment is None or self.moves < _FEWEST:
            return Level.PREDICTIVE
        return Level.INTERVENTIONAL

    @property
    def intact(self) -> bool:
        """Does it still say what it said when it was made?"""
        return self.seal == self._digest()

    def sealed(self) -> Self:
        """The same, sealed."""
        return self.model_copy(update={"seal": self._digest()})

    def withdraw(self, reason: str) -> Self:
        """The same, withdrawn. There is no way back but another alignment."""
        return self.model_copy(update={"withdrawn": reason}).sealed()

    def missing(self) -> tuple[str, ...]:
        """What it lacks to be acted upon, in words; empty where nothing is."""
        v, out = self.validation, []
        if self.withdrawn is not None:
            out.append(f"it was withdrawn: {self.withdrawn}")
        if not v.later or v.labels < _FEWEST:
            out.append(
                f"validation on at least {_FEWEST} labels later than those learnt from ({v.labels} there)"
            )
        if not v.low >= _SURE:
            out.append(f"{v.measure} surely above {_SURE} (its 90% interval begins at {v.low:.2f})")
        out += [f"the response check {c.name!r}: {c.reading}" for c in self.checks if not c.passed]
        if self.experiment is None:
            out.append("a logged experiment (align(..., experiment=Experiment(by=, reason=, start=, end=)))")
        elif self.moves < _FEWEST:
            out.append(f"at least {_FEWEST} labelled moves inside the experiment ({self.moves} there)")
        return tuple(out)

    def _digest(self) -> str:
        fields = Certificate.model_dump_json(self, exclude={"seal"})
        return hashlib.sha256(fields.encode()).hexdigest()
