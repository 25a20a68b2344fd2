"""With nothing wrong, the evidence says so: what each question finds on clean linear plants."""

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from audit_cases import easy, frozen, ground_of

from tslam.audit.causal import causal_latent, lean_fits, parts_of
from tslam.audit.excitation import excitation
from tslam.audit.following import following
from tslam.audit.gap import GapKind
from tslam.audit.ground import FOLDS, Ground, lay_ground
from tslam.audit.hidden import claim_latent
from tslam.audit.lag_scan import LATEST, LagScan, scan_lags
from tslam.audit.logs import acts_by_itself, claim_lag, shows_nothing
from tslam.audit.moves import find_moves
from tslam.audit.offset import held_offset
from tslam.audit.rest import Resting, steps_at_rest
from tslam.contract import from_arguments
from tslam.panel import build
from tslam.panel.chain import Structure
from tslam.plants.plant import TIME, stamped

SHORT = {"rows": 800, "d": 4, "actions": 2, "exog": 1, "dwell": 20.0}
SEEDS = range(12)
MANY = range(100)


@cache
def _ground(seed: int) -> Ground:
    return ground_of(easy(seed, **SHORT))


def _with_dummy(seed: int, rows: int = 800) -> Ground:
    """A clean plant whose log holds an action of another plant besides."""
    plant = easy(seed, **SHORT | {"rows": rows})
    other = easy(seed + 500, **SHORT | {"rows": rows})
    frame = plant.frame.with_columns(other.frame["action_0"].alias("dummy"))
    return ground_of(plant, frame, extra=("dummy",))


def _gains(seeds: range) -> np.ndarray:
    """Nats that a held offset of each action gains, on clean plants."""
    return np.array(
        [held_offset(_ground(seed), f"action_{k}").total for seed in seeds for k in range(SHORT["actions"])]
    )


def test_exp_of_the_offset_gain_is_a_likelihood_ratio_that_ville_bounds() -> None:
    assert (_gains(SEEDS) > np.log(20.0)).mean() <= 0.05


@pytest.mark.long
def test_the_same_on_many_plants() -> None:
    gains = _gains(MANY)
    assert (gains > np.log(20.0)).mean() <= 0.05


def test_an_offset_shows_where_it_was_put_in() -> None:
    plant = easy(0, **SHORT)
    frame = frozen(plant.frame, "action_0", 300, 500)
    ground = ground_of(plant, frame)
    offset = held_offset(ground, "action_0")
    assert offset.total > max(_gains(range(1)))
    strongest = max(offset.runs, key=lambda run: run.inner)
    assert strongest.first <= strongest.begin <= strongest.end < strongest.stop
    assert 280 <= strongest.begin <= strongest.end <= 520
    unlogged = (plant.frame["action_0"] - frame["action_0"]).to_numpy()[ground.rows]
    assert np.corrcoef(unlogged, offset.level[:, 0])[0, 1] > 0.6


def test_a_latent_gains_nothing_on_average_where_nothing_is_hidden() -> None:
    found = [causal_latent(_ground(seed), lean_fits(_ground(seed))) for seed in SEEDS]
    assert np.mean([causal.gain.mean for causal in found]) <= 0.0
    assert sum(causal.gain.t > 2.0 for causal in found) <= 2


def test_a_latent_gains_where_an_action_is_hidden() -> None:
    for seed in range(4):
        ground = ground_of(easy(seed, **SHORT).drop("action_0"))
        causal = causal_latent(ground, lean_fits(ground))
        assert causal.gain.t > 3.0
        assert causal.jumpiness > 1.0


def test_nothing_follows_a_column_that_does_nothing() -> None:
    silent = [shows_nothing(scan_lags(_with_dummy(seed), "dummy")) for seed in range(10)]
    assert sum(silent) >= 9


@pytest.mark.parametrize("seed", range(3))
def test_what_an_action_does_not_drive_costs_little(seed: int) -> None:
    """An idle column teaches a little that is wrong on each of 26 channels: shrunk, under 15 nats in all."""
    plant, other = easy(seed, rows=1200), easy(seed + 500, rows=1200)
    rng = np.random.default_rng(seed)
    aside = {f"aside_{i}": rng.standard_normal(1200) for i in range(20)}
    frame = plant.frame.with_columns(other.frame["action_0"].alias("dummy"), **aside)
    scan = scan_lags(ground_of(plant, frame, extra=("dummy",)), "dummy")
    assert 1000.0 * scan.gains.mean() > -15.0
    assert shows_nothing(scan)


