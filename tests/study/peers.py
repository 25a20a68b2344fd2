"""What a user would take instead, on the same records: a residual, and what is odd in it.

A VARX with two lags leaves residuals; PELT of ruptures looks for change points in them, an isolation
forest of scikit-learn for odd rows; LPCMCI of tigramite says what something unmeasured drives. None names a
gap, so the question is put as mildly as it can be: how much more do they find on a record with a fault than
on the same record without? Each cell is a record with one of its logged actions dropped, its log frozen for a
while, or made coarse, and the clean one beside it.
"""

from typing import Any

import numpy as np
import polars as pl
import ruptures
from asked import alarms, report, said
from discovery import confounded
from records import KINDS, changed, keys, rows_of
from scipy.stats import kurtosis
from sklearn.ensemble import IsolationForest

from tslam.plants import Record
from tslam.seeding import generator

__all__ = ["FAULTS", "cell", "group", "rates", "wanted"]

_LAGS = 2
_TRAIN = 0.5


def dropped(record: Record, column: str) -> Record:
    """The action is in no column."""
    return record.drop(column)


def frozen(record: Record, column: str) -> Record:
    """The log holds its value for an eighth of the record."""
    values = record.frame[column].to_numpy().copy()
    length = len(values) // 8
    first = int(len(values) * generator(record.seed, "study", "outage").uniform(0.2, 0.75))
    values[first : first + length] = values[first]
    return changed(record, [pl.Series(column, values)])


def coarse(record: Record, column: str) -> Record:
    """The log says only whether the action is above its median."""
    values = record.frame[column].to_numpy()
    return changed(record, [pl.Series(column, (values > np.median(values)).astype(float))])


FAULTS = {"none": lambda record, _: record, "dropped": dropped, "frozen": frozen, "coarse": coarse}
WANTED = {"dropped": {"missing_action"}, "frozen": {"log_outage"}, "coarse": {"coarse_log"}}
"""The kinds that are right."""


def wanted(count: int, first: int) -> list[str]:
    """``kind/seed/fault``, so many records with every fault; seeds that no other question has."""
    return [f"{key}/{fault}" for key in keys(count, first + 3000) for fault in FAULTS]


def group(key: str) -> str:
    """What is counted together."""
    return key.split("/")[2]


def cell(key: str) -> dict[str, Any]:
    """One record: what the audit says, and how odd the residuals are to the others."""
    kind, text, fault = key.split("/")
    seed = int(text)
    clean = KINDS[kind](rows_of(seed), seed)
    column = clean.actions[seed % len(clean.actions)]
    record = FAULTS[fault](clean, column)
    left = _residual(record)
    return {
        "gaps": said(report(record)),
        "column": column,
        "changes": len(_changes(left)) - 1,
        "odd": float((IsolationForest(random_state=0).fit_predict(left) < 0).mean()),
        "tail": float(np.max(kurtosis(left))),
        "confounded": confounded(record),
    }


def rates(cells: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Per fault: share found by each, at thresholds that each passes on a twentieth of the clean records."""
    by = {name: [c for c in cells if group(c["key"]) == name] for name in FAULTS}
    lines = {k: np.quantile(_known(by["none"], k), 0.95) for k in ("changes", "odd", "confounded")}
    out = {}
    for name, these in by.items():
        found = {k: float(np.mean(np.array(_known(these, k)) > lines[k])) for k in lines}
        found["asked of"] = float(len(_known(these, "confounded")))
        found["any alarm"] = float(np.mean([bool(alarms(c["gaps"])) for c in these]))
        if name in WANTED:
            right = [_right(c, WANTED[name], name != "dropped") for c in these]
            found["right kind and column"] = float(np.mean(right))
        out[name] = found | {"records": float(len(these))}
    return out


def _known(these: list[dict[str, Any]], name: str) -> list[float]:
    """What was counted, of the records of which it could be."""
    return [c[name] for c in these if c[name] is not None]


def _right(one: dict[str, Any], kinds: set[str], named: bool) -> bool:
    return any(
        g["kind"] in kinds and (not named or g["column"] == one["column"]) for g in alarms(one["gaps"])
    )


def _residual(record: Record) -> np.ndarray:
    """One-step errors of a least-squares VARX that was learnt from the first half."""
    obs, acts, exog = (
        record.frame.select(c)
        .fill_null(strategy="forward")
        .fill_null(strategy="backward")
        .to_numpy()
        .astype(float)
        for c in (record.observations, record.actions, record.exogenous)
    )
    n = len(obs)
    F = np.column_stack(
        [obs[_LAGS - 1 - k : n - 1 - k] for k in range(_LAGS)] + [acts[_LAGS - 1 : -1], exog[_LAGS - 1 : -1]]
    )
    F = np.column_stack([(F - F.mean(axis=0)) / np.maximum(F.std(axis=0), 1e-9), np.ones(len(F))])
    Y = obs[_LAGS:]
    train = slice(0, int(_TRAIN * len(Y)))
    W = np.linalg.lstsq(F[train], Y[train], rcond=None)[0]
    left = Y - F @ W
    return left / np.maximum(left[train].std(axis=0), 1e-12)


def _changes(left: np.ndarray) -> list[int]:
    """Change points of the residual means, PELT with the penalty of the information criterion."""
    penalty = 2.0 * left.shape[1] * np.log(len(left))
    return ruptures.KernelCPD(kernel="linear", min_size=10).fit_predict(left, pen=penalty)
