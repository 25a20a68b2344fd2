"""What a fitted model says of what comes next, and of what might be done: the thin door to ``plan``."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from tslam.align.alignment import Alignment
from tslam.align.certificate import Experiment
from tslam.align.labels import Label
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

if TYPE_CHECKING:
    from tslam.align.budget import LabelBudget, Window
    from tslam.align.fit import Asked
    from tslam.plan.guard import Override

__all__ = ["Acting"]


class Acting(ABC):
    """Forecasts, replays, alignments and plans of a fitted model."""

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted

    def rollout(
        self,
        df: Any,
        horizon: int,
        *,
        actions: Any = None,
        exog: Any = None,
        latents: Literal["known", "none"] = "known",
        coverage: float = 0.9,
    ) -> Any:
        """Forecast the steps after the last row of every series, with intervals.

        Args:
            df: The history, a frame that meets the contract.
            horizon: Steps ahead.
            actions: Planned actions: a mapping from columns to one value or one per step, or a frame with the
                stamps of the horizon (and of the last row, whose action acts on the first step where its
                timing is ``before``). None, and columns that are not given: held as last logged.
            exog: Exogenous variables over the horizon, in the same way.
            latents: ``known``: as inferred at the last row, decaying by their persistence; ``none``: left
                out.
            coverage: Share of values that the intervals shall hold. They are taken from forecasts that could
                have been made along ``df`` (of the data of the fit, along its held-out rows).

        Returns:
            A frame of the caller's kind with time, series where there is one, step, each channel with
            ``NAME_lower`` and ``NAME_upper`` (null where past forecasts are too few), ``held`` (the share of
            past values inside the intervals given for them) and ``assumes``.

        Raises:
            ConfigError, FrameError, RoleError: what is asked does not fit the contract or the horizon.
            UnvalidatedLatentError: a latent stands among the actions.
        """
        from tslam.plan.rollout import roll  # noqa: PLC0415 - torch loads only when used

        frame, kind = read(df, self._fitted.contract)
        panel = self._panel(frame)
        given = {Role.ACTION: actions, Role.EXOGENOUS: exog}
        tables = [
            roll(
                own, part.lam, part.structure, self._unlearnt(own, part, panel.digest),
                horizon=horizon, given=given, latents=latents, coverage=coverage,
            ).frame()
            for part, own, _ in self._apart(panel)
        ]  # fmt: skip
        return back(pl.concat(tables), kind)

    def replay(self, df: Any, *, start: Any, actions: Mapping[str, Any], end: Any = None) -> Any:
        """What would have happened from ``start`` on, had some logged actions been others.

        Args:
            df: The history, a frame that meets the contract.
            start: Stamp of the row from which actions differ.
            actions: By column one value, one per step, or None: as it was at ``start``.
            end: Stamp of the last row; None: the end of the record, or of its unbroken stretch.

        Returns:
            A frame of the caller's kind: time, series where there is one, each channel as it was and as
            ``NAME_if`` as it would have been, and in ``assumes`` what that rests on.

        Raises:
            ConfigError, FrameError, RoleError: what is asked does not fit the contract or the record.
            UnvalidatedLatentError: a latent stands among the actions.
        """
        from tslam.plan.replay import replay  # noqa: PLC0415 - torch loads only when used

        frame, kind = read(df, self._fitted.contract)
        tables = [
            replay(own, part.lam, part.structure, start=start, end=end, actions=actions)
            for part, own, _ in self._apart(self._panel(frame))
        ]
        return back(pl.concat(tables), kind)

    @one_thread()
    def plan(
        self,
        df: Any,
        goal: Mapping[str, float],
        horizon: int,
        *,
        actions: Sequence[str] | None = None,
        using: Sequence[str] = (),
        exog: Any = None,
        limits: Mapping[str, Any] | None = None,
        method: Literal["cem", "mppi"] = "cem",
        override: "Override | None" = None,
        seed: int | None = None,
    ) -> Any:
        """Search for the typed actions that bring the plant to a goal.

        Ranges, rates, dwell and costs come from the contract (``minimum``, ``maximum``, ``levels``,
        ``max_rate``, ``min_dwell``, ``move_cost``), or from ``limits``; without either an action stays
        where it was seen.

        Args:
            df: The history; the plan begins at the last row of each series.
            goal: Where observations shall be, in their units.
            horizon: Steps to plan.
            actions: Logged actions to turn; None: all numeric ones.
            using: Latents to act upon as the action that they were aligned with. Only through a
                certificate of level ``interventional`` that holds for these data.
            exog: Exogenous variables over the horizon, as in ``rollout``.
            limits: By action a :class:`tslam.plan.dials.Limits` or a mapping of its fields.
            method: ``cem`` (cross-entropy) or ``mppi``.
            override: A person's reason to act on latents that are not validated: logged, and on every
                row.
            seed: Of the search; None: that of the fit.

        Returns:
            A frame of the caller's kind: time from which the actions of a step are in force, series, step,
            the actions, ``NAME_expected`` at the end of the step for each channel of the goal, cost, assumes.

        Raises:
            UnvalidatedLatentError: no certificate covers the latents asked for; it names what is missing.
            PlanError: a goal outside what was ever seen, or limits that cannot be kept.
            ConfigError, FrameError, RoleError: what is asked does not fit the contract.
        """
        from tslam.plan.plan import Request, plan  # noqa: PLC0415 - torch loads only when used

        f = self._fitted
        frame, kind = read(df, f.contract)
        panel = self._panel(frame)
        names = [using] if isinstance(using, str) else list(using)
        request = Request(
            goal, horizon, actions, names, exog, limits, method, override, f.seed if seed is None else seed
        )
        levels = self._levels(panel, "smoothed")
        tables = [
            plan(own, part.lam, part.structure, levels[rows], self.alignments, fingerprint(f), request)
            for part, own, rows in self._apart(panel)
        ]
        return back(pl.concat(tables), kind)

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
        from tslam.align.fit import align  # noqa: PLC0415 - only where it is asked for

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
    ) -> "LabelBudget":
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
        from tslam.align.budget import budget  # noqa: PLC0415 - only where it is asked for

        panel, told, asked = self._asked(df, action, labels, kind)
        return budget(panel, self._levels(panel, "smoothed"), told, asked, target, suggest)

    @one_thread()
    def next_labels(self, df: Any, labels: Sequence[Label] = (), count: int = 5) -> "tuple[Window, ...]":
        """The stretches whose label would tell most, with stamps to look up in a shift log.

        Args:
            df: A frame that meets the contract.
            labels: The labels so far; there need not be any.
            count: How many stretches.
        """
        from tslam.align.budget import next_windows  # noqa: PLC0415 - only where it is asked for

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
    def recheck(self, df: Any) -> Self:
        """The same model, its certificates held against new data and withdrawn where they no longer hold.

        Args:
            df: New data that meet the contract. No label is needed.
        """
        panel = self._panel(read(df, self._fitted.contract)[0])
        latents = self._levels(panel, "smoothed")
        again = tuple(a.recheck(panel, latents) for a in self.alignments)
        return type(self)(replace(self._fitted, alignments=again))

    @one_thread()
    def decode(self, df: Any, action: str) -> Any:
        """The action of every row as an alignment reads it: inferred, never logged.

        Returns:
            A frame of the caller's kind: time, series where there is one, and ``ACTION_inferred``.

        Raises:
            AlignmentError: the model knows no alignment of that action.
        """
        found = next((a for a in self.alignments if a.action == action), None)
        if found is None:
            known = [a.action for a in self.alignments]
            raise AlignmentError(
                f"The model has no alignment of {action!r}; it has {known}. Use with_alignment first."
            )
        contract = self._fitted.contract
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

    def _asked(
        self,
        df: Any,
        action: str,
        labels: Sequence[Label] | None,
        kind: Kind | str | None,
        experiment: Experiment | None = None,
        valid_for: timedelta | float | None = None,
    ) -> "tuple[Panel, Sequence[Label], Asked]":
        """The record, the labels and what is asked, as ``align`` takes them."""
        from tslam.align.fit import Asked  # noqa: PLC0415 - only where it is asked for
        from tslam.align.labels import from_column  # noqa: PLC0415 - see above

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
        from tslam.select.auto import choose  # noqa: PLC0415 - only where it is asked for

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
