"""Does something held drive the state that no column tells, sensor noise allowed for?

A regression on readings makes errors that last: of noise taken for state, of a plant that bends. A held
latent beside it gains on clean records, too. So the model here is a state with noisy sensors, in which
products of signals drive as known inputs do, and a held input is added to it. Where nothing is missing that
input shrinks to what the data do not tell, in one part of the record or in all. Where something is, all
parts tell it, and it improves the prediction of rows that it was not fitted on.

Where that input moves without jumps it may be an action held for long, a load or a condition, a sensor that
drifts or was set anew: the answer is "undetermined". Where it jumps it is a hand or a misfit. A misfit moves
with the logged actions, and each part of the record has its own; a hidden hand moves as much while everything
logged rests, and all parts find the same.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from tslam.audit.causal import agreement, jumpiness, parts_of
from tslam.audit.finding import (
    Claim,
    causal_gain,
    driven_channels,
    found_alike,
    jump_windows,
    largest_share,
    listed,
    log_what_moves,
    moves_at_rest,
    told_by_data,
)
from tslam.audit.gap import Evidence, GapKind
from tslam.audit.ground import Ground
from tslam.audit.rest import Resting, resting_steps
from tslam.audit.student import robust_scatter, student_score
from tslam.dynamics.products import Products
from tslam.dynamics.sensing import Path, Readings, Sensed, fit_sensed, known_inputs, with_held
from tslam.kernels.hac import MeanTest, mean_test
from tslam.kernels.side_by_side import side_by_side
from tslam.panel.split import folds
from tslam.panel.windows import bounds, carry

__all__ = ["MOST_CHANNELS", "Unmeasured", "claim_unmeasured", "unmeasured_input"]

MOST_CHANNELS = 16
"""Observations up to which the question is asked: its cost grows with their cube."""
_WORK = 1.2e7
"""Rows times cubed channels that are asked about; of longer records the first stretch."""
_MOST_PRODUCTS = 250
"""Above this many the model goes without products: EM visits them at every step."""
_RIDGE, _PRODUCT_RIDGE = 1e-4, 1e-2
_FIRST_ROUNDS, _PLAIN_ROUNDS, _HELD_ROUNDS = 15, 40, 120
_SETTLED = 2e-5
"""Gain in log-likelihood per row below which a fit has settled. What EM has left to do on the model without a
held input is done together with it, and would count as its gain."""
_BANDWIDTH = 50
_PURGE = 10
_GAIN = 2.0
"""t from which the input improves causal, held-out prediction."""
_TOLD = 0.6
"""Share of its variance that the data tell, in every part (docs/notes, what no column tells)."""
_SMOOTH = 4.5
"""Excess kurtosis of its steps, the three largest left out, up to which it does not jump."""
_SURE, _TOLD_WELL = 3.0, 0.75
"""The first two for an input that jumps."""
_AGREES = 0.75
"""Correlation between what the parts find: .30 to .74 and .79 to .94 in the same records."""
_READABLE = 0.3
"""Share of it that known inputs may tell: in a fleet one effect is misjudged where a unit has another."""


@dataclass(frozen=True, eq=False)
class Unmeasured:
    """A held input that was fitted beside everything known."""

    gain: MeanTest
    """Causal, held-out nats per row that it gains."""
    told: float
    """Share of its variance that the data tell, in the part that tells least."""
    jumpiness: float
    """Excess kurtosis of its steps, in the part where it is largest."""
    agreement: float
    """Correlation between the paths of two parts, in the median."""
    resting: Resting
    """Does it step where no logged action moves?"""
    readable: float
    """Share of it that known inputs tell, held out, each series by itself."""
    direction: Float[np.ndarray, " chan"]
    """What one unit adds to o_{t+1}, scaled."""
    path: Float[np.ndarray, " n"]
    """Its level on the ground's transitions, smoothed."""
    rows: int
    """Rows that were asked about."""

    @property
    def stands(self) -> bool:
        """Is it there, no jumping misfit, and nothing that a known input is misjudged by?"""
        there = self.readable < _READABLE and self.gain.t > _GAIN and self.told > _TOLD
        return there and (not self.jumps or self.acts)

    @property
    def jumps(self) -> bool:
        """Does it move by jumps?"""
        return self.jumpiness >= _SMOOTH

    @property
    def acts(self) -> bool:
        """Does it move by itself, and do all parts find the same?"""
        sure = self.gain.t > _SURE and self.told > _TOLD_WELL
        return sure and self.agreement > _AGREES and self.resting.by_itself


