"""Shares of what happened against those that a plant's matrices say: is the attribution right?"""

from typing import Any

import numpy as np
from asked import report

from tslam.plants import linear, linear_shares

__all__ = ["PARTS", "cell", "group", "shares", "wanted"]

PARTS = ("history", "actions", "exogenous", "latents")
PLANTS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "little noise": {"noise": 0.1},
    "much noise, short holds": {"noise": 1.0, "dwell": 30.0},
    "six channels, long holds": {"d": 6, "actions": 2, "dwell": 100.0},
    "eight channels, two drivers": {"d": 8, "exog": 2, "noise": 0.5},
    "white actions": {"d": 6, "white": True},
}
_HIDDEN = "action_1"
_ROWS, _LAGS = 4000, 4
CLOSE = 0.05
"""Distance from the true share that is close enough."""


def wanted(count: int, first: int) -> list[str]:
    """Keys of the records, seeds that no other question has, whole and with an action hidden by turns."""
    each = [f"{name}/{log}" for name in PLANTS for log in ("nothing", "an action")]
    return [f"{each[i % len(each)]}/{first + 6000 + i // len(each)}" for i in range(count)]


def group(key: str) -> str:
    """What is counted together."""
    return key.split("/")[1]


def cell(key: str) -> dict[str, Any]:
    """Told less true shares of one record, per channel and part."""
    name, log, seed = key.split("/")
    record = linear(rows=_ROWS, seed=int(seed), **PLANTS[name])
    record = record.drop(_HIDDEN) if log != "nothing" else record
    truth = linear_shares(record, lags=_LAGS)
    own = [part for part in report(record).attribution if part.channel is not None]
    assert [part.channel for part in own] == list(truth.channels)
    told = [[getattr(part, name).value for name in PARTS] for part in own]
    true = np.column_stack([getattr(truth, name) for name in PARTS])
    return {"errors": np.round(np.array(told) - true, 5).tolist()}


def shares(found: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, int, float, float, float]]:
    """Per log and part: records, channels, share of them that is close, median distance and the largest."""
    out = {}
    for log in dict.fromkeys(group(c["key"]) for c in found):
        own = [c for c in found if group(c["key"]) == log]
        far = np.abs(np.concatenate([np.array(c["errors"]) for c in own]))
        for k, part in enumerate(PARTS):
            close = float((far[:, k] <= CLOSE).mean())
            row = (len(own), len(far), close, float(np.median(far[:, k])), float(far[:, k].max()))
            out[log, part] = row
    return out
