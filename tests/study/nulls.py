"""p-values of single questions on records where the answer is no, each under its own null.

A column of another record of the same kind has no effect on this one: the null of `following`. Innovations
turned each in a direction by chance share no axis, and innovations with signs by chance follow nothing; when
and how large they are stays as the record has it. One ground and no fit, so that a thousand records are
affordable.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from clean import group
from records import KINDS, rows_of
from scipy.stats import kstest

from tslam.audit.following import following
from tslam.audit.ground import LAGS, Ground, eased, lay_ground, own_history
from tslam.audit.lag_scan import EARLIEST, LATEST
from tslam.audit.moves import Moves, find_moves
from tslam.contract import from_arguments
from tslam.panel import build
from tslam.panel.chain import Structure
from tslam.plants import Record
from tslam.seeding import generator

__all__ = ["AS_IT_IS", "cell", "group", "levels", "tenths", "uniform", "wanted"]

_APART = 500_000
"""Seeds between a record and the one that its idle column comes from."""
_LEVEL = 0.05
AS_IT_IS = "records as they are"
"""The same question of records in which nothing was turned."""
_IDLE = "idle"


def wanted(count: int, first: int) -> list[str]:
    """``kind/seed``, so many records, the kinds by turns; seeds that no other question has, each used once.

    Kinds made of one plant share its noise and its actions under one seed, and p-values that go together
    are not a sample that a test of uniformity could be asked of.
    """
    kinds = tuple(KINDS)
    return [f"{kinds[i % len(kinds)]}/{first + 10_000 + i}" for i in range(count)]


def cell(key: str) -> dict[str, Any]:
    """p-values of one record, None where a question could not be asked."""
    kind, text = key.split("/")
    seed = int(text)
    record = KINDS[kind](rows_of(seed), seed)
    other = KINDS[kind](rows_of(seed), seed + _APART)
    ground = _ground(record, other.frame[other.roles()["actions"][0]].alias(_IDLE))
    follows = following(ground, _IDLE, EARLIEST, LATEST, worth=0.0)
    free = eased(ground)
    free = free.plain or free
    turned, signed = find_moves(_turned(free, seed)), find_moves(_signed(free, seed))
    asked = _moves_asked(find_moves(free))
    return {
        "p": {
            "no effect at any lag": None if follows is None else follows.p,
            "no shared axis": None if turned is None else turned.axial_p,
            "nothing follows a move": None if signed is None else signed.follow.p,
        },
        "as it is": asked,
    }


def _moves_asked(moves: Moves | None) -> dict[str, float | None]:
    """The same two questions of the record as it is, misfit and all."""
    return {
        "no shared axis": None if moves is None else moves.axial_p,
        "nothing follows a move": None if moves is None else moves.follow.p,
    }


def _turned(ground: Ground, seed: int) -> Ground:
    """Every innovation in a direction by chance, of its size and at its time."""
    white = ground.white()
    to = generator(seed, "study", "turned").standard_normal(white.shape)
    size = np.linalg.norm(white, axis=1) / np.linalg.norm(to, axis=1)
    back = np.linalg.inv(np.linalg.cholesky(np.linalg.inv(ground.cov)))
    return replace(ground, residual=to * size[:, None] @ back)


def _signed(ground: Ground, seed: int) -> Ground:
    """Every innovation with a sign by chance."""
    sign = generator(seed, "study", "signed").choice([-1.0, 1.0], (ground.n, 1))
    return replace(ground, residual=ground.residual * sign)


def levels(cells: list[dict[str, Any]]) -> dict[str, tuple[int, float]]:
    """Per question and kind: p-values, and the share of them below .05."""
    found: dict[str, list[float]] = {}
    for one in cells:
        for question, p in one["p"].items():
            if p is not None:
                found.setdefault(f"{question}, all", []).append(p)
                found.setdefault(f"{question}, {group(one['key'])}", []).append(p)
        for question, p in one["as it is"].items():
            if p is not None:
                found.setdefault(f"{question}, {AS_IT_IS}", []).append(p)
    return {name: (len(p), float(np.mean(np.array(p) < _LEVEL))) for name, p in sorted(found.items())}


def uniform(cells: list[dict[str, Any]], question: str) -> float:
    """p-value of "the p-values of this question are uniform"."""
    asked = [one["p"][question] for one in cells if one["p"][question] is not None]
    return float(kstest(asked, "uniform").pvalue)


def tenths(cells: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Per question: the share of its p-values in each tenth of [0, 1]; uniform ones have .1 in each."""
    found: dict[str, list[float]] = {}
    for one in cells:
        for question, p in one["p"].items():
            if p is not None:
                found.setdefault(question, []).append(p)
    return {name: (np.histogram(p, 10, (0.0, 1.0))[0] / len(p)).tolist() for name, p in sorted(found.items())}


def _ground(record: Record, idle: pl.Series) -> Ground:
    """The ground of a record that logs one more action, which does nothing."""
    roles = record.roles()
    rows = min(record.frame.height, len(idle))
    frame = record.frame.head(rows).with_columns(idle.head(rows))
    contract, _ = from_arguments(dict(frame.schema), **roles | {"actions": [*roles["actions"], _IDLE]})
    panel = build(frame, contract)
    return lay_ground(panel, own_history(panel, Structure(LAGS, 2)))