@dataclass(frozen=True, eq=False)
class _Part:
    """What was learnt from some of the blocks."""

    without: Sensed
    fit: Sensed
    path: Path


def unmeasured_input(ground: Ground) -> Unmeasured | None:
    """Fit a held input on parts of interleaved blocks; None where EM leaves the numbers."""
    whole = _readings(ground)
    if whole is None:
        return None
    rows = min(len(whole.y), int(_WORK / whole.y.shape[1] ** 3))
    readings = whole.head(rows)
    penalty = np.full(readings.inputs.shape[1], _PRODUCT_RIDGE)
    penalty[: _known(ground).shape[1]] = _RIDGE
    to = np.flatnonzero(~readings.start)
    parts = folds(ground.panel, to, count=parts_of(len(to)), purge=_PURGE)
    trains, tests = np.zeros((2, len(parts), rows), bool)
    for split, train, test in zip(parts, trains, tests, strict=True):
        train[to[split.train]], test[to[split.held]] = True, True
    fitted = [part for part in side_by_side(partial(_fit_part, readings, penalty), list(trains)) if part]
    if len(fitted) < len(trains):
        return None
    ahead, behind = np.zeros_like(readings.y), np.zeros_like(readings.y)
    for part, test in zip(fitted, tests, strict=True):
        behind[test] = np.where(readings.seen, readings.y - part.without.ahead(readings), 0.0)[test]
        ahead[test] = np.where(readings.seen, readings.y - part.fit.ahead(readings), 0.0)[test]
    tested = tests.any(axis=0)
    cov, _ = robust_scatter(behind[tested], readings.seen[tested])
    gain = np.where(tested, student_score(ahead, cov) - student_score(behind, cov), np.nan)
    first = fitted[0].fit
    throughout = first.smoothed(whole)
    if throughout is None:
        return None
    path = throughout.mean[ground.rows, -1]
    paths = [part.path.mean[:, -1] for part in fitted]
    return Unmeasured(
        agreement=agreement(paths),
        resting=resting_steps(ground, paths, np.arange(rows), readings.start),
        readable=_readable(ground, path),
        gain=mean_test(gain, _BANDWIDTH),
        told=min(1.0 - float(p.path.cov[:, -1, -1].mean()) for p in fitted),
        jumpiness=max(jumpiness(np.diff(z)[~readings.start[1:]]) for z in paths),
        direction=first.direction[:, 0],
        path=path,
        rows=rows,
    )


def claim_unmeasured(ground: Ground, found: Unmeasured) -> Claim | None:
    """The claim that something drives the plant: an action where it jumps, else it cannot be told what."""
    if not found.stands:
        return None
    channels = driven_channels(ground, found.direction)
    of_them = listed(channels)
    unclear = (
        f"Find what changes slowly and moves {of_them}: a setting that is held for long, a "
        "load or a condition, or a sensor that drifts or was set anew. Hold each setting in turn for hours "
        f"and compare {of_them} with a second instrument: what follows the setting is an action, what the "
        "second instrument does not show is the sensor."
    )
    return Claim(
        kind=GapKind.MISSING_ACTION if found.jumps else GapKind.UNDETERMINED,
        column=None,
        p=found.gain.p,
        share=largest_share(ground, found.path[:, None] * found.direction[None, :]),
        score=1000.0 * found.gain.mean,
        recommendation=log_what_moves(channels) if found.jumps else unclear,
        evidence=_evidence(found),
        channels=channels,
        windows=jump_windows(ground, found.path) if found.jumps else (),
        latents=True,
        direction=found.direction,
        path=found.path,
        most="warning",
    )


