"""What drifts and is not logged: a state of the plant, which follows what is done, or something outside?"""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from audit_cases import LAGS

from tslam.audit.finding import Claim
from tslam.audit.gap import GapKind
from tslam.audit.ground import Ground, lay_ground
from tslam.audit.state import as_state
from tslam.contract import from_arguments
from tslam.panel import build
from tslam.panel.chain import Structure
from tslam.seeding import generator

ROWS = 3000
FROST = GapKind.MISSING_EXOGENOUS


def _ground(*, lost: slice = slice(0)) -> tuple[Ground, np.ndarray, np.ndarray]:
    """A cold store whose fan frosts a coil, and a wind that goes its own way; neither is measured."""
    rng = generator(0, "frost")
    fan = np.repeat(rng.uniform(-1.0, 1.0, ROWS // 20), 20)
    air, frost, wind = np.zeros((3, ROWS))
    for t in range(ROWS - 1):
        frost[t + 1] = 0.98 * frost[t] + 0.02 * fan[t] + 0.01 * rng.standard_normal()
        wind[t + 1] = 0.98 * wind[t] + 0.02 * rng.standard_normal()
        air[t + 1] = 0.9 * air[t] - 0.2 * fan[t] + frost[t] + wind[t] + 0.05 * rng.standard_normal()
    frame = pl.DataFrame({"t": np.arange(ROWS), "air": air, "fan": fan})
    kept = np.setdiff1d(np.arange(ROWS), np.arange(ROWS)[lost])
    contract, _ = from_arguments(dict(frame.schema), actions=["fan"])
    ground = lay_ground(build(frame[kept], contract), Structure(LAGS, 2))
    return ground, frost[kept][ground.rows], wind[kept][ground.rows]


def _claim(path: np.ndarray, kind: GapKind = FROST) -> Claim:
    return Claim(kind, None, 0.0, 1.0, 1.0, "Measure it.", channels=("air",), path=path, most="warning")


@pytest.mark.parametrize("kind", [GapKind.MISSING_EXOGENOUS, GapKind.UNDETERMINED])
def test_what_follows_the_fan_is_a_state_and_what_does_not_is_none(kind: GapKind) -> None:
    ground, frost, wind = _ground()
    told = as_state(ground, _claim(frost, kind))
    assert (told.kind, told.most, told.evidence[-1].name) == (GapKind.UNDETERMINED, "info", "follows_inputs")
    assert "air" in told.recommendation
    own = _claim(wind, kind)
    assert as_state(ground, own) is own


def test_a_fan_that_evens_out_a_difference_of_either_sign_is_followed() -> None:
    """On the mean nothing follows it: what it does is in proportion to what is there."""
    ground, _, _ = _ground()
    fan, shocks = ground.logged("fan")[:, 0] > 0.0, generator(1, "layers").standard_normal(ground.n)
    layers = np.zeros(ground.n)
    for t in range(ground.n - 1):
        layers[t + 1] = (0.8 if fan[t] else 0.99) * layers[t] + 0.1 * shocks[t]
    assert as_state(ground, _claim(layers)).most == "info"


@pytest.mark.parametrize("every", [1, 3])
def test_what_a_controller_answers_to_does_not_follow_it(every: int) -> None:
    """The fan goes with the wind, as it evens out what the wind does; no later wind comes of that."""
    rng = generator(0, "closed")
    air, wind, fan = np.zeros((3, ROWS))
    for t in range(ROWS - 1):
        fan[t] = -2.0 * air[t] + 0.2 * rng.standard_normal() if t % every == 0 else fan[t - 1]
        wind[t + 1] = 0.98 * wind[t] + 0.1 * rng.standard_normal()
        air[t + 1] = 0.8 * air[t] + 0.1 * fan[t] + 0.3 * wind[t] + 0.1 * rng.standard_normal()
    frame = pl.DataFrame({"t": np.arange(ROWS), "air": air, "fan": fan})
    contract, _ = from_arguments(dict(frame.schema), actions=["fan"])
    ground = lay_ground(build(frame, contract), Structure(LAGS, 2))
    own = _claim(wind[ground.rows])
    assert as_state(ground, own) is own
    # it does go with it
    assert abs(np.corrcoef(ground.logged("fan")[:, 0], wind[ground.rows])[0, 1]) > 0.5


def test_what_follows_the_weather_that_is_measured_is_a_state() -> None:
    rng = generator(0, "wall")
    weather, wall, air = np.zeros((3, ROWS))
    for t in range(ROWS - 1):
        weather[t + 1] = 0.95 * weather[t] + 0.3 * rng.standard_normal()
        wall[t + 1] = 0.98 * wall[t] + 0.02 * weather[t] + 0.01 * rng.standard_normal()
        air[t + 1] = 0.8 * air[t] + wall[t] + 0.1 * rng.standard_normal()
    frame = pl.DataFrame({"t": np.arange(ROWS), "air": air, "weather": weather})
    contract, _ = from_arguments(dict(frame.schema), exog=["weather"])
    ground = lay_ground(build(frame, contract), Structure(LAGS, 2))
    assert as_state(ground, _claim(wall[ground.rows])).most == "info"


def test_what_jumps_or_has_no_path_is_left_alone() -> None:
    ground, frost, _ = _ground()
    for claim in (_claim(frost, GapKind.MISSING_ACTION), replace(_claim(frost), path=None)):
        assert as_state(ground, claim) is claim


def test_scale_sign_and_origin_of_a_path_mean_nothing() -> None:
    ground, frost, _ = _ground()
    first, second = (as_state(ground, _claim(path)).evidence[-1].value for path in (frost, 7.0 - 3.0 * frost))
    assert second == pytest.approx(first)


def test_no_change_is_counted_over_what_was_lost() -> None:
    """Over the hole the path jumps by far more than it ever moves in five rows."""
    ground, frost, _ = _ground(lost=slice(1000, 1200))
    jump = frost + 100.0 * (np.arange(ground.n) >= int((ground.rows < 1000).sum()))
    assert as_state(ground, _claim(jump)).evidence[-1].value > 0.03


def test_a_record_with_one_setting_tells_nothing() -> None:
    frame = pl.DataFrame({"t": np.arange(400), "air": generator(0, "air").standard_normal(400), "fan": 1.0})
    contract, _ = from_arguments(dict(frame.schema), actions=["fan"])
    ground = lay_ground(build(frame, contract), Structure(1, 1))
    claim = _claim(np.cumsum(generator(1, "path").standard_normal(ground.n)))
    assert as_state(ground, claim) is claim
