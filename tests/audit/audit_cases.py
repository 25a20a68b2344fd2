"""Records with one known fault, the ground of a record, and the audit through the public door."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl

import tslam
from tslam.audit.gap import Gap, GapKind, Severity
from tslam.audit.ground import Ground, lay_ground
from tslam.contract import Contract, from_arguments
from tslam.panel import build
from tslam.panel.chain import Structure
from tslam.plants import Record, linear
from tslam.plants.plant import TIME
from tslam.report import GapReport

LAGS = 4
"""Past samples that the ground sees at least."""


def easy(seed: int = 0, rows: int = 3000, **settings: Any) -> Record:
    """A linear plant on which every kind of gap is plain to see."""
    return linear(rows=rows, seed=seed, **({"d": 6, "exog": 2} | settings))


def audited(record: Record, frame: pl.DataFrame | None = None, **settings: Any) -> GapReport:
    """Fit and audit a record, or another frame of the same columns, as a user would."""
    data = record.frame if frame is None else frame
    roles: dict[str, Any] = {} if "contract" in settings else dict(record.roles())
    return tslam.fit(data, **({"config": "linear", "progress": False} | roles | settings)).audit(data)


def contract_of(record: Record) -> Contract:
    """The contract that the roles of a record amount to."""
    return from_arguments(dict(record.frame.schema), **record.roles())[0]


def ground_of(record: Record, frame: pl.DataFrame | None = None, extra: Sequence[str] = ()) -> Ground:
    """The rich model of a record, or of another frame of it that logs some actions more."""
    data = record.frame if frame is None else frame
    roles = record.roles() | {"actions": (*record.actions, *extra)}
    contract, _ = from_arguments(dict(data.schema), **roles)
    return lay_ground(build(data, contract), Structure(LAGS, 2))


def frozen(frame: pl.DataFrame, column: str, first: int, stop: int) -> pl.DataFrame:
    """The log keeps the value of row ``first`` up to row ``stop``, whatever is done."""
    values = _values(frame, column)
    values[first:stop] = values[first]
    return frame.with_columns(pl.Series(column, values))


def delayed(frame: pl.DataFrame, column: str, steps: int) -> pl.DataFrame:
    """The log is late."""
    values = _values(frame, column)
    return frame.with_columns(pl.Series(column, np.append(np.repeat(values[0], steps), values[:-steps])))


def on_or_off(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The log only says whether the action is above its median."""
    values = _values(frame, column)
    return frame.with_columns(pl.Series(column, (values > np.median(values)).astype(float)))


def constant(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The log never changes."""
    return frame.with_columns(pl.lit(_values(frame, column)[0]).alias(column))


def swapped(frame: pl.DataFrame, column: str, other: Record) -> pl.DataFrame:
    """The log is that of a plant that this one has nothing to do with."""
    return frame.with_columns(other.frame[column])


def of_kind(gaps: Iterable[Gap], kind: GapKind) -> list[Gap]:
    """The gaps of one kind."""
    return [gap for gap in gaps if gap.kind is kind]


def alarms(report: GapReport) -> list[Gap]:
    """The gaps that matter: warnings and above."""
    return [gap for gap in report.gaps if gap.severity.rank >= Severity.WARNING.rank]


def overlap(frame: pl.DataFrame, gap: Gap, truth: np.ndarray) -> float:
    """Rows in both the gap's windows and the truth over rows in either."""
    said = np.zeros(frame.height, bool)
    for first, last in gap.windows:
        said |= frame[TIME].is_between(first, last).to_numpy()
    return float((said & truth).sum() / (said | truth).sum())


def _values(frame: pl.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy().copy()
