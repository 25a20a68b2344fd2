"""Is a log late in one series of a fleet, and in time in the others?

Over the whole fleet such a log still fits best where it stands, and the few rows of the one series do not
tell its effect. So the effect is learnt where the fleet as a whole shows it, and each series is asked at
which shift that same effect fits its own log best.
"""

import numpy as np

from tslam.audit.finding import Claim
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.lag_scan import BANDWIDTH, EARLIEST, LATEST, SHIFTS, LagScan, transferred
from tslam.audit.logs import AHEAD, SHOWN, SURE, shifted_effect
from tslam.kernels.hac import MeanTest, mean_test

__all__ = ["claim_late_series"]


def claim_late_series(ground: Ground, scan: LagScan) -> list[Claim]:
    """Claims that a log is late in some series, not in all, one for each lag found.

    Args:
        ground: The cross-fitted rich model of several series.
        scan: The scan of the action over the whole fleet.
    """
    panel = ground.panel
    causal = scan.best(EARLIEST, 0)
    if len(panel.series_names) < 2:
        return []
    gains = transferred(ground, scan.column, causal)
    series_of = panel.series_of[ground.rows]
    found: dict[int, list[tuple[str, MeanTest, float]]] = {}
    for i, name in enumerate(panel.series_names):
        own = gains[:, series_of == i]
        elsewhere = mean_test(gains[SHIFTS.index(causal), series_of != i], BANDWIDTH)
        if own.shape[1] < 2 * BANDWIDTH or elsewhere.t <= SHOWN:
            continue
        means = own.mean(axis=1)
        split = SHIFTS.index(1)
        here, early = int(means[:split].argmax()), split + int(means[split:].argmax())
        before = mean_test(own[early] - own[here], BANDWIDTH)
        ahead = mean_test(own[early], BANDWIDTH)
        if before.t > SURE and ahead.t > SHOWN and ahead.mean > AHEAD * max(float(means[here]), 0.0):
            found.setdefault(SHIFTS[early], []).append((name, before, 1000.0 * float(ahead.mean)))
    if sum(map(len, found.values())) == len(panel.series_names):
        return []
    return [_claim(ground, scan, lag, told) for lag, told in found.items()]


def _claim(ground: Ground, scan: LagScan, lag: int, told: list[tuple[str, MeanTest, float]]) -> Claim:
    names = tuple(name for name, _, _ in told)
    channels, share = shifted_effect(ground, scan, scan.best(EARLIEST, LATEST))
    surest = max((test for _, test, _ in told), key=lambda test: test.t)
    ahead = float(np.mean([gain for _, _, gain in told]))
    many = f"series {', '.join(names)}"
    steps = f"{lag} step{'s' * (lag > 1)}"
    reading = f"In {many} the effect that the fleet shows is {ahead:.0f} nats per 1,000 rows when shifted."
    return Claim(
        kind=GapKind.MISALIGNED_LOG,
        column=scan.column,
        p=surest.p,
        share=share,
        score=1000.0 * surest.mean,
        recommendation=f"Correct the clock of {scan.column} in {many}: its log is {steps} late there and in "
        "time elsewhere.",
        evidence=(
            Evidence(name="gain_at_lag", value=ahead, reference=0.0, p_value=surest.p, reading=reading),
            Evidence(name="t", value=surest.t, reference=SURE, reading="The difference over its HAC error."),
        ),
        channels=channels,
        lag=lag,
        series=names,
    )
