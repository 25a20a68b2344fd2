"""A limit acts only while it binds: it is no coarse log for that, and not inert."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from scipy.signal import lfilter

import tslam
from tslam.audit.gap import GapKind

ROWS, NOISE = 2000, 0.3


def _held(rng: np.random.Generator, dwell: float) -> np.ndarray:
    values = np.empty(ROWS)
    first = 0
    while first < ROWS:
        stop = first + max(3, int(rng.exponential(dwell)))
        values[first:stop] = rng.uniform(-1.0, 1.0)
        first = stop
    return values


def _capped(seed: int, above: float = 1.0) -> pl.DataFrame:
    """Served is the load, or the cap, one of a few levels, where that is lower; the fan acts as it is set."""
    rng = np.random.default_rng(seed)
    load = lfilter([1.0], [1.0, -0.98], rng.normal(size=ROWS))
    load /= load.std()
    cap, fan = np.round(1.5 * (_held(rng, 50.0) + above)) / 1.5, _held(rng, 60.0)
    served = np.minimum(load, cap)
    push = np.column_stack([served, 0.5 * served + 0.7 * fan, fan, load - served])
    A = np.diag([0.8, 0.7, 0.6, 0.85]) + 0.05
    o = np.zeros((ROWS, 4))
    for t in range(ROWS - 1):
        o[t + 1] = A @ o[t] + push[t] + NOISE * rng.normal(size=4)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    time = pl.datetime_range(start, start + timedelta(minutes=ROWS - 1), "1m", eager=True)
    readings = {f"reading_{k}": o[:, k] for k in range(4)}
    return pl.DataFrame({"time": time} | readings | {"cap": cap, "fan": fan, "load": load})


def test_a_limit_is_no_coarse_log() -> None:
    frame = _capped(8)
    model = tslam.fit(
        frame, actions=["cap", "fan"], exog=["load"], time="time", config="linear", progress=False
    )
    report = model.audit(frame)
    assert not {gap.kind for gap in report.gaps} & {GapKind.COARSE_LOG, GapKind.INERT_ACTION}
    assert any(left.subject == "cap" and left.question == "coarseness" for left in report.findings.not_tested)


def test_a_limit_beside_a_column_that_does_nothing_is_not_called_inert_with_it() -> None:
    """Neither shows at any shift by itself; the model predicts worse without the limit, and no worse without
    the other."""
    spare = _held(np.random.default_rng(1008), 40.0)
    frame = _capped(8, above=1.6).with_columns(pl.Series("spare", spare))
    model = tslam.fit(
        frame, actions=["cap", "fan", "spare"], exog=["load"], time="time", config="linear", progress=False
    )
    inert = [gap.column for gap in model.audit(frame).gaps if gap.kind is GapKind.INERT_ACTION]
    assert inert == ["spare"]
