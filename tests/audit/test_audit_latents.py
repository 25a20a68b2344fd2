"""Latents that are asked about: when they jump, what they are called, whose they are, and who tells them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from audit_cases import easy, ground_of

from tslam.audit.finding import Claim
from tslam.audit.gap import GapKind
from tslam.audit.ground import Ground
from tslam.audit.levels import Level, Levels, held_levels
from tslam.audit.naming import telling_latents
from tslam.audit.rest import at_rest, undisturbed
from tslam.audit.standing import acting, claim_action, claim_driver, driving
from tslam.audit.whose import Owners
from tslam.kernels.hac import MeanTest
from tslam.panel.windows import bounds, carry
from tslam.plants import simulate

PLANT = simulate("tank", 4000, 0)
HIDDEN = "heater"


@cache
def _ground(hidden: bool) -> Ground:
    return ground_of(PLANT.drop(HIDDEN) if hidden else PLANT)


@cache
def _levels(hidden: bool) -> Levels:
    found = held_levels(_ground(hidden))
    assert found is not None
    return found


def _like(**changed: object) -> Levels:
    """The latents found, all but the first put to sleep, the first changed."""
    levels = _levels(hidden=True)
    asleep = [replace(v, told=0.0, agreement=0.0, resting=0, p_resting=1.0) for v in levels.levels[1:]]
    first = replace(
        levels.levels[0],
        **({"told": 0.9, "agreement": 0.9, "resting": 9, "p_resting": 0.001, "persistence": 0.98} | changed),
    )
    return replace(levels, levels=(first, *asleep), gain=MeanTest(mean=0.05, error=0.01, t=5.0, p=1e-6))


def _claim(**found: object) -> Claim:
    return Claim(GapKind.MISSING_ACTION, None, 0.0, 1.0, 1.0, "", latents=True, **found)


def test_a_hidden_heater_has_a_latent_that_follows_it_and_jumps_at_rest() -> None:
    levels = _levels(hidden=True)
    truth = PLANT.truth.frame[HIDDEN].to_numpy()[_ground(hidden=True).rows]
    likeness = [float(np.corrcoef(v.path, truth)[0, 1] ** 2) for v in levels.levels]
    assert max(likeness) > 0.5
    best = levels.levels[int(np.argmax(likeness))]
    assert best.resting >= 4
    assert best.p_resting < 0.02


def test_with_nothing_hidden_no_latent_acts() -> None:
    assert not acting(_levels(hidden=False))


@pytest.mark.parametrize(
    "short_of",
    [{"told": 0.5}, {"agreement": 0.3}, {"resting": 3}, {"p_resting": 0.04}],
    ids=str,
)
def test_what_acts_meets_every_condition(short_of: dict[str, float]) -> None:
    assert [level.index for level in acting(_like())] == [_like().levels[0].index]
    assert not acting(_like(**short_of))


def test_of_several_latents_one_that_both_halves_found_is_no_accident() -> None:
    assert acting(_like(agreement=0.8, p_resting=0.01))
    assert not acting(_like(agreement=0.6, p_resting=0.01))


def test_latents_that_gain_nothing_say_nothing() -> None:
    silent = replace(_like(), gain=MeanTest(mean=0.0, error=0.01, t=0.0, p=0.5))
    assert not acting(silent)
    assert driving(silent) is None


def test_a_driver_is_slow_and_alone() -> None:
    assert driving(_like()) is not None
    assert driving(_like(persistence=0.95)) is None
    crowd = _like()
    second = replace(crowd.levels[1], told=0.9, agreement=0.9)
    assert driving(replace(crowd, levels=(crowd.levels[0], second, *crowd.levels[2:]))) is None


def test_what_follows_a_clock_is_a_driver_and_no_alarm_of_the_highest_kind() -> None:
    ground, levels = _ground(hidden=True), _like(period=0.9)
    clock = claim_action(ground, levels, levels.levels[0])
    assert (clock.kind, clock.most, clock.windows) == (GapKind.MISSING_EXOGENOUS, "warning", ())
    surest = acting(_levels(hidden=True))[0]
    plain = claim_action(ground, _levels(hidden=True), surest)
    assert plain.kind is GapKind.MISSING_ACTION
    assert len(plain.windows) == min(len(surest.jumps), 50)
    assert claim_driver(ground, levels, levels.levels[0]).kind is GapKind.MISSING_EXOGENOUS


def test_rest_is_away_from_logged_moves_and_where_the_state_is_ordinary() -> None:
    ground = _ground(hidden=False)
    still = undisturbed(ground.panel, ground.rows, ground.start, after=5, before=2)
    rest = at_rest(still, ground.F, ground.penalty)
    logged = carry(ground.panel.actions, bounds(ground.panel)[0])[ground.rows]
    moves = np.flatnonzero(np.any(np.diff(logged, axis=0) != 0, axis=1)) + 1
    moves = moves[~ground.start[moves]]
    assert moves.size > 20
    for offset in range(-2, 6):
        assert not rest[np.clip(moves + offset, 0, ground.n - 1)].any()
    far = np.abs(np.arange(ground.n)[:, None] - moves[None, :]).min(axis=1) > 5
    assert 0.5 < rest[far].mean() < 1.0


def test_a_gap_names_the_latents_that_tell_its_level_the_best_first() -> None:
    rng = np.random.default_rng(0)
    levels = rng.normal(size=(600, 4))
    rows = np.arange(20, 600)
    path = (2.0 * levels[:, 2] + 0.8 * levels[:, 0])[rows]
    assert telling_latents(_claim(path=path), rows, levels) == (2, 0)
    assert telling_latents(_claim(path=levels[rows, 1]), rows, levels) == (1,)
    assert telling_latents(_claim(path=path), rows, levels[:, :0]) == ()
    unknown = np.full_like(levels, np.nan)
    assert telling_latents(_claim(path=path), rows, unknown) == ()


def test_a_gap_without_a_level_names_the_latents_that_move_when_it_does() -> None:
    rng = np.random.default_rng(0)
    moved = np.arange(50, 600, 60)
    steps = 0.01 * rng.normal(size=(600, 3))
    steps[moved, 1] += 3.0
    levels = np.cumsum(steps, axis=0)
    claim = _claim(windows=tuple((int(m), int(m)) for m in moved))
    assert telling_latents(claim, np.arange(600), levels) == (1,)
    elsewhere = replace(claim, path=rng.normal(size=600))
    assert telling_latents(elsewhere, np.arange(600), levels) == (1,)


def test_what_lies_along_a_logged_actions_effect_is_that_actions() -> None:
    plant = easy(rows=2000)
    ground = ground_of(plant)
    owners = Owners(ground, list(plant.actions))
    name = next(f.name for f in ground.panel.action_features if f.column == "action_0")
    effect = ground.direction([name])[:, :, 0].mean(axis=0)
    assert owners.of(_claim(direction=effect)) == "action_0"
    white = np.linalg.cholesky(np.linalg.inv(ground.cov))
    axes = np.stack(
        [ground.direction([f.name])[:, :, 0].mean(axis=0) @ white for f in ground.panel.action_features]
    )
    away = np.linalg.svd(axes)[2][-1]
    assert np.abs(axes @ away).max() < 1e-9
    assert owners.of(_claim(direction=np.linalg.solve(white.T, away))) is None
    assert owners.of(_claim()) is None
    assert Owners(ground, []).of(_claim(direction=effect)) is None


def _check_level_fields(level: Level) -> None:
    assert 0.0 <= level.told <= 1.0
    assert 0.0 <= level.agreement <= 1.0
    assert 0.0 <= level.period <= 1.0
    assert level.resting <= len(level.jumps)


def test_figures_of_a_latent_are_in_range() -> None:
    for level in (*_levels(hidden=True).levels, *_levels(hidden=False).levels):
        _check_level_fields(level)