def test_what_a_column_could_be_worth_is_bounded() -> None:
    idle, busy = scan_lags(_with_dummy(0), "dummy"), scan_lags(_with_dummy(0), "action_0")
    assert idle.bound() < 15.0
    assert busy.bound() > 100.0
    assert busy.best(-12, LATEST) == 0
    assert busy.test(0).t > 4.0
    assert busy.at_moves(0).t > 4.0


def test_a_column_behind_which_nothing_follows_is_inert_however_noisy_the_record() -> None:
    ground = _with_dummy(0, rows=2000)
    scan = scan_lags(ground, "dummy")
    loud = replace(scan, gains=50.0 * scan.gains)  # as silent, and each gain fifty times as uncertain
    assert loud.bound() > 15.0
    x = next(x for x in excitation(ground.panel) if x.column == "dummy")
    for one in (scan, loud):
        claim = claim_lag(ground, one, x, ground.panel.contract.column("dummy"))
        assert claim is not None
        assert claim.kind is GapKind.INERT_ACTION


def _skewed(seed: int, rows: int = 4000) -> Ground:
    """Two channels with skewed innovations, a switch that acts, and events that do nothing."""
    rng = np.random.default_rng(seed)
    y, switch = np.zeros((rows, 2)), np.repeat(rng.integers(0, 2, rows // 50), 50).astype(float)
    innovations = rng.exponential(1.0, (rows, 2)) ** 2 - 2.0
    for t in range(rows - 1):
        y[t + 1] = 0.6 * y[t] + switch[t] + 0.3 * innovations[t]
    events = (rng.random(rows) < 0.03).astype(float)
    frame = stamped({"event": events, "switch": switch, "y_0": y[:, 0], "y_1": y[:, 1]}, cadence=1.0)
    contract, _ = from_arguments(dict(frame.schema), actions=["event", "switch"], time=TIME)
    return lay_ground(build(frame, contract), Structure(4, 2))


@pytest.mark.parametrize("seed", range(4))
def test_skewed_innovations_make_nothing_look_useful(seed: int) -> None:
    """Any term that moves a prediction from the mean to where most values are gains, at any row."""
    ground = _skewed(seed)
    assert shows_nothing(scan_lags(ground, "event"))
    assert scan_lags(ground, "switch").best(-12, LATEST) == 0
    assert held_offset(ground, "switch").total < np.log(20.0)


def _controlled(wait: int, seed: int = 0, rows: int = 2000) -> pl.DataFrame:
    """Three channels, one of which a controller holds at zero, as it read it so many rows before."""
    rng = np.random.default_rng(seed)
    A = np.array([[0.9, 0.05, 0.0], [0.1, 0.8, 0.05], [0.0, 0.1, 0.85]])
    y, u = np.zeros((rows, 3)), 0.05 * rng.standard_normal(rows)
    for t in range(rows - 1):
        u[t] -= 0.4 * y[max(t - wait, 0), 0]
        y[t + 1] = A @ y[t] + np.array([0.5, 0.2, 0.0]) * u[t] + 0.3 * rng.standard_normal(3)
    return stamped({"u": u} | {f"y_{i}": y[:, i] for i in range(3)}, cadence=1.0)


@pytest.mark.parametrize(("wait", "late"), [(2, 0), (4, 0), (2, 3), (4, 8)])
def test_a_controller_that_answers_is_called_late_only_where_its_log_tells_nothing_in_time(
    wait: int, late: int
) -> None:
    """Its later values tell of earlier rows whether or not its log is late."""
    frame = _controlled(wait).with_columns(pl.col("u").shift(late).fill_null(strategy="backward"))
    contract, _ = from_arguments(dict(frame.schema), actions=["u"], time=TIME)
    ground = lay_ground(build(frame, contract), Structure(4, 2))
    (x,) = excitation(ground.panel)
    claim = claim_lag(ground, scan_lags(ground, "u"), x, contract.column("u"))
    if not late:
        assert claim is None
        return
    assert claim is not None
    assert claim.kind is GapKind.MISALIGNED_LOG
    assert claim.most == "warning"
    assert "controller" in claim.recommendation


def test_what_follows_is_held_against_the_same_log_elsewhere() -> None:
    found = [following(_with_dummy(seed), "dummy", -12, LATEST, 15.0) for seed in range(20)]
    p = [f.p for f in found if f is not None]
    assert len(p) == 20
    assert sum(v < 0.05 for v in p) <= 5
    assert 0.25 < np.median(p) < 0.75
    assert sum(v > 0.9 for v in p) <= 5
    assert np.median([f.p_worth for f in found if f is not None]) < 0.05
    busy = following(_with_dummy(0), "action_0", -12, LATEST, 15.0)
    assert busy is not None
    assert busy.p < 0.05
    assert busy.p_worth > 0.5


def test_a_channel_that_copies_another_changes_little_of_what_follows() -> None:
    plant = easy(0, **SHORT)
    doubled = plant.frame.with_columns(copy=pl.col(plant.observations[0]))
    one, two = (
        following(ground_of(plant, frame), "action_0", -12, LATEST, 15.0) for frame in (plant.frame, doubled)
    )
    assert one is not None
    assert two is not None
    assert two.largest == pytest.approx(one.largest, rel=0.1)


def test_a_log_laid_elsewhere_is_followed_by_nothing() -> None:
    plant = easy(2, **SHORT)
    logged = plant.frame["action_1"]
    apart = plant.frame.with_columns(action_1=logged.slice(300).append(logged.slice(0, 300)))
    here, there = (
        following(ground_of(plant, frame), "action_1", -12, LATEST, 15.0) for frame in (plant.frame, apart)
    )
    assert here is not None
    assert there is not None
    assert here.p < 0.05 < there.p
    assert here.largest > 3.0 * there.largest


def test_too_few_rows_have_no_far_away() -> None:
    plant = easy(0, **SHORT | {"rows": 260})
    assert following(ground_of(plant), "action_0", -12, 100, 15.0) is None


@pytest.mark.parametrize("steps", [-4, 3, 15])
def test_the_scan_peaks_at_the_shift_between_log_and_effect(steps: int) -> None:
    plant = easy(1, **SHORT)
    moved = plant.frame["action_1"].shift(steps).fill_null(strategy="backward" if steps > 0 else "forward")
    scan = scan_lags(ground_of(plant, plant.frame.with_columns(action_1=moved)), "action_1")
    assert scan.best(-12, LATEST) == steps
    assert set(np.flatnonzero(scan.explained[scan.shifts.index(steps)] > 0.1)) == {
        int(name.removeprefix("channel_")) for name in plant.effects["action_1"]
    }


def test_a_short_record_is_asked_in_as_many_parts_as_the_rich_model_is() -> None:
    assert parts_of(1000) == FOLDS
    assert parts_of(8000) == 2
    assert len(lean_fits(_ground(0)).held) == FOLDS


def test_a_latent_whose_steps_are_one_burst_is_no_action() -> None:
    ground = ground_of(easy(3, rows=1500).drop("action_0"))
    causal = causal_latent(ground, lean_fits(ground))
    jumps = replace(causal, jumpiness=10.0, persistence=0.99, agreement=0.95, resting=Resting(1.0, 1.0))
    claim = claim_latent(ground, jumps)
    assert claim is not None
    assert claim.kind is GapKind.MISSING_ACTION
    assert claim_latent(ground, replace(jumps, jumpiness=ground.n / 19.0)) is None


@pytest.mark.parametrize("jumpiness", [0.0, 10.0])
def test_a_latent_that_waits_for_logged_moves_is_a_misfit_though_its_model_is_adequate(
    jumpiness: float,
) -> None:
    ground = ground_of(easy(3, rows=1500).drop("action_0"))
    causal = causal_latent(ground, lean_fits(ground))
    there = replace(causal, jumpiness=jumpiness, persistence=0.99)
    assert causal.against_rich.t > 1.0
    few = float("nan")
    for anywhere, ordinary, agreement, told in (
        (0.6, 0.7, 0.95, False),
        (0.6, 0.7, 0.98, True),
        (0.8, 0.7, 0.95, True),
        (1.1, 0.5, 0.99, False),
        (few, few, 0.95, True),
    ):
        asked = replace(there, resting=Resting(anywhere, ordinary), agreement=agreement)
        assert (claim_latent(ground, asked) is not None) == told


def test_a_latent_of_a_model_that_falls_short_counts_where_it_jumps_and_all_that_is_logged_rests() -> None:
    ground = ground_of(easy(3, rows=1500).drop("action_0"))
    causal = causal_latent(ground, lean_fits(ground))
    behind = replace(
        causal,
        against_rich=replace(causal.against_rich, t=-5.0),
        jumpiness=10.0,
        persistence=0.99,
        agreement=0.95,
        resting=Resting(1.0, 1.0),
    )
    claim = claim_latent(ground, behind)
    assert claim is not None
    assert (claim.kind, claim.most) == (GapKind.MISSING_ACTION, "warning")
    # in the scatter of a far better model any gain is large
    assert (claim.p, claim.score) == (causal.own_gain.p, 1000.0 * causal.own_gain.mean)
    assert claim_latent(ground, replace(behind, own_gain=replace(causal.own_gain, t=1.9))) is None
    assert claim_latent(ground, replace(behind, resting=Resting(0.6, 1.0))) is None
    assert claim_latent(ground, replace(behind, resting=Resting(1.0, 0.55))) is None
    assert claim_latent(ground, replace(behind, resting=Resting(1.0, float("nan")))) is None
    assert claim_latent(ground, replace(behind, jumpiness=1.5)) is None
    assert claim_latent(ground, replace(behind, resting=Resting(float("nan"), 1.0))) is None


def test_steps_at_rest_tell_what_waits_for_logged_moves() -> None:
    rng = np.random.default_rng(1)
    moving = rng.random(4000) < 0.3
    start = np.zeros(4000, bool)
    by_itself = np.cumsum(rng.normal(size=4000))
    assert steps_at_rest(by_itself, ~moving, start) == pytest.approx(1.0, abs=0.1)
    waits = np.cumsum(rng.normal(size=4000) * np.where(moving, 1.0, 0.3))
    assert steps_at_rest(waits, ~moving, start) == pytest.approx(0.3, abs=0.05)
    assert np.isnan(steps_at_rest(by_itself, np.ones(4000, bool), start))


def test_parts_of_a_record_agree_on_what_is_hidden_and_not_on_what_is_not() -> None:
    clean, hidden = ground_of(easy(3, rows=1500)), ground_of(easy(3, rows=1500).drop("action_0"))
    nothing, there = (causal_latent(ground, lean_fits(ground)) for ground in (clean, hidden))
    assert there.agreement > 0.95
    assert nothing.agreement < 0.9
    assert claim_latent(hidden, there) is not None
    assert claim_latent(hidden, replace(there, agreement=0.9)) is None


def test_ten_moves_with_signs_by_chance_are_followed_as_often_as_their_p_says() -> None:
    ground, rng = _ground(0), np.random.default_rng(5)
    p = []
    for _ in range(400):
        signed = replace(ground, residual=ground.residual * rng.choice([-1.0, 1.0], (ground.n, 1)))
        moves = find_moves(signed)
        assert moves is not None
        p.append(moves.follow.p)
    # four standard errors of a share of .05 in 400; the normal distribution says .07 and more
    assert 0.05 - 0.044 < np.mean(np.array(p) < 0.05) < 0.05 + 0.044
    assert 0.4 < np.mean(p) < 0.6


def _limited(rows: int = 2000) -> tuple[pl.DataFrame, np.ndarray]:
    """A service that admits no more than a limit, which binds at the peaks of its load; and another's log."""
    rng = np.random.default_rng(5)
    load = 1.0 + 0.5 * np.sin(np.arange(rows) / 130.0) + 0.1 * rng.standard_normal(rows)
    limit, other = (rng.choice([1.1, 1.25, 1.4, 2.0], rows // 25).repeat(25) for _ in range(2))
    y = np.zeros((rows, 2))
    for t in range(rows - 1):
        admitted = min(load[t], limit[t])
        y[t + 1] = 0.3 * y[t] + np.array([admitted, load[t] - admitted]) + 0.1 * rng.standard_normal(2)
    columns = {"served": y[:, 0], "refused": y[:, 1], "load": load, "limit": limit}
    return stamped(columns, cadence=1.0), other


def test_a_limit_that_binds_at_times_is_followed_while_it_binds() -> None:
    frame, other = _limited()
    found = []
    for log in (frame["limit"], pl.Series("limit", other)):
        data = frame.with_columns(log)
        contract, _ = from_arguments(dict(data.schema), actions=["limit"], exog=["load"], time=TIME)
        found.append(
            following(lay_ground(build(data, contract), Structure(4, 2)), "limit", -12, LATEST, 15.0)
        )
    own, another = found
    assert own is not None
    assert another is not None
    assert own.p_binding < 0.01
    assert another.p_binding > 0.1


@pytest.mark.parametrize("seed", range(3))
def test_what_acts_by_itself_is_followed_where_few_stretches_leave_its_gain_unsure(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LagScan, "largest_t", lambda _: 1.3)
    ground = _with_dummy(seed)
    acting = {column: acts_by_itself(ground, scan_lags(ground, column)) for column in ("action_0", "dummy")}
    assert acting == {"action_0": True, "dummy": False}


def test_without_a_driver_nothing_tells_when_a_limit_binds() -> None:
    plant = easy(0, **SHORT | {"exog": 0})
    found = following(ground_of(plant), "action_0", -12, LATEST, 15.0)
    assert found is not None
    assert (found.p_binding, found.binding) == (1.0, 0.0)
    assert found.p < 0.05
