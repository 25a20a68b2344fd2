"""What a log lacks, in few stretches or in many: which of them count."""

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import easy, ground_of

from tslam.audit.finding import Claim
from tslam.audit.gap import GapKind
from tslam.audit.offset import Offset, Run
from tslam.audit.shortfall import as_outage, claim_offset
from tslam.plants import tank

HOLD, LONG = 5, 100
"""Rows that the log mostly holds a value for, and those of a stretch in which it was silent."""


def _offset(nats: list[float], holds: int, each: float) -> Offset:
    """Long stretches with so many nats, after short ones with a few each."""
    runs, at = [], 0
    for length, gain in [*((HOLD, each) for _ in range(holds)), *((LONG, x) for x in nats)]:
        runs.append(Run(at, at + length, gain, at, at + length - 1, gain))
        at += length
    none = np.zeros((at, 1))
    return Offset("action_0", none[:, 0], none, 1.0, 5.0, tuple(runs), none)


def _told(nats: list[float], holds: int = 200, each: float = 2.5) -> Claim:
    claim = Claim(GapKind.COARSE_LOG, "action_0", 0.0, 1.0, 1.0, "", channels=("channel_0",))
    return as_outage(ground_of(easy(rows=1500)), claim, _offset(nats, holds, each))


def test_an_outage_of_a_log_that_moves_often_is_one_whatever_chance_adds_elsewhere() -> None:
    found = _told([200.0, 120.0])
    assert found.kind is GapKind.LOG_OUTAGE
    assert [b - a + 1 for a, b in found.windows] == [LONG, LONG]


def test_what_is_as_much_in_most_stretches_is_coarse() -> None:
    assert _told([20.0, 20.0], each=8.0).kind is GapKind.COARSE_LOG
    assert _told([120.0], holds=0).kind is GapKind.COARSE_LOG


@pytest.mark.parametrize(
    ("against", "long", "kind"),
    [(0.0, 200.0, GapKind.COARSE_LOG), (0.5, 200.0, GapKind.LOG_OUTAGE), (0.0, 900.0, GapKind.LOG_OUTAGE)],
)
def test_what_few_stretches_speak_against_is_coarse_though_two_long_ones_have_most_of_it(
    against: float, long: float, kind: GapKind
) -> None:
    holds, each = 20, 8.0
    offset = _offset([long / 2, long / 2], holds, each)
    runs = tuple(replace(run, gain=-0.5) if k < against * holds else run for k, run in enumerate(offset.runs))
    rng = np.random.default_rng(0)
    gains = (
        sum(run.gain for run in runs) / offset.gains.size * (1.0 + 0.1 * rng.normal(size=offset.gains.size))
    )
    claim = Claim(GapKind.COARSE_LOG, "action_0", 0.0, 1.0, 1.0, "", channels=("channel_0",))
    assert as_outage(ground_of(easy(rows=1500)), claim, replace(offset, runs=runs, gains=gains)).kind is kind


@pytest.mark.parametrize(("holds", "found"), [(2, False), (20, True)])
def test_in_a_plant_that_bends_an_outage_is_silence_that_does_not_happen_by_chance(
    holds: int, found: bool
) -> None:
    """A log holds a value for a hundred rows: twice the mean of four stretches, seven times that of many."""
    ground = ground_of(tank(1500, 80016))
    none = np.zeros((ground.n, 1))
    offset = replace(
        _offset([60.0, 60.0], holds, -1.0),
        column="pump_2",
        gains=np.full(ground.n, 0.1),
        level=none,
        effect=np.zeros(ground.Y.shape),
    )
    claim = claim_offset(ground, offset)
    assert (claim is not None) is found
    assert claim is None or claim.kind is GapKind.LOG_OUTAGE


@pytest.mark.parametrize(
    ("nats", "found"), [([70.0], False), ([130.0], True), ([130.0, 0.0], False), ([130.0, 110.0], True)]
)
def test_a_log_silent_as_never_before_may_lack_what_all_rows_together_speak_against(
    nats: list[float], found: bool
) -> None:
    """To allow for a difference costs at every row, and most where an action shows best."""
    ground = ground_of(easy(rows=1500))
    offset = _offset(nats, 200, 0.0)
    none = np.zeros((ground.n, 1))
    against = replace(offset, gains=np.full(ground.n, -0.2), level=none, effect=np.zeros((ground.n, 6)))
    claim = claim_offset(ground, against)
    assert (claim is not None) is found
    assert claim is None or claim.kind is GapKind.LOG_OUTAGE
