"""What a fitted model's latents are, once labels say: the thin door to ``align``."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from tslam.align.alignment import Alignment
from tslam.align.budget import LabelBudget, Window, budget, next_windows
from tslam.align.certificate import Experiment
from tslam.align.detectable import Detectable
from tslam.align.fit import Asked, align
from tslam.align.labels import Label, from_column, lay
from tslam.artefact import Fitted, Part, fingerprint
from tslam.contract import Column, Contract
from tslam.contract.latents import read_name
from tslam.contract.roles import Kind, Role
from tslam.dynamics.inverse import Mode
from tslam.dynamics.lam import LAM
from tslam.dynamics.steady import one_thread
from tslam.errors import AlignmentError, ConfigError
from tslam.panel import Panel
from tslam.panel.chain import Structure
from tslam.panel.ingest import back, read
from tslam.select.auto import choose

__all__ = ["Aligning"]


class Aligning(ABC):
    """Alignments of a fitted model: made, put to it, held against new data, read through."""

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted

    @property
    def alignments(self) -> tuple[Alignment, ...]:
        """What the model's latents were aligned with, certificates included."""
        return self._fitted.alignments

    @one_thread()
    def align(
        self,
        df: Any,
        action: str,
        *,
        labels: Sequence[Label] | None = None,
        kind: Kind | str | None = None,
        experiment: Experiment | None = None,
        valid_for: timedelta | float | None = None,
    ) -> Alignment:
        """Tie the latents to a typed action, from a few labels, and certify what that is worth.

        Where the certificate is predictive or better, the plant's model is fitted anew for plans, with the
        action among its inputs as labelled and read; that takes about as long as the fit did.

        Args:
            df: The record, a frame that meets the contract. Without ``labels`` it has a column ``action``
                that holds the action where it is known and null elsewhere.
            action: Name of the action that the labels are about.
            labels: Holds with their start, end and value, from an event log or from tickets.
            kind: ``continuous``, ``ordinal``, ``categorical`` or ``event``; None: as the contract says, else
                a category where labels are text.
            experiment: The logged intervention that some of the labels come from. Without one a certificate
                says at most that the action is predicted, not that setting it does what the model says.
            valid_for: How long after the end of ``df`` the certificate holds, in the time of the data; None:
                as long as ``df`` is.

        Returns:
            The frozen alignment: decoder, controller, certificate. ``with_alignment`` puts it to the model.

        Raises:
            AlignmentError: labels lie outside the data, contradict each other, or say one value only.
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
            ConfigError: each series was fitted alone.
        """
        panel, told, asked = self._asked(df, action, labels, kind, experiment, valid_for)
        return align(panel, self._levels(panel, "smoothed"), told, asked, self._again)

    @one_thread()
    def label_budget(
        self,
        df: Any,
        action: str,
        *,
        labels: Sequence[Label] | None = None,
        kind: Kind | str | None = None,
        target: float = 0.9,
        suggest: int = 5,
    ) -> LabelBudget:
        """What labels are worth: the learning curve, how many reach a target, and which to get next.

        Args:
            df: The record, as in ``align``.
            action: Name of the action.
            labels: The labels so far, as in ``align``.
            kind: Kind of the action, as in ``align``.
            target: R² of the level, or accuracy, to be reached on later labels.
            suggest: How many stretches to suggest.

        Raises:
            AlignmentError: labels are wrong, or too few to hold any out.
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
        """
        panel, told, asked = self._asked(df, action, labels, kind)
        return budget(panel, self._levels(panel, "smoothed"), told, asked, target, suggest)

    @one_thread()
    def next_labels(self, df: Any, labels: Sequence[Label] = (), count: int = 5) -> tuple[Window, ...]:
        """The stretches whose label would tell most, with stamps to look up in a shift log.

        Args:
            df: A frame that meets the contract.
            labels: The labels so far; there need not be any.
            count: How many stretches.
        """
        panel = self._panel(read(df, self._fitted.contract)[0])
        within = self._one_part().structure.within
        return next_windows(panel, self._levels(panel, "smoothed"), labels, within, count)

    def with_alignment(self, alignment: Alignment) -> Self:
        """The same model, knowing an alignment; one of the same action is replaced.

        Raises:
            AlignmentError: the alignment was made with another model, or its certificate was changed.
        """
        own = alignment.certificate
        if own.model != fingerprint(self._fitted) or not own.intact:
            raise AlignmentError(
                f"The alignment of {alignment.action!r} was made with another model, or its certificate was "
                "changed since. Align again with this model."
            )
        kept = tuple(a for a in self.alignments if a.action != alignment.action)
        return type(self)(replace(self._fitted, alignments=(*kept, alignment)))

    @one_thread()
    def recheck(self, df: Any, action: str | None = None, *, labels: Sequence[Label] | None = None) -> Self:
        """The same model, its certificates held against new data and withdrawn where they no longer hold.

        Without a label that is what the models of the aligned latents leave of the data; whether these are
        likelier as if one sensor, or one logged action, were on another scale; and the levels at which
        actions are read, hold by hold. That the aligned action itself does more than it did, or less, takes
        dozens of holds to see in those, and cannot be told from another use of it; four labels tell.
        What the data at hand could have told :meth:`detectable` says.

        Args:
            df: New data that meet the contract.
            action: An aligned action of which there are labels, in a column of that name as in ``align``, or
                in ``labels``; None: there are none.
            labels: Its labels.

        Raises:
            AlignmentError: the model knows no alignment of that action, or labels lie outside the data,
                contradict each other, or are all too short.
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
        """
        contract, holds = self._fitted.contract, None
        panel = self._panel(read(df, contract)[0])
        if action is not None:
            self._alignment_of(action)
            if labels is None:
                labels = from_column(_labelled(df, contract, action), action, contract.time, contract.series)
            holds = lay(labels, panel, least=1)
        latents = self._levels(panel, "smoothed")
        again = tuple(
            a.recheck(panel, latents, holds if a.action == action else None) for a in self.alignments
        )
        return type(self)(replace(self._fitted, alignments=again))

    @one_thread()
    def detectable(self, df: Any, action: str) -> Detectable:
        """Which changes of an action a recheck of these data would have told without labels.

        A certificate that stands after a recheck says no more than this.

        Args:
            df: New data that meet the contract.
            action: The aligned action.

        Raises:
            AlignmentError: the model knows no alignment of that action, or its certificate keeps no levels to
                compare with.
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
        """
        found = self._alignment_of(action)
        panel = self._panel(read(df, self._fitted.contract)[0])
        return found.detectable(found.reading(panel, self._levels(panel, "smoothed")))

    @one_thread()
    def decode(self, df: Any, action: str) -> Any:
        """The action of every row as an alignment reads it: inferred, never logged.

        What is read goes little farther (a tenth) than it did in the record that was learnt from: beyond lie
        states that the model never met. What asks whether anything has changed sees it as it is.

        Returns:
            A frame of the caller's kind: time, series where there is one, and ``ACTION_inferred``.

        Raises:
            AlignmentError: the model knows no alignment of that action.
        """
        found, contract = self._alignment_of(action), self._fitted.contract
        frame, kind = read(df, contract)
        panel = self._panel(frame)
        reading = found.reading(panel, self._levels(panel, "smoothed"))
        path = np.full(panel.rows + 1, np.nan)
        path[reading.chain.rows] = found.decoder.read(reading)
        placed = pl.Series(read_name(action), path[panel.row_of]).fill_nan(None)
        if found.decoder.levels:
            names = dict(enumerate(found.decoder.levels))
            placed = placed.cast(pl.Int64).replace_strict(names, return_dtype=pl.String, default=None)
        keys = frame.select(c for c in (contract.time, contract.series) if c is not None)
        return back(keys.with_columns(placed), kind, roles={placed.name: "latent"})

    def _alignment_of(self, action: str) -> Alignment:
        """The alignment of an action.

        Raises:
            AlignmentError: the model knows none.
        """
        found = next((a for a in self.alignments if a.action == action), None)
        if found is None:
            known = [a.action for a in self.alignments]
            raise AlignmentError(
                f"The model has no alignment of {action!r}; it has {known}. Use with_alignment first."
            )
        return found

    def _asked(
        self,
        df: Any,
        action: str,
        labels: Sequence[Label] | None,
        kind: Kind | str | None,
        experiment: Experiment | None = None,
        valid_for: timedelta | float | None = None,
    ) -> tuple[Panel, Sequence[Label], Asked]:
        """The record, the labels and what is asked, as ``align`` takes them."""
        f, part = self._fitted, self._one_part()
        contract = f.contract
        panel = self._panel(read(df, contract)[0])
        if labels is None:
            labels = from_column(_labelled(df, contract, action), action, contract.time, contract.series)
        column = next((c for c in contract.columns if c.name == action), None)
        given = Kind(kind) if kind is not None else None if column is None else column.kind
        names = tuple(info.name for info in part.latents)
        unit = None if column is None else column.unit
        within, model = part.structure.within, fingerprint(f)
        return panel, labels, Asked(action, given, unit, within, names, model, experiment, valid_for, f.seed)

    def _again(self, panel: Panel) -> tuple[LAM, Structure]:
        """The model of another panel, fitted with the settings of this one."""
        f = self._fitted
        settings = f.config.model_copy(update={"preset": None})
        found = choose(panel, settings, seed=f.seed, device="auto", progress=False).candidate
        return found.lam, found.structure

    def _one_part(self) -> Part:
        """The model of all series.

        Raises:
            ConfigError: each series was fitted alone.
        """
        if len(self._fitted.parts) > 1:
            raise ConfigError(
                "Each series was fitted alone (per_series=True), so that no latent is common to them. "
                "Fit one model for the fleet, or one model per series."
            )
        return self._fitted.parts[0]

    @abstractmethod
    def _levels(self, panel: Panel, mode: Mode) -> Float[np.ndarray, "rows latent"]:
        """Latents on the grid rows."""

    @abstractmethod
    def _panel(self, frame: pl.DataFrame) -> Panel:
        """The frame on the grid of the fit."""

    @abstractmethod
    def _apart(self, panel: Panel) -> Iterator[tuple[Part, Panel, slice]]:
        """Each part of the model that the panel has rows for, with those rows."""

    @abstractmethod
    def _unlearnt(self, panel: Panel, part: Part, digest: str) -> Bool[np.ndarray, " rows"]:
        """Rows whose transition the fit has not learnt from."""


def _labelled(df: Any, contract: Contract, action: str) -> pl.DataFrame:
    """Time, series and the labelled column of a frame.

    Raises:
        RoleError: the frame has no such column.
    """
    keys = [c for c in contract.columns if c.role in {Role.TIME, Role.SERIES}]
    loose = [c.model_copy(update={"required": False}) for c in contract.columns if c.role is Role.OBSERVATION]
    own = Contract(
        columns=(*keys, *(c for c in loose if c.name != action), Column(name=action, role=Role.ACTION))
    )
    return read(df, own)[0].select(*(c.name for c in keys), action)
