"""What a plan may turn: typed actions with their range, levels, rate, dwell and cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, FiniteFloat
from torch import Tensor

from tslam.contract.frozen import Frozen
from tslam.contract.model import Column
from tslam.contract.roles import Kind
from tslam.errors import PlanError, RoleError

__all__ = ["Dial", "Limits", "make_dial"]

_COST = 1e-3
"""Cost of a move through the whole range where none is given: nothing moves for nothing."""


class Limits(Frozen):
    """What is allowed of one action in a plan; None: what the contract says, else where it was seen."""

    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    rate: FiniteFloat | None = Field(None, description="Largest change from one row to the next")
    dwell: int | None = Field(None, description="Fewest rows between two moves")
    cost: FiniteFloat | None = Field(None, ge=0, description="Cost of a move through the whole range")


@dataclass(frozen=True, eq=False)
class Dial:
    """One action that a plan turns."""

    name: str
    low: float
    high: float
    now: float
    rate: float
    dwell: int
    cost: float
    levels: tuple[float, ...] = ()

    @property
    def knots(self) -> int:
        """Rows that one decision holds for."""
        return max(1, self.dwell)

    def turned(self, choice: Float[Tensor, "n knot"], steps: int) -> Float[Tensor, "n steps"]:
        """Values of each step, within range, rate and dwell; ``choice`` in units of the range."""
        wanted = (self.low + choice.clamp(0, 1) * (self.high - self.low)).repeat_interleave(self.knots, dim=1)
        wanted = wanted[:, :steps]
        if self.levels:
            grid = torch.tensor(self.levels, dtype=wanted.dtype)
            wanted = grid[(wanted[..., None] - grid).abs().argmin(dim=-1)]
        if not np.isfinite(self.rate):
            return wanted
        value, out = torch.full_like(wanted[:, 0], self.now), []
        for t in range(steps):
            if t % self.knots == 0:
                value = value + (wanted[:, t] - value).clamp(-self.rate, self.rate)
            out.append(value)
        return torch.stack(out, dim=1)

    def price(self, values: Float[Tensor, "n steps"]) -> Float[Tensor, " n"]:
        """Cost of the moves."""
        before = torch.cat([torch.full_like(values[:, :1], self.now), values[:, :-1]], dim=1)
        return self.cost * (values - before).abs().sum(dim=1) / max(self.high - self.low, 1e-12)


def make_dial(
    name: str,
    column: Column | None,
    limits: Limits | None,
    seen: tuple[float, float],
    now: float,
    horizon: int,
    hard: tuple[float, float] | None = None,
) -> Dial:
    """A dial from what the contract and the caller say.

    Args:
        name: Name of the action.
        column: Its column in the contract, if it has one.
        limits: What the caller says.
        seen: Where it was in the record.
        now: Where it is.
        horizon: Steps of the plan.
        hard: What no limit may go beyond (the range of a certificate).

    Raises:
        PlanError: nothing is left between the limits, or they cannot be kept from where the action is.
        RoleError: the action is no number.
    """
    own = limits or Limits()
    said = (
        {}
        if column is None
        else column.model_dump(include={"minimum", "maximum", "max_rate", "min_dwell", "move_cost"})
    )
    low, high = _first(own.low, said.get("minimum"), seen[0]), _first(own.high, said.get("maximum"), seen[1])
    if hard is not None:
        low, high = max(low, hard[0]), min(high, hard[1])
    rate = _first(own.rate, said.get("max_rate"), float("inf"))
    dwell = int(_first(own.dwell, said.get("min_dwell"), 1))
    if not low < high:
        raise PlanError(f"{name!r} can be nowhere between {low} and {high}. Give limits with low below high.")
    if not rate > 0 or dwell < 1:
        raise PlanError(
            f"{name!r} has rate={rate} and dwell={dwell}; with these it can never move. Give positive ones."
        )
    gap = max(low - now, now - high, 0.0)
    if gap > rate * max(1, horizon // dwell):
        raise PlanError(
            f"{name!r} is at {now:.4g}, outside {low:.4g} to {high:.4g}, and moves by at most {rate:.4g} a "
            f"row: it cannot come back within {horizon} steps. Give a higher rate or a longer horizon."
        )
    levels: tuple[float, ...] = ()
    if column is not None and column.kind in {Kind.CATEGORICAL, Kind.EVENT, Kind.CIRCULAR}:
        raise RoleError(
            f"{name!r} is {column.kind.value}; plans turn numbers. Name numeric actions in actions=."
        )
    if column is not None and column.levels and all(isinstance(v, float | int) for v in column.levels):
        levels = tuple(float(v) for v in column.levels)
    if column is not None and column.kind is Kind.BOOLEAN:
        levels = (0.0, 1.0)
    cost = _first(own.cost, said.get("move_cost"), _COST)
    return Dial(name, low, high, now, rate, dwell, cost, tuple(v for v in levels if low <= v <= high))


def _first(*values: Any) -> float:
    return float(next(v for v in values if v is not None))


def limits_of(given: Mapping[str, Any] | None, known: set[str]) -> dict[str, Limits]:
    """Limits by action.

    Raises:
        RoleError: a name that is planned by nobody.
    """
    out = {}
    for name, value in (given or {}).items():
        if name not in known:
            raise RoleError.unknown_column(name, "action of the plan", sorted(known))
        out[name] = value if isinstance(value, Limits) else Limits.model_validate(dict(value))
    return out
