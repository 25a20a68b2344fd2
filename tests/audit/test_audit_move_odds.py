"""What moves explain: about as much as was put in, whatever their size, and nothing where there are none."""

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import easy, ground_of

from tslam.audit.ground import Ground
from tslam.audit.move_odds import MoveOdds, move_odds
from tslam.audit.moves import Moves
from tslam.kernels.hac import MeanTest

GROUND = ground_of(easy(rows=3000))
CHANNELS = GROUND.Y.shape[1]
FOUND = 15
"""Moves that are claimed: the largest."""


def _moved(
    size: float, count: int = 150, channels: int = CHANNELS, *, tails: float = 6.0, seed: int = 0
) -> tuple[Ground, Moves, np.ndarray]:
    """Student noise, and moves of the first channel with tails of their own and so many times its scale."""
    rng = np.random.default_rng(seed)
    moved = np.zeros(GROUND.n)
    at = rng.choice(GROUND.n, count, replace=False)
    moved[at] = size * rng.standard_t(tails, count)
    residual = rng.standard_t(tails, (GROUND.n, channels))
    residual[:, 0] += moved
    found = np.sort(np.argsort(-np.abs(residual[:, 0]))[:FOUND])
    ground = replace(
        GROUND,
        residual=residual,
        cov=np.eye(channels),
        Y=GROUND.Y[:, :channels],
        seen=np.ones((GROUND.n, channels), bool),
        weights=tuple(W[:, :channels] for W in GROUND.weights),
        ridge=GROUND.ridge[:, :channels],
    )
    axis = np.eye(channels)[0]
    moves = Moves(
        rows=found,
        axis=axis,
        direction=axis,
        concentration=float(channels),
        second=0.0,
        axial_p=0.0,
        kurtosis=10.0,
        heavy=0.0,
        follow=MeanTest(mean=0.0, error=1.0, t=0.0, p=0.5),
        size=float(np.sqrt((residual[found, 0] ** 2).mean())),
        tested=ground.n,
    )
    return ground, moves, moved


def _taken_off(ground: Ground, told: MoveOdds) -> float:
    """Of the expected squared error, all rows together."""
    gain = 2.0 * ground.residual[:, 0] * told.mean - told.mean**2 - told.variance
    return float((told.odds * gain).sum())


@pytest.mark.parametrize("size", [6.0, 10.0, 20.0])
@pytest.mark.parametrize("count", [30, 150])
def test_moves_explain_what_was_put_in(size: float, count: int) -> None:
    """Also where those that were found, the largest, are a fraction of it."""
    ground, moves, moved = _moved(size, count)
    told = _taken_off(ground, move_odds(ground, moves))
    assert 0.85 < told / (moved**2).sum() < 1.2


@pytest.mark.parametrize(("tails", "size", "count"), [(1e6, 3.0, 900), (2.5, 6.0, 150)])
def test_small_moves_and_wild_noise_are_told_as_they_are_on_average(
    tails: float, size: float, count: int
) -> None:
    """What they explain and how many there are, whatever the tails of the noise."""
    told, odds = [], []
    for seed in range(4):
        ground, moves, moved = _moved(size, count, tails=tails, seed=seed)
        found = move_odds(ground, moves)
        told.append(_taken_off(ground, found) / (moved**2).sum())
        odds.append(found.odds.sum() / count)
    assert 0.94 < np.mean(told) < 1.06
    assert 0.8 < np.mean(odds) < 1.25


def test_noise_alone_explains_little() -> None:
    """Moves were claimed, and there is none: of what is along the axis a few hundredths, on average."""
    told = []
    for seed in range(6):
        ground, moves, _ = _moved(0.0, seed=seed)
        told.append(_taken_off(ground, move_odds(ground, moves)) / (ground.residual[:, 0] ** 2).sum())
    assert abs(np.mean(told)) < 0.03


def test_a_larger_residual_is_likelier_a_move() -> None:
    ground, moves, _ = _moved(8.0)
    ground.residual[0, 0] = 500.0
    told = move_odds(ground, moves)
    order = np.argsort(np.abs(ground.residual[:, 0]))
    assert (np.diff(told.odds[order]) >= -1e-9).all()
    assert told.odds[0] > 0.999


def test_what_was_not_measured_holds_no_move() -> None:
    ground, moves, _ = _moved(8.0)
    ground.seen[moves.rows[0], 1] = False
    assert move_odds(ground, moves).odds[moves.rows[0]] == 0.0


def test_one_channel_has_no_other_axis() -> None:
    ground, moves, moved = _moved(10.0, 30, channels=1)
    told = _taken_off(ground, move_odds(ground, moves))
    assert 0.8 < told / (moved**2).sum() < 1.2
