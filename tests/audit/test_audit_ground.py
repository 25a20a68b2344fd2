"""The ground: residuals from blocks that were held out, holes that say nothing, columns taken out whole."""

import numpy as np
import polars as pl
import pytest
from audit_cases import LAGS, audited, constant, easy, frozen, ground_of

from tslam.audit.columns import Shift, rectified
from tslam.audit.cross_fit import LINEAR_PENALTIES
from tslam.audit.excitation import excitation
from tslam.audit.finding import driven_channels, largest_share
from tslam.audit.ground import FOLDS, LONG, Ground, eased, held_loss, lay_ground, own_history
from tslam.audit.student import student_score
from tslam.config import FitConfig
from tslam.contract import from_arguments
from tslam.panel import Panel, build
from tslam.panel.chain import Structure
from tslam.plants import Record, simulate

PLANT = easy(rows=1200)


def _panel(frame: pl.DataFrame) -> Panel:
    return build(frame, from_arguments(dict(frame.schema), **PLANT.roles())[0])


def _plain(ground: Ground) -> Ground:
    return ground if ground.plain is None else ground.plain


def test_every_transition_is_predicted_from_blocks_that_it_is_not_in() -> None:
    ground = ground_of(PLANT)
    assert len(ground.splits) == FOLDS
    assert (np.sum([split.held for split in ground.splits], axis=0) == 1).all()
    for split in ground.splits:
        distance = np.abs(ground.rows[split.train][:, None] - ground.rows[split.held][None, :]).min()
        assert distance > LAGS


def test_residuals_are_about_as_large_as_the_noise() -> None:
    ground = ground_of(easy(rows=6000))
    scale = ground.panel.scaling.obs_sd[0]
    np.testing.assert_allclose(ground.residual.std(axis=0) * scale, 0.3, rtol=0.08)
    assert 0.9 < ground.white().std() < 1.2
    assert 0.5 < ground.trust.mean() < 1.5


def test_what_was_not_measured_has_no_residual() -> None:
    rng = np.random.default_rng(1)
    gone = rng.random(PLANT.frame.height) < 0.1
    values = np.where(gone, np.nan, PLANT.frame["channel_2"].to_numpy())
    ground = ground_of(PLANT, PLANT.frame.with_columns(pl.Series("channel_2", values).fill_nan(None)))
    hole = ~ground.seen[:, 2]
    assert hole.any()
    assert (hole == gone[ground.rows + 1]).all()
    assert (ground.residual[hole, 2] == 0.0).all()
    assert np.isfinite(ground.Y).all()


def test_a_column_goes_with_all_its_lags_and_products() -> None:
    ground = ground_of(simulate("tank", 1200, 0))
    kept = ground.regressors.without({"valve"})
    assert len(kept) < ground.F.shape[1]
    moved = ground.X.copy()
    moved[:, ground.regressors.columns_of({"valve"})] += 1.0
    np.testing.assert_array_equal(ground.regressors.of(moved)[:, kept], ground.F[:, kept])
    changed = np.setdiff1d(np.arange(ground.F.shape[1]), kept)
    assert (ground.regressors.of(moved)[:, changed] != ground.F[:, changed]).any(axis=0).all()


