"""Forecasts of the next steps of every series, with intervals from past forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int

from tslam.contract.roles import Role
from tslam.dynamics.lam import LAM
from tslam.errors import ConfigError
from tslam.panel.chain import Structure, chain
from tslam.panel.panel import Panel
from tslam.panel.windows import bounds
from tslam.plan.clock import stamps_after
from tslam.plan.conformal import Bands, bands
from tslam.plan.inputs import overlay
from tslam.plan.origins import Origins, gather, latest, past, steps_ahead
from tslam.plan.simulate import Simulator

__all__ = ["Forecast", "Held", "past_bands", "roll"]

Held = Literal["known", "none"]
"""Latents over the horizon: as known at the origin, decaying by their persistence, or left out."""

_ABOUT_INTERVALS = "intervals hold as far as inputs come as assumed"
_MOST_ORIGINS = 3000
"""Past forecasts that intervals are taken from, evenly thinned."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """Forecasts of one panel in scaled units, and what they rest on."""

    panel: Panel
    rows: Int[np.ndarray, " series"]
    mean: Float[np.ndarray, "series steps chan"]
    bands: Bands
    assumed: tuple[str, ...]

    def frame(self) -> pl.DataFrame:
        """One row per series and step, in the units of the caller."""
        return pl.concat([self._series(i) for i in range(self.rows.size)])

    def _series(self, i: int) -> pl.DataFrame:
        panel, steps = self.panel, self.mean.shape[1]
        ahead = np.arange(1, steps + 1)
        sd, mean = panel.scaling.obs_sd[i], panel.scaling.obs_mean[i]
        table: dict[str, Any] = {panel.contract.time: stamps_after(panel, int(self.rows[i]), ahead)}
        if panel.contract.series is not None:
            table[panel.contract.series] = [panel.series_names[i]] * steps
        table["step"] = ahead
        for c, name in enumerate(panel.channels):
            middle = self.mean[i, :, c] * sd[c] + mean[c]
            half = self.bands.width[i, :, c] * sd[c]
            table |= {name: middle, f"{name}_lower": middle - half, f"{name}_upper": middle + half}
        table["held"] = self.bands.held
        table["assumes"] = ["; ".join(self.assumed)] * steps
        numbers = [
            pl.col(k).fill_nan(None) for k, v in table.items() if getattr(v, "dtype", None) == np.float64
        ]
        return pl.DataFrame(table).with_columns(numbers)


def roll(
    panel: Panel,
    lam: LAM,
    structure: Structure,
    allowed: Bool[np.ndarray, " rows"],
    *,
    horizon: int,
    given: Mapping[Role, Any],
    latents: Held = "known",
    coverage: float = 0.9,
) -> Forecast:
    """Forecast the next steps of every series of a panel.

    Args:
        panel: The history.
        lam: The model.
        structure: Lags and timing.
        allowed: Transitions, by the row that they leave, that the fit has not learnt from.
        horizon: Steps ahead, at least 1.
        given: By role what is known of inputs over the horizon.
        latents: What is assumed of latents.
        coverage: Share of values that intervals shall hold, between 0 and 1.

    Raises:
        ConfigError: horizon, coverage or latents are not as they have to be.
        FrameError, RoleError, UnvalidatedLatentError: see :func:`tslam.plan.inputs.overlay`.
    """
    refuse(horizon, coverage)
    if latents not in {"known", "none"}:
        raise ConfigError(
            f"Found latents={latents!r}. Give 'known' (as inferred at the origin, decaying) or 'none'; "
            "nobody can set a latent."
        )
    rows = latest(panel, structure)
    c = chain(panel, structure)
    origins = _as_asked(gather(panel, c, structure, lam, rows, horizon), latents)
    planned = overlay(panel, structure, origins.inputs, rows, given, ahead=True)
    simulator = Simulator.of(lam, structure, panel)
    with torch.inference_mode():
        mean = simulator.run(origins.history, planned.inputs, origins.latents).numpy()
    return Forecast(
        panel,
        rows,
        mean,
        past_bands(panel, lam, structure, allowed, horizon, latents, coverage),
        (*planned.assumed, *_about_latents(lam, latents), _ABOUT_INTERVALS),
    )


def past_bands(
    panel: Panel,
    lam: LAM,
    structure: Structure,
    allowed: Bool[np.ndarray, " rows"],
    horizon: int,
    latents: Held,
    coverage: float,
) -> Bands:
    """Intervals from forecasts that could have been made before, inputs as they were logged."""
    rows = past(panel, structure, allowed, _MOST_ORIGINS)
    chan, count = len(panel.channels), len(panel.series_names)
    if not rows.size:
        return Bands(np.full((count, horizon, chan), np.nan), np.full(horizon, np.nan))
    c = chain(panel, structure)
    origins = _as_asked(gather(panel, c, structure, lam, rows, horizon), latents)
    simulator = Simulator.of(lam, structure, panel)
    with torch.inference_mode():
        mean = simulator.run(origins.history, origins.inputs, origins.latents).numpy()
    ahead = np.arange(horizon)
    truth = panel.obs[np.minimum(rows[:, None] + 1 + ahead, panel.rows - 1)]
    reach = steps_ahead(allowed, bounds(panel)[1])[rows]
    misses = np.where((ahead < reach[:, None])[..., None], np.abs(truth - mean), np.nan)
    return bands(misses, rows, panel.series_of[rows], count, coverage)


def refuse(horizon: int, coverage: float) -> None:
    """Refuse a horizon or a coverage that means nothing.

    Raises:
        ConfigError: horizon below 1, or coverage outside (0, 1).
    """
    if horizon < 1:
        raise ConfigError(f"Found horizon={horizon}. Give a number of steps ahead, at least 1.")
    if not 0.0 < coverage < 1.0:
        raise ConfigError(f"Found coverage={coverage}. Give a share between 0 and 1, such as 0.9.")


def _as_asked(origins: Origins, latents: Held) -> Origins:
    if latents == "known":
        return origins
    return replace(origins, latents=torch.zeros_like(origins.latents))


def _about_latents(lam: LAM, latents: Held) -> tuple[str, ...]:
    if not lam.latents:
        return ()
    if latents == "none":
        return ("latents left out",)
    return ("latents as inferred at the origin, decaying by their persistence (not an intervention)",)
