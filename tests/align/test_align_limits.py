"""Full tanks, long tails, rows that no level explains: what they say of an action that nobody logged."""

import numpy as np
import pytest

from tslam.align import jumping
from tslam.align.jumping import Jumping, fit_jumping
from tslam.align.lean import learn_lean
from tslam.align.tails import tails_of
from tslam.panel.chain import Chain
from tslam.panel.limits import standing

ROWS, HOLD, BRIM = 3000, 60, 1.2


def _chain(obs: np.ndarray, inputs: np.ndarray) -> Chain:
    """One-lag transitions of a record without holes, in units of the spread of each column."""
    seen, given = ((v - v.mean(axis=0)) / v.std(axis=0) for v in (obs, inputs))
    size, n = seen.shape[1], len(seen) - 1
    start = np.zeros(n, bool)
    start[0] = True
    terms = tuple((f"c{i}", 0) for i in range(size + given.shape[1]))
    X = np.column_stack([seen[:-1], given[:-1]])
    own = slice(size, size + given.shape[1])
    return Chain(np.arange(n), start, np.ones(n, bool), X, seen[1:], slice(0, size), own, slice(0, 0), terms)


def _tank() -> tuple[Chain, np.ndarray]:
    """A tank that runs empty a tenth of the time, and a temperature that tells little of what flows in."""
    rng = np.random.default_rng(0)
    flow = np.repeat(rng.choice(np.linspace(0.0, 1.0, 9), ROWS // HOLD), HOLD)
    out = np.repeat(rng.uniform(0.1, 1.0, ROWS // 20), 20)
    level, warm = np.full(ROWS, 0.5), np.zeros(ROWS)
    for t in range(ROWS - 1):
        level[t + 1] = np.clip(level[t] + 0.05 * (flow[t] - out[t]) + 0.002 * rng.standard_normal(), 0, BRIM)
        warm[t + 1] = 0.9 * warm[t] + 0.02 * flow[t] + 0.05 * rng.standard_normal()
    obs = np.column_stack([level + 0.002 * rng.standard_normal(ROWS), warm])
    return _chain(obs, out[:, None]), flow[:-1]


def _read(c: Chain, truth: np.ndarray) -> tuple[Jumping, float]:
    """The latent with half of all holds told, and its R² on the others."""
    train = np.ones(len(truth), bool)
    told = np.arange(len(truth)) // HOLD % 2 == 0
    lean = learn_lean(c, train)
    model, _ = fit_jumping(lean, c, train, np.zeros(len(truth)), np.where(told, truth, np.nan), rise=True)
    error = model.path(c)[~told] - truth[~told]
    return model, float(1 - np.mean(error**2) / truth[~told].var())


def test_an_empty_tank_is_no_measurement_of_what_flows_in(monkeypatch: pytest.MonkeyPatch) -> None:
    c, truth = _tank()
    model, found = _read(c, truth)
    there = standing(c.Y, model.limits)
    assert there[:, 0].mean() > 0.1
    assert not there[:, 1].any()
    monkeypatch.setattr(jumping, "limits_of", lambda *_: np.array([[-1e9] * 2, [1e9] * 2]))
    assert found > _read(c, truth)[1] + 0.05


def test_what_a_limit_hides_is_filled_by_what_is_seen_beside_it() -> None:
    rng = np.random.default_rng(0)
    cov = np.array([[1.0, 0.8], [0.8, 1.0]])
    errors = rng.multivariate_normal(np.zeros(2), cov, 4000)
    seen, mean = errors.copy(), np.zeros_like(errors)
    seen[::2, 1] = np.nan
    filled, doubt = jumping._filled(seen, mean, cov)
    assert np.allclose(filled[::2, 1], 0.8 * errors[::2, 0])
    assert np.array_equal(filled[1::2], errors[1::2])
    assert (filled.T @ filled + doubt) / 4000 == pytest.approx(cov, abs=0.06)


def test_a_long_tail_is_told_by_logarithms_and_nothing_else_is() -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.lognormal(size=ROWS), -rng.lognormal(size=ROWS), rng.standard_normal(ROWS)])
    tails = tails_of(values)
    assert tails.side.tolist() == [1.0, -1.0, 0.0]
    told = tails(values)
    assert np.array_equal(told[:, 2], values[:, 2])
    assert told.mean(axis=0)[:2] == pytest.approx(0.0, abs=1e-9)
    for column, raw in zip(told.T[:2], values.T[:2], strict=True):
        assert abs(np.mean(column**3)) < 1.5 < abs(np.mean((raw - raw.mean()) ** 3)) / raw.std() ** 3
        assert np.corrcoef(np.argsort(np.argsort(column)), np.argsort(np.argsort(raw)))[0, 1] > 0.999
    assert np.isfinite(tails(np.array([[-50.0, 50.0, 0.0], [np.nan, 0.0, 0.0]]))).sum() == 5


def test_rows_that_no_level_explains_count_for_nothing() -> None:
    noise, acts = np.eye(3), np.tile([1.0, 0.0, 0.0], (3, 1))
    left = np.array([[0.5, 0.0, 0.0], [8.0, 0.0, 0.0], [3.0, 60.0, 60.0]])
    near, moved, astray = jumping._weights(left, acts, noise, np.array([0.5, 8.0, 3.0]), np.zeros(3))
    assert near == moved > 1.0  # a level explains both
    assert astray < 1e-5
