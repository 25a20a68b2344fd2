"""Columns that the contract declares and the data lack; and a panel with known faults set right."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tslam.audit.excitation import Excitation
from tslam.audit.finding import Claim
from tslam.audit.gap import Evidence, GapKind
from tslam.contract.roles import Role
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds

__all__ = ["Shift", "claim_columns", "rectified"]


def claim_columns(panel: Panel, excited: list[Excitation]) -> list[Claim]:
    """Actions and exogenous variables that were never logged, or not in some series."""
    seen = {feature.column for feature in (*panel.action_features, *panel.exog_features)}
    absent = [c for c in panel.contract.columns if c.name not in seen]
    claims = [
        _empty_action(panel, x.column, x.empty_series if x.measured else ())
        for x in excited
        if not x.measured or x.empty_series
    ]
    claims += [_empty_action(panel, c.name, ()) for c in absent if c.role is Role.ACTION]
    claims += [_empty_driver(c.name) for c in absent if c.role is Role.EXOGENOUS]
    for i, feature in enumerate(panel.exog_features):
        if not np.isfinite(panel.exog[:, i]).any():
            claims.append(_empty_driver(feature.column))
    return claims


def _empty_driver(column: str) -> Claim:
    return Claim(
        GapKind.MISSING_EXOGENOUS, column, 0.0, 1.0, 0.0,
        f"Deliver {column}: the contract declares it and the data hold no value.",
        (Evidence(name="measured", value=0.0, reading="Not one value in the record."),),
        most="warning", fact=True,
    )  # fmt: skip


def _empty_action(panel: Panel, column: str, series: tuple[str, ...]) -> Claim:
    """A column without a value in the series named, or in the whole record where none is."""
    everywhere = not series
    where = "in the record" if everywhere else f"in series {', '.join(series)}"
    whole = range(len(panel.series_names))
    concerned = [i for i in whole if everywhere or panel.series_names[i] in series]
    spans = tuple((s.start, s.stop - 1) for s in panel.segments if s.series in concerned)
    return Claim(
        GapKind.LOG_OUTAGE, column, 0.0, 1.0, 0.0,
        f"Deliver {column}: the contract declares it and no value was logged {where}.",
        (Evidence(name="measured", value=0.0, reading=f"No value of {column} {where}."),),
        windows=spans, series=series or None, most="warning", fact=True,
        suggested=column,
    )  # fmt: skip


class Shift(NamedTuple):
    """Steps by which a column's log is late or, below 0, by which the plant answers it late."""

    column: str
    steps: int
    series: frozenset[str] | None = None
    """Series concerned; None: all."""


def rectified(panel: Panel, shifts: Iterable[Shift], without: Collection[str]) -> Panel:
    """The panel with each log moved to where its effect begins, and without the logs that say nothing.

    Args:
        panel: The data.
        shifts: What to move. At the ends of a segment the nearest logged value is kept.
        without: Columns whose log is blanked.
    """
    start, stop = bounds(panel)
    actions = panel.actions.copy()
    row = np.arange(panel.rows)
    for column, steps, series in shifts:
        at = panel.features_of(column)
        named = np.array([series is None or name in series for name in panel.series_names])
        own = named[panel.series_of]
        moved = actions[np.clip(row + steps, start, stop - 1)][:, at]
        actions[:, at] = np.where(own[:, None], moved, actions[:, at])
    for column in without:
        actions[:, panel.features_of(column)] = np.nan
    return replace(panel, actions=actions)