def _evidence(found: Unmeasured) -> tuple[Evidence, ...]:
    common = (
        causal_gain(found.gain, f"a held input adds to a state with noisy sensors ({found.rows:,} rows)"),
        told_by_data(found.told, _TOLD_WELL if found.jumps else _TOLD, ", in the part that tells least"),
        Evidence(
            name="jumpiness",
            value=found.jumpiness,
            reference=_SMOOTH,
            reading="It moves by jumps: a hand, or a misfit."
            if found.jumps
            else "It moves without jumps, so that nothing tells a hand from a condition or a sensor.",
        ),
    )
    if not found.jumps:
        return common
    return (
        *common,
        *moves_at_rest(found.resting),
        found_alike(found.agreement, _AGREES),
    )


def _fit_part(
    readings: Readings, penalty: Float[np.ndarray, " k"], train: Bool[np.ndarray, " n"]
) -> _Part | None:
    fitted = partial(fit_sensed, readings, penalty, state_ridge=_RIDGE, settled=_SETTLED, train=train)
    without = fitted(iterations=_PLAIN_ROUNDS)
    if without is None:
        return None
    fit = fitted(iterations=_HELD_ROUNDS, first=with_held(without, 1))
    path = None if fit is None else fit.smoothed(readings)
    return None if fit is None or path is None else _Part(without, fit, path)


def _readings(ground: Ground) -> Readings | None:
    """Readings of the panel, with products of the cleared state and the inputs among what is known to act."""
    panel = ground.panel
    first, _ = bounds(panel)
    known = _known(ground)
    linear = Readings.of(panel, first, known)
    plain = fit_sensed(linear, _RIDGE, state_ridge=_RIDGE, iterations=_FIRST_ROUNDS, settled=_SETTLED)
    if plain is None:
        return None
    state = plain.causal(linear)
    if not np.isfinite(state).all():
        return None
    before = np.maximum(np.arange(panel.rows) - 1, first)
    inputs = np.column_stack([carry(panel.actions, first), carry(panel.exog, first)])
    signals = np.column_stack([state, inputs])[before]
    products = Products.learn(signals, len(panel.channels))
    if len(products.pairs) > _MOST_PRODUCTS:
        return linear
    return Readings.of(panel, first, np.column_stack([known, products.of(signals)]))


def _known(ground: Ground) -> Float[np.ndarray, "rows inputs"]:
    """Known inputs, and a constant of each series: what is usual for one is no input."""
    panel = ground.panel
    each = np.eye(len(panel.series_names))[panel.series_of][:, 1:]
    return np.column_stack([known_inputs(panel, bounds(panel)[0], ground.within), each])


def _readable(ground: Ground, path: Float[np.ndarray, " n"]) -> float:
    """Share of a path that known inputs of its own series tell, in blocks that taught nothing."""
    panel = ground.panel
    inputs = ground.held(np.column_stack([panel.actions, panel.exog]))
    each = np.eye(len(panel.series_names))[panel.series_of[ground.rows]]
    F = (each[:, :, None] * np.column_stack([inputs, np.ones(len(inputs))])[:, None, :]).reshape(
        len(path), -1
    )
    left = path - path.mean()
    total = max(float(left @ left), 1e-30)
    for split in folds(panel, ground.rows, count=4, purge=_PURGE):
        Ft = F[split.train]
        gram = Ft.T @ Ft + 1e-3 * len(Ft) * np.eye(F.shape[1])
        left[split.held] = path[split.held] - F[split.held] @ np.linalg.solve(gram, Ft.T @ path[split.train])
    return float(1.0 - left @ left / total)
