"""Shares of what happened: those that the plant's matrices say, with intervals, adding up to one."""

import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from audit_cases import LAGS, audited, easy, frozen, ground_of

from tslam.audit.attribution import WINDOWS, Hidden, attribute
from tslam.audit.causal import lean_fits
from tslam.audit.gap import Attribution
from tslam.plants import Record, linear, linear_shares, simulate

PARTS = ("history", "actions", "exogenous", "latents")
PLANTS: tuple[dict[str, Any], ...] = (
    {},
    {"noise": 0.1},
    {"noise": 1.0, "dwell": 30.0},
    {"d": 6, "actions": 2, "dwell": 100.0},
    {"d": 8, "exog": 2, "noise": 0.5},
    {"d": 6, "white": True},
)
HIDDEN = "action_1"


@cache
def _record(which: int, seed: int, rows: int, hide: bool) -> Record:
    record = linear(rows=rows, seed=seed, **PLANTS[which])
    return record.drop(HIDDEN) if hide else record


@cache
def _shares(which: int, seed: int, rows: int, hide: bool) -> tuple[Attribution, ...]:
    return audited(_record(which, seed, rows, hide)).attribution


def _errors(which: int, seed: int, rows: int, hide: bool) -> np.ndarray:
    """Estimated less true shares, per channel and part."""
    truth = linear_shares(_record(which, seed, rows, hide), lags=LAGS)
    own = [part for part in _shares(which, seed, rows, hide) if part.channel is not None]
    assert [part.channel for part in own] == list(truth.channels)
    return np.array(
        [
            [getattr(part, name).value - getattr(truth, name)[i] for name in PARTS]
            for i, part in enumerate(own)
        ]
    )


@pytest.mark.parametrize("which", [3, 4])
@pytest.mark.parametrize("hide", [False, True])
def test_shares_are_those_of_the_matrices(which: int, hide: bool) -> None:
    errors = np.abs(_errors(which, 0, 3000, hide))
    assert (np.median(errors, axis=0) < 0.02).all()
    assert errors.max() < 0.08


@pytest.mark.parametrize("which", [3, 4])
def test_a_hidden_action_gets_the_share_that_it_is_owed(which: int) -> None:
    record = _record(which, 0, 3000, hide=True)
    truth = dict(zip(record.observations, linear_shares(record, lags=LAGS).latents, strict=True))
    for part in _shares(which, 0, 3000, hide=True):
        if part.channel in record.effects[HIDDEN] and part.window is None:
            owed = truth[part.channel]
            assert 0.6 * owed - 0.01 < part.latents.value < 1.4 * owed + 0.01


@pytest.mark.parametrize("which", [3, 4])
def test_nothing_hidden_leaves_latents_nothing(which: int) -> None:
    own = [part for part in _shares(which, 0, 3000, hide=False) if part.channel is not None]
    assert max(abs(part.latents.value) for part in own) < 0.01


HELD_BACK = (
    ("reactor", 4, "cooling"),
    ("reactor", 2, "cooling"),
    ("service", 1, "cache"),
    ("service", 1, "replicas"),
    ("rotor", 1, "speed_setpoint"),
    ("tank", 2, "pump_1"),
    ("building", 1, "valve_1"),
)
"""Plant, seed and the action hidden in it: found by held levels, by moves and by a lean latent."""


@pytest.mark.parametrize(("plant", "seed", "action"), HELD_BACK)
def test_latents_take_of_any_plant_about_what_the_log_would(plant: str, seed: int, action: str) -> None:
    """The rich model of the whole record has the log itself: what is left without it is owed to latents."""
    record = simulate(plant, 2500, seed)
    told = _per_channel(audited(record.drop(action)).attribution)
    truth = _per_channel(audited(record).attribution)
    owed = told[:, 0] + told[:, 1] - truth[:, 0] - truth[:, 1]
    assert abs(told[:, 1].mean() - owed.mean()) < 0.03
    assert (told[:, 1] < owed + 0.05).all()
    assert told[owed.argmax(), 1] > 0.7 * owed.max()


def _per_channel(shares: Sequence[Attribution]) -> np.ndarray:
    """What stays unexplained and what latents take, per channel."""
    own = [part for part in shares if part.channel is not None]
    return np.array([(part.unexplained, part.latents.value) for part in own])


def test_even_a_latent_that_stands_for_nothing_explains_nothing() -> None:
    ground = ground_of(easy(rows=2000))
    forced = attribute(ground, Hidden(lean=lean_fits(ground)), seed=0)
    assert max(abs(part.latents.value) for part in forced) < 0.02


@pytest.mark.parametrize("hide", [False, True])
def test_parts_add_up_and_lie_in_their_intervals(hide: bool) -> None:
    for part in _shares(3, 0, 3000, hide):
        shares = [getattr(part, name) for name in PARTS]
        assert sum(share.value for share in shares) + part.unexplained == pytest.approx(1.0)
        assert all(share.low <= share.value <= share.high for share in shares)
        assert all(np.isfinite([share.low, share.value, share.high]).all() for share in shares)


def test_whole_channels_and_windows_are_told() -> None:
    record, shares = _record(3, 0, 3000, hide=False), _shares(3, 0, 3000, hide=False)
    assert [part.channel for part in shares] == [None, *record.observations, *[None] * WINDOWS]
    windows = [part.window for part in shares if part.window is not None]
    assert [part.window for part in shares[: 1 + len(record.observations)]] == [None] * (
        1 + len(record.observations)
    )
    assert windows == sorted(windows)
    assert all(first < last for first, last in windows)
    assert sum(part.rows for part in shares if part.window is not None) == shares[0].rows
    whole = np.mean([part.history.value for part in shares if part.channel is not None])
    assert shares[0].history.value == pytest.approx(whole, abs=1e-9)


def test_a_window_in_which_the_log_was_silent_leaves_more_unexplained() -> None:
    """More than with the whole log: how hard a window is to explain differs from window to window."""
    record = simulate("tank", 3000, 0)
    unlogged = [
        np.array(
            [part.unexplained + part.latents.value for part in audited(record, frame).attribution][-WINDOWS:]
        )
        for frame in (record.frame, frozen(record.frame, "valve", 1000, 1500))
    ]
    rise = unlogged[1] - unlogged[0]
    assert rise.argmax() == 2
    assert rise[2] > 2.0 * np.delete(rise, 2).max()


def test_history_alone_tells_what_is_held_where_there_is_little_noise() -> None:
    """By small differences of large numbers: under the whole model's ridge persistence told more."""
    record = simulate("tank", 3000, 2)
    own = [part for part in audited(record).attribution if part.window is not None]
    assert min(part.history.value for part in own) > 0.2


@pytest.mark.long
def test_shares_of_many_plants(capsys: pytest.CaptureFixture[str]) -> None:
    table = [f"{'plant':40s} {'hidden':8s} " + " ".join(f"{name:>22s}" for name in PARTS)]
    for which, settings in enumerate(PLANTS):
        for hide in (False, True):
            errors = np.concatenate([_errors(which, seed, 6000, hide) for seed in range(3)])
            medians, worst = np.median(np.abs(errors), axis=0), np.abs(errors).max(axis=0)
            cells = [f"median {m:.3f} max {w:.3f}" for m, w in zip(medians, worst, strict=True)]
            table.append(
                f"{settings!s:40s} {HIDDEN if hide else '':8s} " + " ".join(f"{c:>22s}" for c in cells)
            )
            assert (medians < 0.05).all()
            if not hide:
                assert worst[PARTS.index("latents")] < 0.01
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *table, ""]))
