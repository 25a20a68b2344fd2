"""Plans: which typed actions bring the plant to a goal, as far as the model can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from tslam.align.alignment import Alignment
from tslam.contract.roles import Role
from tslam.dynamics.lam import LAM
from tslam.errors import ConfigError, PlanError, RoleError
from tslam.panel.chain import Chain, Structure, chain
from tslam.panel.panel import Panel
from tslam.plan.clock import stamps_after
from tslam.plan.dials import Dial, limits_of, make_dial
from tslam.plan.guard import Override, cleared
from tslam.plan.inputs import overlay, refuse_latents
from tslam.plan.origins import gather, latest
from tslam.plan.search import Method, search
from tslam.plan.simulate import Inputs, Simulator, before
from tslam.seeding import torch_generator

__all__ = ["Request", "plan"]


@dataclass(frozen=True)
class Request:
    """What a plan is asked for."""

    goal: Mapping[str, float]
    horizon: int
    actions: Sequence[str] | None
    using: Sequence[str]
    exog: Any
    limits: Mapping[str, Any] | None
    method: Method
    override: Override | None
    seed: int


@dataclass(frozen=True, eq=False)
class _Scene:
    """One series at its last row: where everything is, and what turns what."""

    simulator: Simulator
    history: Float[Tensor, "1 lags chan"]
    inputs: Inputs
    latents: Float[Tensor, "1 steps latent"]
    dials: tuple[Dial, ...]
    through: Alignment | None
    panel: Panel
    structure: Structure


def plan(
    panel: Panel,
    lam: LAM,
    structure: Structure,
    latents: Float[np.ndarray, "rows latent"],
    alignments: Sequence[Alignment],
    model: str,
    request: Request,
) -> pl.DataFrame:
    """Plan for every series of a panel.

    Args:
        panel: The history.
        lam: The model.
        structure: Lags and timing.
        latents: Smoothed latents on the rows of the panel.
        alignments: What the model was aligned with.
        model: Its fingerprint.
        request: What is asked.

    Returns:
        One row per series and step: the stamp from which the actions are in force, the actions, where the
        channels of the goal are expected at the end of the step, the cost, and what all this assumes.

    Raises:
        UnvalidatedLatentError: latents are asked for that no certificate covers.
        PlanError: a goal or limits that cannot be met.
        RoleError, ConfigError: names or numbers that mean nothing.
    """
    _refuse(panel, request)
    through: Alignment | None = None
    marks: tuple[str, ...] = ("only logged actions are planned",)
    if request.using:
        through, marks = cleared(
            alignments, request.using, model=model, panel=panel, latents=latents, wanted=request.goal,
            override=request.override,
        )  # fmt: skip
        if through.tied is None:
            raise PlanError(
                f"{through.action!r} has levels, not numbers: no plan can turn it. Plan logged actions."
            )
        panel, lam, structure = _acted_upon(through, panel, latents)
        marks = (*marks, f"effects as a {lam.family} model has them")
    rows = latest(panel, structure)
    c = chain(panel, structure)
    simulator = Simulator.of(lam, structure, panel)
    tables = []
    for i, row in enumerate(rows):
        scene, said = _scene(panel, c, simulator, lam, structure, through, int(row), request)
        tables.append(_one(scene, i, int(row), request, (*marks, *said)))
    return pl.concat(tables)


def _acted_upon(
    through: Alignment, panel: Panel, latents: Float[np.ndarray, "rows latent"]
) -> tuple[Panel, LAM, Structure]:
    """What a plan through an alignment is made on: the action, as it is read, among the logged ones.

    Where no model with the action as an input was fitted, the lean one, whose latent is the action.
    """
    if through.driven is None:
        assert through.tied is not None
        return panel, through.tied.lam, through.reader.structure
    values = through.values(through.reading(panel, latents), panel.rows)
    return (
        through.driven.beside(panel, through.action, values),
        through.driven.lam,
        through.driven.structure,
    )


def _refuse(panel: Panel, request: Request) -> None:
    if request.horizon < 1:
        raise ConfigError(f"Found horizon={request.horizon}. Give a number of steps, at least 1.")
    if request.method not in {"cem", "mppi"}:
        raise ConfigError(f"Found method={request.method!r}. Give 'cem' or 'mppi'.")
    if not request.goal:
        raise ConfigError("There is no goal. Give goal={'level': 2.5}: where observations shall be.")
    refuse_latents([*request.goal, *(request.actions or ()), *(request.limits or {})])
    s = panel.scaling
    obs = panel.obs * s.obs_sd[panel.series_of] + s.obs_mean[panel.series_of]
    for name, value in request.goal.items():
        if name not in panel.channels:
            raise RoleError.unknown_column(name, "observation", panel.channels)
        own = obs[:, panel.channels.index(name)]
        low, high = np.nanmin(own), np.nanmax(own)
        if not low <= value <= high:
            raise PlanError(
                f"The goal {name}={value} lies outside what was ever seen ({low:.4g} to {high:.4g}): nothing "
                "is known of how to get there, or of what happens there. Give a goal inside."
            )


def _scene(
    panel: Panel,
    c: Chain,
    simulator: Simulator,
    lam: LAM,
    structure: Structure,
    through: Alignment | None,
    row: int,
    request: Request,
) -> tuple[_Scene, tuple[str, ...]]:
    rows = np.array([row])
    origins = gather(panel, c, structure, lam, rows, request.horizon)
    planned = overlay(panel, structure, origins.inputs, rows, {Role.EXOGENOUS: request.exog}, ahead=True)
    aligned = None if through is None else through.action
    logged = [code.column for code in panel.encoding.of(Role.ACTION) if code.column != aligned]
    numeric = [n for n in logged if len(panel.features_of(n)) == 1]
    chosen = numeric if request.actions is None else list(request.actions)
    for name in chosen:
        if name not in logged:
            raise RoleError.unknown_column(name, "action", logged)
    known = limits_of(request.limits, {*chosen, *([aligned] if aligned else [])})
    dials = [_logged_dial(panel, name, known.get(name), row, request.horizon) for name in chosen]
    if through is not None:
        now = _now(through, panel, row, origins.latents)
        dials.append(_aligned_dial(panel, through, known.get(through.action), now, request.horizon))
    if not dials:
        raise PlanError(
            "There is nothing to turn: no logged numeric action. Log one, or align a latent with one."
        )
    scene = _Scene(
        simulator, origins.history, planned.inputs, origins.latents, tuple(dials), through, panel, structure
    )
    return scene, tuple(s for s in planned.assumed if "exogenous" in s)


def _logged_dial(panel: Panel, name: str, limits: Any, row: int, horizon: int) -> Dial:
    features = panel.features_of(name)
    if len(features) != 1:
        raise RoleError(f"{name!r} is no number; plans turn numbers. Name numeric actions in actions=.")
    sd, mean = panel.scaling.act_sd[features[0]], panel.scaling.act_mean[features[0]]
    own = panel.actions[:, features[0]] * sd + mean
    known = own[np.isfinite(own)]
    if not known.size:
        raise PlanError(
            f"{name!r} was never measured in these data: nothing is known of it. Leave it out of actions=."
        )
    last = own[: row + 1][np.isfinite(own[: row + 1])]
    now = float(last[-1]) if last.size else float(known.mean())
    seen = (float(known.min()), float(known.max()))
    return make_dial(name, panel.contract.column(name), limits, seen, now, horizon)


def _now(through: Alignment, panel: Panel, row: int, latents: Float[Tensor, "1 steps latent"]) -> float:
    """Where an aligned action is, as far as that can be read."""
    assert through.tied is not None
    if through.driven is None:
        return through.tied.level + through.tied.unit * float(latents[0, 0, 0])
    own = panel.actions[: row + 1, panel.features_of(through.action)[0]]
    known = own[np.isfinite(own)]
    return through.driven.mean + through.driven.sd * (float(known[-1]) if known.size else 0.0)


def _aligned_dial(panel: Panel, through: Alignment, limits: Any, now: float, horizon: int) -> Dial:
    span = through.certificate.range
    assert span is not None
    held = (span.low, span.high)
    column = next((c for c in panel.contract.columns if c.name == through.action), None)
    return make_dial(through.action, column, limits, held, float(np.clip(now, *held)), horizon, hard=held)


def _one(scene: _Scene, i: int, row: int, request: Request, marks: tuple[str, ...]) -> pl.DataFrame:
    panel, steps = scene.panel, request.horizon
    sd, mean = panel.scaling.obs_sd[i], panel.scaling.obs_mean[i]
    at = [panel.channels.index(name) for name in request.goal]
    target = torch.tensor(
        [(request.goal[panel.channels[k]] - mean[k]) / sd[k] for k in at], dtype=torch.float64
    )
    sizes = [-(-steps // dial.knots) for dial in scene.dials]

    def outcome(choices: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        turned = [
            dial.turned(own, steps)
            for dial, own in zip(scene.dials, torch.split(choices, sizes, dim=1), strict=True)
        ]
        ahead = _simulated(scene, turned)[:, :, at]
        price = torch.stack([d.price(v) for d, v in zip(scene.dials, turned, strict=True)]).sum(0)
        return turned, ahead, (ahead - target).square().mean(dim=(1, 2)) + price

    start = torch.cat(
        [
            torch.full((size,), float(np.clip((d.now - d.low) / (d.high - d.low), 0, 1)), dtype=torch.float64)
            for d, size in zip(scene.dials, sizes, strict=True)
        ]
    )
    draw = torch_generator(request.seed, "plan", panel.series_names[i])
    with torch.inference_mode():
        best, cost = search(lambda choices: outcome(choices)[2], start, request.method, draw)
        turned, ahead, _ = outcome(best[None])
    table: dict[str, Any] = {panel.contract.time: stamps_after(panel, row, np.arange(steps))}
    if panel.contract.series is not None:
        table[panel.contract.series] = [panel.series_names[i]] * steps
    table["step"] = np.arange(1, steps + 1)
    table |= {d.name: v[0].numpy() for d, v in zip(scene.dials, turned, strict=True)}
    table |= {
        f"{name}_expected": ahead[0, :, k].numpy() * sd[at[k]] + mean[at[k]]
        for k, name in enumerate(request.goal)
    }
    table["cost"] = [cost] * steps
    table["assumes"] = ["; ".join(marks)] * steps
    return pl.DataFrame(table)


def _simulated(scene: _Scene, turned: list[Tensor]) -> Float[Tensor, "n steps chan"]:
    """What each candidate leads to."""
    panel, n = scene.panel, turned[0].shape[0]
    actions = scene.inputs.actions.expand(n, -1, -1).clone()
    latents = scene.latents.expand(n, -1, -1).clone()
    s, now = panel.scaling, before(scene.structure)
    for dial, values in zip(scene.dials, turned, strict=True):
        through = scene.through
        if through is not None and dial.name == through.action and through.driven is None:
            tied = through.tied
            assert tied is not None
            latents[:, :, 0] = (values - tied.level) / tied.unit
            continue
        (k,) = panel.features_of(dial.name)
        scaled = (values - s.act_mean[k]) / s.act_sd[k]
        first = now + (dial.name in scene.structure.within)
        actions[:, first : first + values.shape[1], k] = scaled
        actions[:, first + values.shape[1] :, k] = scaled[:, -1:]
    history = scene.history.expand(n, -1, -1)
    exog = scene.inputs.exog.expand(n, -1, -1)
    return scene.simulator.run(history, Inputs(actions, exog), latents)
