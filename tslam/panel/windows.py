"""Windows by index: transitions of a panel, and their regressors and targets."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tslam.errors import ConfigError
from tslam.panel.panel import Feature, Panel

__all__ = ["Design", "bounds", "carried_share", "carry", "design", "transitions"]


@dataclass(frozen=True, eq=False)
class Design:
    """Regressors and targets of the transitions t → t + 1.

    ``X`` is [history | logged actions | exogenous], without a constant: history newest first, inputs
    from the newest offset to the oldest. ``terms`` names each column of ``X``: the channel, and its
    offset to t in steps (0 is o_t or a_t, -1 the sample before, 1 is a_{t+1}).
    """

    rows: Int[np.ndarray, " n"]
    X: Float[np.ndarray, "n feat"]
    Y: Float[np.ndarray, "n chan"]
    history: slice
    actions: slice
    exog: slice
    terms: tuple[tuple[str, int], ...]


def bounds(panel: Panel) -> tuple[Int[np.ndarray, " rows"], Int[np.ndarray, " rows"]]:
    """First row of each row's segment, and the row after its last."""
    starts = np.array([segment.start for segment in panel.segments], np.int64)
    stops = np.array([segment.stop for segment in panel.segments], np.int64)
    return np.repeat(starts, stops - starts), np.repeat(stops, stops - starts)


def transitions(panel: Panel, lags: int) -> Int[np.ndarray, " n"]:
    """Rows t whose window t - lags + 1 .. t + 1 lies in one segment, with something measured at t + 1.

    Args:
        panel: The panel.
        lags: Samples of history, at least 1.
    """
    start, stop = bounds(panel)
    row = np.arange(panel.rows)
    measured = np.append(np.any(panel.observed[1:], axis=1), values=False)
    return np.flatnonzero((row - lags + 1 >= start) & (row + 1 < stop) & measured)


def design(
    panel: Panel,
    rows: Int[np.ndarray, " n"],
    lags: int,
    *,
    input_lags: int = 1,
    within: frozenset[str] = frozenset(),
    past: Float[np.ndarray, "rows chan"] | None = None,
) -> Design:
    """Regressors and targets of transitions.

    Regressors that are missing carry the last measured value forward inside the segment (inputs are
    held); before the first one, and where an input's lag would leave the segment, they are 0, the
    mean. Targets are never filled.

    Args:
        panel: The panel.
        rows: Rows t, from ``transitions`` with at least as many lags.
        lags: Samples of history: o_t .. o_{t-lags+1}.
        input_lags: Samples of each input: a_t .. a_{t-input_lags+1}.
        within: Input columns whose timing is ``within``: a_{t+1} comes too.
        past: What stands for each observation in the history; None: its last measured value.

    Raises:
        ConfigError: a row's window would leave its segment.
    """
    start, stop = bounds(panel)
    first = start[rows]
    if np.any(rows - lags + 1 < first) or np.any(rows + 1 >= stop[rows]):
        raise ConfigError(
            f"Some rows have no window of {lags} lags. Take them from transitions(panel, {lags})."
        )
    history = [(0 - lag, list(range(len(panel.channels)))) for lag in range(lags)]
    blocks = (
        (panel.obs if past is None else past, panel.channels, history),
        (panel.actions, _names(panel.action_features), _offsets(panel.action_features, input_lags, within)),
        (panel.exog, _names(panel.exog_features), _offsets(panel.exog_features, input_lags, within)),
    )
    widths = [sum(len(kept) for _, kept in offsets) for _, _, offsets in blocks]
    X = np.empty((rows.size, sum(widths)))
    terms: list[tuple[str, int]] = []
    for values, names, offsets in blocks:
        filled = carry(values, start)
        for offset, kept in offsets:
            at, source = slice(len(terms), len(terms) + len(kept)), np.maximum(rows + offset, 0)
            X[:, at] = filled[source][:, kept] if len(kept) < len(names) else filled[source]
            X[rows + offset < first, at] = 0.0
            terms += [(names[i], offset) for i in kept]
    history_end, inputs = widths[0], widths[0] + widths[1]
    return Design(
        rows=rows,
        X=X,
        Y=panel.obs[rows + 1],
        history=slice(0, history_end),
        actions=slice(history_end, inputs),
        exog=slice(inputs, inputs + widths[2]),
        terms=tuple(terms),
    )


def carry(
    values: Float[np.ndarray, "rows chan"], start: Int[np.ndarray, " rows"]
) -> Float[np.ndarray, "rows chan"]:
    """Values with the last measured one carried forward inside each segment, and 0 before the first.

    Args:
        values: Channels, missing as NaN.
        start: First row of each row's segment.
    """
    filled = values.copy()
    for channel in filled.T:
        missing = ~np.isfinite(channel)
        if missing.any():
            last = np.maximum.accumulate(np.where(missing, start, np.arange(channel.size)))
            channel[:] = np.nan_to_num(channel[last], nan=0.0)
    return filled


def carried_share(panel: Panel) -> float:
    """Share of regressor cells that were carried or set to the mean, of channels measured at all."""
    missing = [~np.isfinite(values) for values in (panel.obs, panel.actions, panel.exog)]
    cells = np.concatenate([~gone[:, ~gone.all(axis=0)] for gone in missing], axis=1)
    return float(1 - cells.mean()) if cells.size else 0.0


def _names(features: tuple[Feature, ...]) -> tuple[str, ...]:
    return tuple(feature.name for feature in features)


def _offsets(features: tuple[Feature, ...], lags: int, within: frozenset[str]) -> list[tuple[int, list[int]]]:
    """Offsets of inputs to t, newest first, and the channels that each takes."""
    early = [i for i, feature in enumerate(features) if feature.column in within]
    return [(1, early)] * bool(early) + [(0 - lag, list(range(len(features)))) for lag in range(lags)]
