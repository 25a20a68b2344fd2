"""From a frame to a panel: read, encode, lay on the grid, scale."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from tslam.contract.model import Contract
from tslam.contract.roles import Kind, Role
from tslam.errors import FrameError
from tslam.panel.clock import Clock, read_clock
from tslam.panel.digest import digest
from tslam.panel.encode import encode, learn
from tslam.panel.grid import Grid, lay
from tslam.panel.ingest import read
from tslam.panel.panel import Encoding, Feature, Panel, Scaling
from tslam.panel.remarks import remarks, silent
from tslam.panel.scale import adopt, apply, estimate
from tslam.panel.windows import transitions

__all__ = ["LEAST_TRANSITIONS", "ONLY_SERIES", "build"]

LEAST_TRANSITIONS = 30
"""Transitions that a fit needs at the very least."""
ONLY_SERIES = "all"
"""Name of the series where the contract has no series column."""

_ROLES = (Role.OBSERVATION, Role.ACTION, Role.EXOGENOUS)


def build(
    source: Any,
    contract: Contract,
    *,
    max_gap: int = 10,
    scaling: Scaling | None = None,
    encoding: Encoding | None = None,
    step: float | None = None,
) -> Panel:
    """Put a frame on its grid: masked where nothing was measured, scaled, nothing imputed.

    Args:
        source: Polars or pandas frame, LazyFrame, Arrow table, or a path or glob of Parquet.
        contract: The role of every column.
        max_gap: Missing steps that stay as masked rows; a longer gap ends the segment.
        scaling: Of a fitted model, to be reused. Series that it does not know get their own and are
            listed in ``Panel.transferred``.
        encoding: Of the same fitted model, so that channels come out as they did then.
        step: Of the same fitted model (``Panel.step``): the cadence that the frame must have.

    Returns:
        The panel, with notes on everything that was found and handled.

    Raises:
        RoleError: a column that the contract requires is not there.
        CadenceError: duplicate or missing time stamps, mixed cadence, or a cadence that does not fit.
        FrameError: infinities, text in a numeric role, too few rows, or channels unlike the scaling's.
    """
    frame, _ = read(source, contract)
    if frame.height == 0:
        raise FrameError(
            f"The frame has no rows. Give one with more than {LEAST_TRANSITIONS} on a common clock."
        )
    frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    clock = read_clock(frame[contract.time])
    series, names = _series(frame, contract)
    if encoding is None:
        encoding, learnt = learn(frame, contract)
    else:
        learnt = _unknown_columns(frame, contract, encoding)
    values, notes = _encoded(frame, encoding)
    measured = np.isfinite(values[Role.OBSERVATION]).any(axis=1)
    if not measured.any():
        raise FrameError(
            f"No observation was measured in any of {frame.height} rows. Give rows that hold some."
        )
    grid = lay(clock, series, names, measured, given=_given(clock, contract, step), max_gap=max_gap)
    gridded = {role: _gridded(values.pop(role), encoding, role, grid) for role in _ROLES}
    notes = [*grid.notes, *_zone_note(clock, contract), *learnt, *notes]
    panel = _assemble(gridded, contract, encoding, grid, clock, names=names, height=frame.height, notes=notes)
    _refuse_short(panel, frame.height, LEAST_TRANSITIONS if scaling is None else 1)
    return _scaled(replace(panel, digest=digest(panel)), scaling)


def _given(clock: Clock, contract: Contract, step: float | None) -> tuple[float, str] | None:
    if step is not None:
        return clock.ticks_of(step), "the cadence that the model was fitted at"
    if contract.freq is not None:
        return clock.step(contract.freq), f"given as freq={contract.freq!r}"
    return None


def _zone_note(clock: Clock, contract: Contract) -> list[str]:
    if contract.timezone is None or clock.timezone is not None or not clock.dated:
        return []
    return [
        f"Time stamps have no zone, the contract says {contract.timezone!r}; they are taken as they stand."
    ]


def _series(frame: pl.DataFrame, contract: Contract) -> tuple[Int[np.ndarray, " input"], tuple[str, ...]]:
    """Series of each row as an index into the sorted names."""
    if contract.series is None:
        return np.zeros(frame.height, np.int64), (ONLY_SERIES,)
    ids = frame[contract.series]
    if ids.dtype.is_float() and (ids == ids.round()).all():
        ids = ids.cast(pl.Int64)
    if ids.dtype.is_nested() or ids.dtype == pl.Object:
        raise FrameError(f"Series column {ids.name!r} holds {ids.dtype}. Give one name or number per row.")
    if ids.null_count():
        rows = ids.is_null().arg_true()
        raise FrameError(
            f"Series column {ids.name!r} is null in {rows.len()} rows, the first {rows.head(5).to_list()} "
            "(counted from 0). Say which series these rows belong to, or drop them."
        )
    if not ids.dtype.is_numeric():
        ids = ids.cast(pl.String)
    return (ids.rank("dense").to_numpy().astype(np.int64) - 1), tuple(ids.unique().sort().cast(pl.String))


def _unknown_columns(frame: pl.DataFrame, contract: Contract, encoding: Encoding) -> list[str]:
    known = {code.column for code in encoding.codes}
    return [
        f"Column {c.name!r} was absent or empty when the model was fitted; it is left out."
        for c in contract.columns
        if c.role in _ROLES and c.name in frame.columns and c.name not in known
    ]


def _encoded(
    frame: pl.DataFrame, encoding: Encoding
) -> tuple[dict[Role, Float[np.ndarray, "input chan"]], list[str]]:
    values: dict[Role, np.ndarray] = {}
    notes: list[str] = []
    for role in _ROLES:
        values[role], said = encode(frame, encoding, role)
        notes += said
    return values, notes


def _gridded(
    values: Float[np.ndarray, "input chan"], encoding: Encoding, role: Role, grid: Grid
) -> Float[np.ndarray, "rows chan"]:
    """Values on the grid; a row that is not there is missing, or of an input event no event."""
    result = np.full((grid.ticks.size, values.shape[1]), np.nan)
    if role is not Role.OBSERVATION:
        quiet = [
            code.kind is Kind.EVENT and not code.empty for code in encoding.of(role) for _ in code.features()
        ]
        result[:, quiet] = 0.0
    result[grid.position] = values[grid.source]
    return result


def _assemble(
    values: dict[Role, Float[np.ndarray, "rows chan"]],
    contract: Contract,
    encoding: Encoding,
    grid: Grid,
    clock: Clock,
    *,
    names: tuple[str, ...],
    height: int,
    notes: list[str],
) -> Panel:
    """The panel in the units of the frame, with the scaling that it asks for by itself."""
    row_of = np.full(height, -1, np.int64)
    row_of[grid.source] = grid.position
    features = {role: encoding.features(role) for role in _ROLES}
    said = silent(grid.series, names) + [
        note for role in _ROLES for note in remarks(values[role], _names(features[role]), grid.series, names)
    ]
    return Panel(
        contract=contract,
        obs=values[Role.OBSERVATION],
        actions=values[Role.ACTION],
        exog=values[Role.EXOGENOUS],
        channels=_names(features[Role.OBSERVATION]),
        action_features=features[Role.ACTION],
        exog_features=features[Role.EXOGENOUS],
        segments=grid.segments,
        series_names=names,
        series_of=grid.series,
        time=clock.array(grid.ticks),
        step=clock.seconds(grid.step),
        row_of=row_of,
        scaling=estimate(
            values[Role.OBSERVATION], values[Role.ACTION], values[Role.EXOGENOUS], grid.series, names
        ),
        notes=(*notes, *said),
        encoding=encoding,
        timezone=clock.timezone,
    )


def _names(features: tuple[Feature, ...]) -> tuple[str, ...]:
    return tuple(feature.name for feature in features)


def _refuse_short(panel: Panel, height: int, least: int) -> None:
    found = transitions(panel, 1).size
    if found < least:
        raise FrameError(
            f"The frame has {height} rows, which make {found} transitions (a row and the next on the "
            f"grid, with something measured in the latter); at least {least} are needed. Give a longer "
            f"record, or check freq and max_gap. {panel.notes[0]}"
        )


def _scaled(panel: Panel, fitted: Scaling | None) -> Panel:
    """The panel scaled by its own moments, or by a fitted model's."""
    scaling = panel.scaling
    unknown: tuple[str, ...] = ()
    if fitted is not None:
        pairs = [(scaling.obs_mean[0], fitted.obs_mean[0]), (scaling.act_mean, fitted.act_mean)]
        sizes = [(own.size, other.size) for own, other in [*pairs, (scaling.exog_mean, fitted.exog_mean)]]
        if any(own != other for own, other in sizes):
            raise FrameError(
                f"The frame makes {[own for own, _ in sizes]} channels of observations, actions and "
                f"exogenous variables and the fitted model has {[other for _, other in sizes]}. Give the "
                "encoding that was fitted with the scaling, and a frame that meets the same contract."
            )
        scaling, unknown = adopt(scaling, fitted)
    apply(scaling, panel.obs, panel.actions, panel.exog, panel.series_of)
    new = [f"Series {', '.join(map(repr, unknown[:5]))} are new to the model; they are scaled by themselves."]
    notes = (*panel.notes, *(new if unknown else []))
    return replace(panel, scaling=scaling, transferred=unknown, notes=notes)
