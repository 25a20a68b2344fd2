"""What a fitted model says of what comes next, and of what might be done: the thin door to ``plan``."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from tslam.aligning import Aligning
from tslam.artefact import fingerprint
from tslam.contract.roles import Role
from tslam.dynamics.steady import one_thread
from tslam.panel.ingest import back, read
from tslam.plan.guard import Override
from tslam.plan.plan import Request, plan
from tslam.plan.replay import replay
from tslam.plan.rollout import roll

__all__ = ["Acting"]


class Acting(Aligning):
    """Forecasts, replays and plans of a fitted model."""

    @one_thread()
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

    @one_thread()
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
        override: Override | None = None,
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
