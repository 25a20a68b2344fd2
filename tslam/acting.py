"""What a fitted model says of what comes next, and of what might be done: the thin door to ``plan``."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Bool

from tslam.artefact import Fitted, Part
from tslam.contract.roles import Role
from tslam.panel import Panel
from tslam.panel.ingest import back, read

__all__ = ["Acting"]


class Acting(ABC):
    """Forecasts, replays, alignments and plans of a fitted model."""

    _fitted: Fitted

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

    @abstractmethod
    def _panel(self, frame: pl.DataFrame) -> Panel:
        """The frame on the grid of the fit."""

    @abstractmethod
    def _apart(self, panel: Panel) -> Iterator[tuple[Part, Panel, slice]]:
        """Each part of the model that the panel has rows for, with those rows."""

    @abstractmethod
    def _unlearnt(self, panel: Panel, part: Part, digest: str) -> Bool[np.ndarray, " rows"]:
        """Rows whose transition the fit has not learnt from."""
