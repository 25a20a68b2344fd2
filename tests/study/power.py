"""How much must an unlogged action do before it is found, and how much before it could be?

Records with the first action dropped, one setting varied at a time: of the linear plant the noise beside an
action of unit effect, how long it is held, the length of the record and the error of the sensors; of the
building how far its moves answer the state. Beside each answer stands what the log is worth to a regression
that is given it: where that is next to nothing, no audit can be right but by luck.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from asked import alarms, report, said
from jaxtyping import Float

from tslam.plants import Record, building, linear

__all__ = ["FACTORS", "by_worth", "cell", "shares", "wanted"]

MIDDLE = {"noise": 1.0, "dwell": 50.0, "rows": 2000.0, "sensor": 0.0}
FACTORS: dict[str, tuple[float, ...]] = {
    "noise": (0.25, 0.5, 1.0, 2.0, 4.0),
    "dwell": (1.0, 5.0, 15.0, 50.0, 150.0, 500.0),
    "rows": (500.0, 1000.0, 2000.0, 4000.0, 8000.0),
    "sensor": (0.5, 1.0, 2.0),
    "feedback": (0.0, 0.5, 1.0),
}
"""Values tried of each setting, the others as in the middle."""
EDGES = (0.0, 30.0, 100.0, 300.0, 1000.0, np.inf)
"""Nats between which records are counted together."""
_CHANNELS = 8
_LAGS = 3
_RIDGE = 1e-3
_BLOCKS = 10


def wanted(count: int, first: int) -> list[str]:
    """``setting=value/seed``, so many records, the values by turns; seeds that no other question has."""
    each = [f"{name}={value:g}" for name, values in FACTORS.items() for value in values]
    return [f"{each[i % len(each)]}/{first + 5000 + i // len(each)}" for i in range(count)]


def cell(key: str) -> dict[str, Any]:
    """One record: was the action found, and what would its log have been worth?"""
    record = _record(key)
    hidden = record.actions[0]
    found = alarms(said(report(record.drop(hidden))))
    return {
        "worth": _worth(record, hidden),
        "moves": len(record.moves[hidden]),
        "right": any(g["kind"] == "missing_action" for g in found),
        "alarm": bool(found),
    }


def shares(cells: list[dict[str, Any]]) -> dict[str, dict[float, tuple[int, float, float, float]]]:
    """Per setting and value: records, median worth of the log, share told right, share with any alarm."""
    out: dict[str, dict[float, tuple[int, float, float, float]]] = {}
    for name, values in FACTORS.items():
        for value in values:
            here = [c for c in cells if c["key"].split("/")[0] == f"{name}={value:g}"]
            if here:
                out.setdefault(name, {})[value] = _told(here)
    return out


def by_worth(cells: list[dict[str, Any]]) -> list[tuple[str, tuple[int, float, float, float]]]:
    """The same for records whose hidden log is worth about as much."""
    found = []
    for low, high in pairwise(EDGES):
        here = [c for c in cells if low <= max(c["worth"], 0.0) < high]
        name = f"{low:.0f} to {high:.0f}" if np.isfinite(high) else f"{low:.0f} and more"
        if here:
            found.append((name, _told(here)))
    return found


def _told(cells: list[dict[str, Any]]) -> tuple[int, float, float, float]:
    right, alarm = (float(np.mean([c[k] for c in cells])) for k in ("right", "alarm"))
    return len(cells), float(np.median([c["worth"] for c in cells])), right, alarm


def _record(key: str) -> Record:
    setting, seed = key.split("/")
    name, value = setting.split("=")
    if name == "feedback":
        return building(int(MIDDLE["rows"]), int(seed), feedback=float(value))
    set_to = MIDDLE | {name: float(value)}
    rows = int(set_to.pop("rows"))
    return linear(rows, int(seed), d=_CHANNELS, **set_to)


def _worth(record: Record, hidden: str) -> float:
    """Held-out nats, all rows and channels, that the hidden log adds to a regression on everything else."""
    Y = record.frame.select(record.observations).to_numpy()
    told = record.frame.select(a for a in record.actions if a != hidden).to_numpy()
    world = record.frame.select(record.exogenous).to_numpy()
    rows = np.arange(_LAGS, len(Y) - 1)
    known = np.column_stack([*(Y[rows - k] for k in range(_LAGS)), told[rows], world[rows]])
    action = record.frame[hidden].to_numpy()[rows]
    without, given = (_left(F, Y[rows + 1]) for F in (known, np.column_stack([known, action])))
    logs = [float(np.linalg.slogdet(left.T @ left)[1]) for left in (without, given)]
    return 0.5 * len(rows) * (logs[0] - logs[1])


def _left(F: Float[np.ndarray, "n k"], Y: Float[np.ndarray, "n chan"]) -> Float[np.ndarray, "n chan"]:
    """Residuals of a ridge regression on blocks that it did not learn from."""
    X = np.column_stack([(F - F.mean(axis=0)) / F.std(axis=0), np.ones(len(F))])
    block = np.arange(len(X)) * _BLOCKS // len(X)
    left = np.zeros_like(Y)
    for k in range(_BLOCKS):
        own, held = block != k, block == k
        gram = X[own].T @ X[own] + _RIDGE * own.sum() * np.eye(X.shape[1])
        left[held] = Y[held] - X[held] @ np.linalg.solve(gram, X[own].T @ Y[own])
    return left
