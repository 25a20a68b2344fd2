"""From the panel back to what the caller knows: values in the units of the frame, stamps in UTC."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from jaxtyping import Float, Int

from tslam.audit.gap import Stamp
from tslam.contract.roles import Kind, Role
from tslam.panel.panel import Code, Panel

__all__ = ["Decoded", "decode", "stamps"]

_ABSENT = "none"
_ROUNDING = 1e-12
"""Relative size below which a value that was scaled and scaled back is rounding: zero."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """The values of one column on the grid; of a category or an order of words the position in ``levels``."""

    values: Float[np.ndarray, " rows"]
    levels: tuple[str, ...] | None = None


def decode(panel: Panel, column: str) -> Decoded | None:
    """The values of a column as the frame had them, or None where the panel does not hold it."""
    code = next((code for code in panel.encoding.codes if code.column == column), None)
    if code is None:
        return None
    at = [i for i, feature in enumerate(panel.encoding.features(code.role)) if feature.column == column]
    return _decoded(code, _unscaled(panel, code.role, at))


def stamps(panel: Panel, rows: Int[np.ndarray, " n"]) -> tuple[Stamp, ...]:
    """Stamps of grid rows: in UTC where the caller's have a zone, else as they are, or numbers."""
    return tuple(
        stamp.astimezone(UTC) if isinstance(stamp, datetime) and stamp.tzinfo is not None else stamp
        for stamp in panel.stamps(rows).to_list()
    )


def _unscaled(panel: Panel, role: Role, at: list[int]) -> Float[np.ndarray, "rows part"]:
    scaling = panel.scaling
    if role is Role.OBSERVATION:
        scaled, mean, sd = panel.obs, scaling.obs_mean[panel.series_of], scaling.obs_sd[panel.series_of]
    elif role is Role.ACTION:
        scaled, mean, sd = panel.actions, scaling.act_mean[None], scaling.act_sd[None]
    else:
        scaled, mean, sd = panel.exog, scaling.exog_mean[None], scaling.exog_sd[None]
    values = scaled[:, at] * sd[:, at] + mean[:, at]
    noise = _ROUNDING * (np.abs(mean[:, at]) + sd[:, at])
    return np.where(np.abs(values) < noise, 0.0, values)


def _decoded(code: Code, values: Float[np.ndarray, "rows part"]) -> Decoded:
    if code.empty:
        return Decoded(np.full(values.shape[0], np.nan))
    if code.one_hot:
        # Without a flag it is the level that has none: a category's reference, or no event.
        position = np.where(values.max(axis=1) > 0.5, values.argmax(axis=1) + 1.0, 0.0)
        levels = (code.reference or _ABSENT, *code.levels)
        return Decoded(np.where(np.isfinite(values).all(axis=1), position, np.nan), levels)
    if code.kind is Kind.CIRCULAR and code.period is not None:
        turns = np.arctan2(values[:, 0], values[:, 1]) / (2 * math.pi)
        return Decoded(np.mod(turns, 1.0) * code.period)
    return Decoded(values[:, 0], code.levels or None)
