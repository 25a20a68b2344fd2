"""What would have happened: the same history again, with some actions as they were not.

What the model left of every real step, and the latents as inferred from it, are taken to have come all the
same (abduction, action, prediction). With no action changed the replay is the history itself.

Source: Pearl, "Causality", 2nd ed., 2009, section 1.4.4.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float

from tslam.contract.roles import Role
from tslam.dynamics.lam import LAM
from tslam.errors import ConfigError, FrameError, RoleError
from tslam.panel.chain import Chain, Structure, chain
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds
from tslam.plan.inputs import overlay, refuse_latents
from tslam.plan.origins import gather
from tslam.plan.simulate import Inputs, Simulator, before

__all__ = ["ASSUMED", "replay"]

ASSUMED = (
    "what the model left of each real step comes all the same",
    "latents as inferred from what really happened, whatever the changed actions would have made of them",
    "nobody saw what was not done: no interval",
)


def replay(
    panel: Panel, lam: LAM, structure: Structure, *, start: Any, end: Any, actions: Mapping[str, Any]
) -> pl.DataFrame:
    """History from ``start`` on, as it was and as it would have been.

    Args:
        panel: The history.
        lam: The model.
        structure: Lags and timing.
        start: Stamp of the row from which actions differ.
        end: Stamp of the last row; None: the end of the record, or of its unbroken stretch.
        actions: By column a value, one value per step, or None: as it was at ``start``.

    Returns:
        One row per series and step: each channel, and as ``NAME_if`` what it would have been.

    Raises:
        FrameError: no series has a row at ``start`` with enough history, or nothing follows it.
        ConfigError: no action is changed.
    """
    if not actions:
        raise ConfigError("No action is changed. Give actions={'valve': 0.3}, or None for 'as it was'.")
    refuse_latents(actions)
    c = chain(panel, structure)
    simulator = Simulator.of(lam, structure, panel)
    tables = [
        _one(panel, c, simulator, lam, structure, row, stop - row, actions)
        for row, stop in _spans(panel, structure, start, end)
    ]
    return pl.concat(tables)


def _one(
    panel: Panel,
    c: Chain,
    simulator: Simulator,
    lam: LAM,
    structure: Structure,
    row: int,
    steps: int,
    actions: Mapping[str, Any],
) -> pl.DataFrame:
    rows = np.array([row])
    origins = gather(panel, c, structure, lam, rows, steps)
    logged = _stayed(panel, structure, origins.inputs, [name for name, v in actions.items() if v is None])
    changed = {name: value for name, value in actions.items() if value is not None}
    planned = overlay(panel, structure, logged, rows, {Role.ACTION: changed or None}, ahead=False)
    latents, left = _what_came(c, lam, row, steps)
    with torch.inference_mode():
        run = simulator.run(origins.history, planned.inputs, latents, left).numpy()[0]
    code = int(panel.series_of[row])
    sd, mean = panel.scaling.obs_sd[code], panel.scaling.obs_mean[code]
    after = np.arange(row + 1, row + 1 + steps)
    table: dict[str, Any] = {panel.contract.time: panel.stamps(after)}
    if panel.contract.series is not None:
        table[panel.contract.series] = [panel.series_names[code]] * steps
    for i, name in enumerate(panel.channels):
        table[name] = panel.obs[after, i] * sd[i] + mean[i]
        table[f"{name}_if"] = run[:, i] * sd[i] + mean[i]
    said = [
        f"{name} as it was at the start" if v is None else f"{name} as given" for name, v in actions.items()
    ]
    table["assumes"] = ["; ".join([*said, "everything else as logged", *ASSUMED])] * steps
    frame = pl.DataFrame(table)
    return frame.with_columns(pl.col(panel.channels).fill_nan(None))


def _what_came(
    c: Chain, lam: LAM, row: int, steps: int
) -> tuple[Float[torch.Tensor, "1 steps latent"], Float[torch.Tensor, "1 steps chan"]]:
    """Smoothed latents of the real steps, and what the model with them left; 0 where nothing was measured."""
    at = np.searchsorted(c.rows, row) + np.arange(steps)
    left = c.Y - lam.forward.mean(c.X)
    latents = np.zeros((steps, lam.latents))
    if lam.inverse is not None:
        latents = lam.inverse.path(left, c.start).mean[at]
        left = left[at] - latents @ lam.inverse.B.T
    else:
        left = left[at]
    return torch.from_numpy(latents[None]), torch.from_numpy(np.nan_to_num(left, nan=0.0)[None])


def _stayed(panel: Panel, structure: Structure, inputs: Inputs, names: list[str]) -> Inputs:
    """Inputs in which some actions stay as they were at the origin."""
    known = {feature.column for feature in panel.action_features}
    if unknown := [name for name in names if name not in known]:
        raise RoleError.unknown_column(unknown[0], Role.ACTION.value, sorted(known))
    values, now = inputs.actions.clone(), before(structure)
    for i in (i for i, feature in enumerate(panel.action_features) if feature.column in names):
        values[:, now:, i] = values[:, now : now + 1, i]
    return Inputs(values, inputs.exog)


def _spans(panel: Panel, structure: Structure, start: Any, end: Any) -> list[tuple[int, int]]:
    """First and last row of the replay, for each series that has one."""
    stamps = panel.stamps(np.arange(panel.rows))
    try:
        first = np.flatnonzero((stamps == start).to_numpy())
        late = np.zeros(panel.rows, bool) if end is None else (stamps > end).to_numpy()
    except (TypeError, ValueError, NotImplementedError, pl.exceptions.PolarsError) as error:
        raise FrameError(
            f"start={start!r} or end={end!r} is no stamp such as {stamps[0]!r}: {error}."
        ) from error
    begin, stop = bounds(panel)
    spans = []
    for row in first:
        last = int(stop[row]) - 1
        beyond = np.flatnonzero(late[row : last + 1])
        last = last if not beyond.size else int(row + beyond[0] - 1)
        if row - begin[row] + 1 >= structure.lags and last > row:
            spans.append((int(row), last))
    if not spans:
        raise FrameError(
            f"No row stamped {start!r} with {structure.lags} rows of unbroken history and at least one row "
            f"after it. The record runs from {stamps[0]} to {stamps[-1]}: give a stamp of its rows."
        )
    return spans
