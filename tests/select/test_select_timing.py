"""When an input acts is found per column, and feedback is not taken for it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from select_cases import late, panel, panel_of, reacting

from tslam import plants
from tslam.config import FitConfig
from tslam.contract import from_arguments
from tslam.panel import Panel, build, columns
from tslam.panel.chain import Structure
from tslam.plants.plant import stamped
from tslam.select.auto import prepare
from tslam.select.timing import decide_timing

Draw = Callable[[np.random.Generator, int], np.ndarray]


def timed(p: Panel, lags: int = 1) -> tuple[set[str], tuple[str, ...]]:
    """The inputs found to act within their interval, and what is said of them."""
    config = FitConfig()
    found, told = decide_timing(p, Structure(lags, min(2, lags)), prepare(p, config), config)
    assert (found.lags, found.input_lags) == (lags, min(2, lags))
    return set(found.within), told


def loop(
    rows: int, seed: int, u: np.ndarray, push: dict[Any, tuple[float, float]] | None, *, stamped_late: bool
) -> dict[str, np.ndarray]:
    """Two channels that an input drives, by its value or by what each of its levels does."""
    rng = np.random.default_rng(seed)
    drive = np.outer(u, [0.5, -0.3]) if push is None else np.array([push[v] for v in u])
    o = np.zeros((rows, 2))
    for t in range(1, rows):
        o[t] = 0.8 * o[t - 1] + drive[t - 1] + 0.2 * rng.normal(size=2)
    return {"o0": o[:, 0], "o1": o[:, 1], "u": np.append(u[:1], u[:-1]) if stamped_late else u}


def levels(rng: np.random.Generator, rows: int) -> np.ndarray:
    return np.repeat(rng.choice(["low", "mid", "high"], rows // 4 + 1), 4)[:rows]


def switched(rng: np.random.Generator, rows: int) -> np.ndarray:
    return np.repeat(rng.random(rows // 5 + 1) < 0.5, 5)[:rows]


def drifting(rng: np.random.Generator, rows: int) -> np.ndarray:
    u = np.zeros(rows)
    for t in range(1, rows):
        u[t] = 0.95 * u[t - 1] + 0.3 * rng.normal()
    return u


KINDS: dict[str, tuple[Draw, dict[Any, tuple[float, float]] | None]] = {
    "numeric": (drifting, None),
    "boolean": (switched, {True: (0.5, -0.3), False: (0.0, 0.0)}),
    "categorical": (levels, {"low": (0.5, -0.3), "mid": (0.0, 0.3), "high": (-0.4, 0.1)}),
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("lags", [1, 3])
def test_inputs_stamped_at_the_start_of_their_interval_act_after_it(seed: int, lags: int) -> None:
    assert timed(panel(plants.linear(3000, seed, d=4)), lags) == (set(), ())


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("lags", [1, 3])
def test_inputs_stamped_at_its_end_act_within_it(seed: int, lags: int) -> None:
    record = plants.linear(3000, seed, d=4)
    within, told = timed(panel(late(record)), lags)
    assert within == {*record.actions, *record.exogenous}
    assert all(" acts within its interval: a_(t+1) improves the held-out" in sentence for sentence in told)


def test_each_input_has_its_own_timing() -> None:
    record = plants.linear(3000, 1, d=4)
    shifted = late(plants.Record(**{**vars(record), "actions": ("action_1",), "exogenous": ()}))
    frame = shifted.frame.with_columns(record.frame.select("action_0", "action_2", "exog_0").slice(1))
    within, told = timed(panel_of(frame, record.actions, record.exogenous))
    assert within == {"action_1"}
    assert [sentence.split(" acts")[0] for sentence in told] == ["action_1"]


@pytest.mark.parametrize("role", ["action", "exogenous"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stamped_late", [False, True])
def test_every_kind_of_input(kind: str, role: str, *, stamped_late: bool) -> None:
    draw, push = KINDS[kind]
    for seed in range(2):
        u = draw(np.random.default_rng(100 + seed), 800)
        frame = stamped(loop(800, seed, u, push, stamped_late=stamped_late), 1.0)
        roles = (("u",), ()) if role == "action" else ((), ("u",))
        within, told = timed(panel_of(frame, *roles))
        # a category is asked about as one column, and spoken of as one
        assert within == ({"u"} if stamped_late else set())
        assert len(told) == stamped_late


@pytest.mark.parametrize("gain", [0.3, -0.5, -1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_feedback_is_not_taken_for_timing(gain: float, seed: int) -> None:
    # a_{t+1} always tells of o_{t+1} where the operator reacts to it
    assert timed(panel_of(reacting(1500, seed, gain=gain, within=False), ("a",)))[0] == set()


@pytest.mark.parametrize("seed", [0, 1])
def test_what_reacts_and_acts_within_is_found_all_the_same(seed: int) -> None:
    assert timed(panel_of(reacting(1500, seed, gain=-0.5, within=True), ("a",)))[0] == {"a"}


def choosing(rows: int, seed: int, *, stamped_late: bool) -> pl.DataFrame:
    """A loop whose operator picks one of three levels by what is seen, now and then one at random."""
    rng = np.random.default_rng(seed)
    names, push = np.array(["low", "mid", "high"]), np.array([[0.6, 0.2], [0.0, -0.3], [-0.6, 0.3]])
    o, a = np.zeros((rows, 2)), np.zeros(rows, int)
    for t in range(rows):
        if t:
            o[t] = 0.8 * o[t - 1] + push[a[t - 1]] + 0.2 * rng.normal(size=2)
        a[t] = rng.integers(3) if rng.random() < 0.3 else int(np.digitize(o[t, 0], [-0.3, 0.3]))
    logged = names[a]
    if stamped_late:
        logged = np.append(logged[:1], logged[:-1])
    return stamped({"o0": o[:, 0], "o1": o[:, 1], "a": logged}, 1.0)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("stamped_late", [False, True])
def test_a_category_that_reacts(seed: int, *, stamped_late: bool) -> None:
    within, _ = timed(panel_of(choosing(1500, seed, stamped_late=stamped_late), ("a",)))
    assert within == ({"a"} if stamped_late else set())


def test_a_column_named_like_a_level_is_another_column() -> None:
    record = late(plants.linear(3000, 1, d=4))
    again = record.frame["action_0"].shift(-1).fill_null(strategy="forward")
    frame = record.frame.rename({"action_2": "u"}).with_columns(again.alias("u[=on]")).drop("action_0")
    assert timed(panel_of(frame, ("action_1", "u", "u[=on]"), record.exogenous))[0] == {
        "action_1", "u", "exog_0",
    }  # fmt: skip


@pytest.mark.parametrize("stamped_late", [False, True])
@pytest.mark.parametrize("timing", ["before", "within"])
def test_a_given_timing_is_taken(timing: str, *, stamped_late: bool) -> None:
    frame = choosing(600, 0, stamped_late=stamped_late)
    contract, _ = from_arguments(columns(frame), actions={"a": timing}, time="time")
    assert timed(build(frame, contract)) == ({"a"} if timing == "within" else set(), ())
