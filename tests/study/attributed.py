"""Shares of what happened against the truth: is the attribution right?

On a linear plant the truth is what its matrices say. On a plant that bends it is known of the latents alone:
what the rich model leaves unexplained without the log, less what it leaves with the log, is owed to them, and
nothing where the log makes it worse.
"""

from typing import Any

import numpy as np
from asked import report
from records import KINDS

from tslam.audit.gap import Attribution
from tslam.plants import linear, linear_shares

__all__ = ["PARTS", "cell", "group", "off", "shares", "wanted"]

PARTS = ("history", "actions", "exogenous", "latents")
PLANTS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "little noise": {"noise": 0.1},
    "much noise, short holds": {"noise": 1.0, "dwell": 30.0},
    "six channels, long holds": {"d": 6, "actions": 2, "dwell": 100.0},
    "eight channels, two drivers": {"d": 8, "exog": 2, "noise": 0.5},
    "white actions": {"d": 6, "white": True},
}
BENT = ("tank", "building", "service", "rotor", "reactor")
_BY_ITS_LOG = "an action of a plant that bends"
_HIDDEN = "action_1"
_ROWS, _LAGS = 4000, 4
CLOSE = 0.05
"""Distance from the true share that is close enough."""


def wanted(count: int, first: int) -> list[str]:
    """Keys of the records, seeds that no other question has, whole and with an action hidden by turns."""
    each = [f"{name}/{log}" for name in PLANTS for log in ("nothing", "an action")]
    each += [f"{name}/{_BY_ITS_LOG}" for name in BENT]
    return [f"{each[i % len(each)]}/{first + 7000 + i // len(each)}" for i in range(count)]


def group(key: str) -> str:
    """What is counted together."""
    return key.split("/")[1]


def cell(key: str) -> dict[str, Any]:
    """Told less true shares of one record, per channel and part."""
    name, log, seed = key.split("/")
    if log == _BY_ITS_LOG:
        return {"errors": np.round(_against_the_log(name, int(seed)), 5).tolist()}
    record = linear(rows=_ROWS, seed=int(seed), **PLANTS[name])
    record = record.drop(_HIDDEN) if log != "nothing" else record
    truth = linear_shares(record, lags=_LAGS)
    own = _channels(report(record).attribution)
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
        for k, part in enumerate(PARTS[-far.shape[1] :]):
            close = float((far[:, k] <= CLOSE).mean())
            row = (len(own), len(far), close, float(np.median(far[:, k])), float(far[:, k].max()))
            out[log, part] = row
    return out


def off(found: list[dict[str, Any]]) -> tuple[int, int]:
    """How many shares of latents are too small, and how many too large, by more than is close."""
    errors = np.concatenate([np.array(c["errors"])[:, -1] for c in found])
    return int((errors < -CLOSE).sum()), int((errors > CLOSE).sum())


def _against_the_log(kind: str, seed: int) -> np.ndarray:
    """What latents are told to carry less what the log of a hidden action would, per channel."""
    record = KINDS[kind](_ROWS, seed)
    hidden = record.drop(record.actions[seed % len(record.actions)])
    without, whole = (_channels(report(r).attribution) for r in (hidden, record))
    owed = [
        a.unexplained + a.latents.value - b.unexplained - b.latents.value
        for a, b in zip(without, whole, strict=True)
    ]
    return np.array([[part.latents.value] for part in without]) - np.maximum(owed, 0.0)[:, None]


def _channels(shares: tuple[Attribution, ...]) -> list[Attribution]:
    return [part for part in shares if part.channel is not None]
