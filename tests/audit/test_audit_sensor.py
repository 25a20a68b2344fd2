"""One change in a record tells no hand from a sensor that was set anew: the audit says which sensor."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from audit_cases import audited, easy, ground_of

from tslam.audit.finding import Claim
from tslam.audit.gap import GapKind, Severity
from tslam.audit.ground import LAGS, Ground, lay_ground
from tslam.audit.hidden import as_spikes, claim_moves
from tslam.audit.moves import Moves, find_moves
from tslam.audit.sensor import as_sensor, spikes
from tslam.audit.unlogged import _ask_moves, _Asked
from tslam.contract import from_arguments
from tslam.kernels.hac import MeanTest
from tslam.panel import build
from tslam.panel.chain import Structure
from tslam.plants.plant import stamped

ROWS = 1500


def _step(n: int) -> np.ndarray:
    return np.where(np.arange(n) > 0.4 * n, 1.0, 0.0)


def _drift(n: int) -> np.ndarray:
    return np.clip((np.arange(n) / n - 0.3) / 0.5, 0.0, 1.0)


def _often(n: int) -> np.ndarray:
    return np.sign(np.sin(np.arange(n) / n * 40.0))


@pytest.mark.parametrize("shape", [_step, _drift])
def test_a_faulty_sensor_is_never_an_action(shape: Callable[[int], np.ndarray]) -> None:
    record = easy(3, rows=ROWS)
    channel = record.observations[1]
    reading = record.frame[channel].to_numpy()
    off = record.frame.with_columns(pl.Series(channel, reading + 2.0 * reading.std() * shape(ROWS)))
    alarms = [g for g in audited(record, off).gaps if g.severity is not Severity.INFO]
    assert {g.kind for g in alarms} == {GapKind.UNDETERMINED}
    assert all(channel in g.recommendation for g in alarms)


def _claim(ground: Ground, direction: np.ndarray, shape: Callable[[int], np.ndarray]) -> Claim:
    return Claim(
        GapKind.MISSING_ACTION, None, 0.0, 1.0, 1.0, "Log it.", direction=direction, path=shape(ground.n)
    )


@pytest.mark.parametrize("shape", [_step, _drift])
def test_a_fault_names_its_sensor(shape: Callable[[int], np.ndarray]) -> None:
    """o_{t+1} = A o_t: what a reading off by one leaves is its column of I - A."""
    record = easy(0, rows=ROWS)
    ground = ground_of(record)
    n = len(record.observations)
    known = np.column_stack([ground.X[:, :n], ground.X[:, ground.regressors.inputs_from :]])
    A = np.linalg.lstsq(known, ground.Y, rcond=None)[0][:n].T
    for k, channel in enumerate(record.observations):
        told = as_sensor(ground, _claim(ground, (np.eye(n) - A)[:, k], shape))
        assert told.kind is GapKind.UNDETERMINED
        assert told.recommendation.startswith(f"Compare {channel} ")


def test_what_moves_again_and_again_is_no_sensor() -> None:
    ground = ground_of(easy(0, rows=ROWS))
    along = np.eye(ground.Y.shape[1])[0]
    assert as_sensor(ground, _claim(ground, along, _often)).kind is GapKind.MISSING_ACTION
    assert as_sensor(ground, _claim(ground, along, _step)).kind is GapKind.UNDETERMINED


def _spiky(frame: pl.DataFrame, channel: str) -> pl.DataFrame:
    """Single samples of a channel are far off, every hundred rows."""
    reading = frame[channel].to_numpy().copy()
    reading[np.arange(50, len(reading), 100)] += 8.0 * reading.std()
    return frame.with_columns(pl.Series(channel, reading))


def _moves(ground: Ground) -> Moves:
    found = find_moves(ground)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", [4, 5, 7])
def test_single_false_samples_are_no_action(seed: int) -> None:
    record = easy(seed, rows=ROWS)
    channel = record.observations[1]
    ground = ground_of(record, _spiky(record.frame, channel))
    moves = _moves(ground)
    told = spikes(ground, moves)
    assert told is not None
    assert told[0] == channel
    assert told[1] < -10.0
    claim = claim_moves(ground, moves)
    assert claim is not None
    assert as_spikes(ground, moves, claim) is None


def test_single_true_samples_of_one_channel_are_told_by_what_follows() -> None:
    """What did happen goes on: a state that was pushed decays as it always does."""
    rng = np.random.default_rng(0)
    state = np.zeros((ROWS, 3))
    for t in range(1, ROWS):
        state[t] = 0.8 * state[t - 1] + 0.1 * rng.standard_normal(3)
        state[t, 1] += 4.0 * (t % 100 == 50)
    held = np.repeat(rng.uniform(size=ROWS // 20), 20)
    frame = stamped({**{f"level_{i}": state[:, i] for i in range(3)}, "valve": held}, 60.0)
    contract, _ = from_arguments(dict(frame.schema), actions=["valve"])
    ground = lay_ground(build(frame, contract), Structure(LAGS))
    told = spikes(ground, _moves(ground))
    assert told is not None
    assert told[0] == "level_1"
    assert told[1] > 10.0


def test_the_strength_of_moves_grows_slower_than_their_square() -> None:
    """As that of every other gap: a Student density pays for a few huge samples by their logarithm."""
    record = easy(0, rows=ROWS)
    ground = ground_of(record)
    rng, at = np.random.default_rng(1), np.arange(60, ground.n - 20, 90)
    along = np.linalg.cholesky(ground.cov) @ np.eye(ground.Y.shape[1])[0]
    scores = []
    for size in (20.0, 200.0):
        residual = ground.residual.copy()
        residual[at] += size * rng.choice([-1.0, 1.0], at.size)[:, None] * along
        pushed = replace(ground, residual=residual)
        claim = claim_moves(pushed, _moves(pushed))
        assert claim is not None
        scores.append(claim.score)
    assert scores[0] < scores[1] < 3.0 * scores[0]


@pytest.mark.parametrize(
    ("tail", "axial", "p"), [(60.0, 1e-9, 1e-9), (60.0, 4e-2, 4e-2), (8.0, 1e-9, 2e-3), (8.0, 4e-2, 4e-2)]
)
def test_moves_are_as_certain_as_what_tells_them(tail: float, axial: float, p: float) -> None:
    """Where nothing need follow, the axis alone; elsewhere the weaker of the axis and what follows."""
    ground = ground_of(easy(0, rows=ROWS))
    found = Moves(
        rows=np.arange(60, ground.n - 20, 90),
        axis=np.eye(ground.Y.shape[1])[0],
        direction=np.eye(ground.Y.shape[1])[0],
        concentration=5.0,
        second=0.5,
        axial_p=axial,
        kurtosis=tail,
        heavy=0.0,
        follow=MeanTest(mean=1.0, error=0.3, t=3.1, p=2e-3),
        size=12.0,
        tested=ground.n,
    )
    claim = claim_moves(ground, found)
    assert claim is not None
    assert claim.p == p


@pytest.mark.parametrize(
    ("chan", "concentration", "told"),
    [(3, 2.6, True), (4, 3.2, True), (4, 2.9, False), (12, 3.9, False), (12, 4.1, True)],
)
def test_few_channels_can_share_an_axis_too(chan: int, concentration: float, told: bool) -> None:
    """Four times its share is more than the whole where channels are four: held against the others there."""
    ground = ground_of(easy(0, rows=ROWS, d=chan))
    along = np.eye(chan)[0]
    found = Moves(
        rows=np.arange(60, ground.n - 20, 90),
        axis=along,
        direction=along,
        concentration=concentration,
        second=0.4,
        axial_p=1e-9,
        kurtosis=30.0,
        heavy=0.0,
        follow=MeanTest(mean=0.0, error=0.3, t=0.0, p=0.5),
        size=12.0,
        tested=ground.n,
    )
    assert (claim_moves(ground, found) is not None) == told


def test_what_moves_is_found_behind_the_false_samples_of_a_sensor() -> None:
    record = easy(3, rows=3000, noise=0.2)
    frame = record.frame.drop("action_1")
    ground = ground_of(record.drop("action_1"), _spiky(frame, record.observations[2]))
    asked = _Asked()
    _ask_moves(asked, ground, np.zeros(ground.n, bool))
    assert [found.by.moves is not None for found in asked.found].count(True) == 1