def test_the_direction_of_an_action_is_its_column_of_the_matrix() -> None:
    plant = easy(rows=6000)
    ground = ground_of(plant)
    slope = ground.direction(["action_0"])[:, :, 0].mean(axis=0)
    scaling = ground.panel.scaling
    effect = slope * scaling.obs_sd[0] / scaling.act_sd[0]
    np.testing.assert_allclose(effect, plant.truth.B[:, 0], atol=0.05)
    assert set(driven_channels(ground, slope)) == set(plant.effects["action_0"])


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_what_a_switch_does_is_known_on_as_off(seed: int) -> None:
    """One of two values: its square is a line in it, no product to share its effect with."""
    rng = np.random.default_rng(seed)
    switch = ((np.arange(2000) // 10) % 5 == 0).astype(float)
    temperature = np.zeros(2000)
    for t in range(1999):
        temperature[t + 1] = 0.9 * temperature[t] + switch[t] + 0.1 * rng.normal()
    frame = pl.DataFrame({"t": np.arange(2000), "temperature": temperature, "switch": switch})
    contract, _ = from_arguments(dict(frame.schema), actions=["switch"])
    ground = eased(lay_ground(build(frame, contract), Structure(LAGS, 2)))
    scaling = ground.panel.scaling
    slope = ground.direction(["switch"])[:, 0, 0] * scaling.obs_sd[0, 0] / scaling.act_sd[0]
    on = ground.logged("switch")[:, 0] > 0.0
    assert slope[on].mean() == pytest.approx(1.0, abs=0.08)
    assert slope[~on].mean() == pytest.approx(slope[on].mean(), abs=0.02)


def test_an_eased_ground_is_as_if_laid_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of tanks, where the lighter penalty predicts better."""
    plant = simulate("tank", 1200, 0)
    ground = _plain(ground_of(plant))
    lighter = eased(ground)
    assert (ground.penalty[0], lighter.penalty[0]) == LINEAR_PENALTIES
    assert held_loss(lighter) < held_loss(ground)
    np.testing.assert_array_equal(eased(lighter).ridge, lighter.ridge)
    monkeypatch.setattr("tslam.audit.ground.LINEAR_PENALTIES", LINEAR_PENALTIES[1:])
    laid = eased(ground)
    light = lighter.ridge[0] == LINEAR_PENALTIES[1]
    assert light.sum() > len(light) / 2
    np.testing.assert_allclose(lighter.residual[:, light], laid.residual[:, light], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(lighter.Y, laid.Y)


def _delayed(rows: int) -> Panel:
    """What is measured comes back after six rows."""
    rng = np.random.default_rng(0)
    pipe = rng.normal(size=(rows, 2))
    for t in range(6, rows):
        pipe[t] += 0.3 * pipe[t - 1] + 0.6 * pipe[t - 6]
    held = np.repeat(rng.uniform(size=rows // 20), 20)
    frame = pl.DataFrame({"t": np.arange(rows), "inlet": pipe[:, 0], "outlet": pipe[:, 1], "valve": held})
    return build(frame, from_arguments(dict(frame.schema), actions=["valve"])[0])


@pytest.mark.parametrize(("rows", "lags"), [(1000, LONG), (40, 4)])
def test_history_is_as_long_as_it_predicts_better(rows: int, lags: int) -> None:
    """Six samples of what comes back after six; four where there are not ten rows for each."""
    panel = _delayed(rows)
    assert own_history(panel, Structure(1)).lags == lags


def test_history_is_no_longer_than_it_predicts_better() -> None:
    assert own_history(_panel(PLANT.frame), Structure(12)).lags == LAGS


@pytest.mark.parametrize("plant", [easy(rows=1200), simulate("service", 1200, 3).drop("cache")])
def test_the_audit_answers_alike_whatever_was_fitted(plant: Record) -> None:
    short, long = (audited(plant, config=FitConfig(family="linear", lags=lags)) for lags in (1, 8))
    assert short.gaps == long.gaps
    assert short.attribution == long.attribution


def test_the_share_of_an_effect_is_at_most_one() -> None:
    ground = ground_of(PLANT)
    assert largest_share(ground, 100.0 * ground.residual) == 1.0
    assert largest_share(ground, 0.1 * ground.residual) == pytest.approx(0.01)


def test_a_score_falls_with_distance_and_slower_than_that_of_a_gauss() -> None:
    cov = np.array([[1.0, 0.3], [0.3, 2.0]])
    near, far = student_score(np.array([[1.0, 0.0], [100.0, 0.0]]), cov)
    assert 0.0 > near > far > -100.0


def test_logs_are_set_right() -> None:
    panel = _panel(PLANT.frame)
    at = panel.features_of("action_1")
    late = rectified(panel, [Shift("action_1", 5)], ())
    np.testing.assert_array_equal(late.actions[:-5, at], panel.actions[5:, at])
    assert (late.actions[-5:, at] == panel.actions[-1, at]).all()
    without = rectified(panel, [], ["action_1"])
    assert np.isnan(without.actions[:, at]).all()
    rest = [i for i in range(panel.actions.shape[1]) if i not in at]
    np.testing.assert_array_equal(without.actions[:, rest], panel.actions[:, rest])


def test_excitation_counts_moves_and_what_is_free() -> None:
    frame = constant(PLANT.frame, "action_1").with_columns(
        pl.Series("action_2", 3.0 * PLANT.frame["channel_1"]), action_0=PLANT.frame["action_0"]
    )
    found = {x.column: x for x in excitation(_panel(frame))}
    assert found["action_0"].moves == len(PLANT.moves["action_0"])
    assert not found["action_0"].still
    assert found["action_0"].free > 0.05
    assert found["action_1"].still
    assert found["action_1"].moves == 0
    assert found["action_2"].free < 1e-6
    silent = excitation(_panel(frozen(PLANT.frame, "action_0", 0, 1200)))[0]
    assert silent.still


def test_a_move_is_counted_although_the_value_before_it_is_lost() -> None:
    moved = np.array(PLANT.moves["action_0"])
    moved = moved[np.diff(moved, prepend=0) > 2]
    log = PLANT.frame["action_0"].to_list()
    for row in moved - 1:
        log[row] = None
    lost = PLANT.frame.with_columns(pl.Series("action_0", log))
    whole, holed = (excitation(_panel(frame))[0] for frame in (PLANT.frame, lost))
    assert holed.measured < whole.measured
    assert holed.moves == whole.moves


def test_an_empty_log_is_counted_as_empty() -> None:
    frame = PLANT.frame.with_columns(pl.lit(None, pl.Float64).alias("action_0"))
    found = excitation(_panel(frame))[0]
    assert (found.column, found.measured, found.moves) == ("action_0", 0, 0)
    assert len(found.empty_series) == 1
