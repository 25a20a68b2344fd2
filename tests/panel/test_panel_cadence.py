"""The cadence is found, explained, or refused with what was found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.errors import CadenceError
from tslam.panel.cadence import find_step
from tslam.panel.clock import Clock

DATED = Clock(np.zeros(1), dated=True)
NUMERIC = Clock(np.zeros(1), dated=False)


def _seconds(*values: float) -> np.ndarray:
    return np.array(values) * 1e6


@given(
    step=st.sampled_from([0.1, 0.25, 1.0, 57.0, 3600.0]),
    missing=st.lists(st.integers(1, 30), min_size=3, max_size=30),
    regular=st.integers(30, 60),
)
def test_missing_rows_do_not_hide_the_cadence(step: float, missing: list[int], regular: int) -> None:
    stamps = step * np.cumsum([1] * regular + missing)
    found, reason = find_step({"s": np.diff(stamps)}, NUMERIC, None)
    assert found == step
    assert f"Cadence {step:g}, the most common step" in reason


@given(seed=st.integers(0, 10**6), rows=st.integers(30, 400))
def test_jitter_up_to_a_tenth_of_a_step_gives_the_round_cadence(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    stamps = np.arange(rows) * 60e6 + np.rint(rng.uniform(-4e6, 4e6, rows))
    assert find_step({"s": np.diff(stamps)}, DATED, None)[0] == 60e6


def test_a_given_cadence_holds_when_the_steps_are_its_multiples() -> None:
    steps = {"a": np.repeat(_seconds(10), 20), "b": np.repeat(_seconds(60), 20)}
    assert find_step(steps, DATED, (10e6, "given"))[0] == 10e6
    with pytest.raises(CadenceError, match=r"no multiple of 1m, which is given.*10s in 100%.*freq"):
        find_step({"a": steps["a"]}, DATED, (60e6, "given"))


def test_series_of_different_cadence_are_listed_by_cadence() -> None:
    steps = {f"a{i}": np.repeat(_seconds(10), 20) for i in range(7)} | {"b": np.repeat(_seconds(60), 20)}
    with pytest.raises(
        CadenceError, match=r"10s: 'a0', 'a1', 'a2', 'a3', 'a4' and 2 more; 1m: 'b'\. Resample"
    ):
        find_step(steps, DATED, None)


def test_series_too_short_for_a_say_follow_the_others() -> None:
    steps = {"long": np.repeat(_seconds(10), 20), "short": _seconds(30, 30)}
    assert find_step(steps, DATED, None)[0] == 10e6
    assert find_step({"short": _seconds(30, 30, 60)}, DATED, None)[0] == 30e6


@pytest.mark.parametrize("steps", [[10, 15], [10, 10, 17], [10, 3, 7, 21, 55]])
def test_mixed_cadence_is_refused_with_the_steps_that_were_found(steps: list[float]) -> None:
    with pytest.raises(
        CadenceError, match=r"Mixed cadence in the time column: .*Found steps: .*% of .* Resample"
    ):
        find_step({"all": np.tile(_seconds(*steps), 20)}, DATED, None)


def test_the_series_with_mixed_cadence_is_named() -> None:
    steps = {"good": np.repeat(_seconds(10), 500), "bad": np.tile(_seconds(10, 10, 14), 10)}
    with pytest.raises(CadenceError, match="Mixed cadence in series 'bad': 33%"):
        find_step(steps, DATED, None)


def test_the_reason_says_how_often_the_cadence_held() -> None:
    steps = np.concatenate([np.repeat(_seconds(10), 95), np.repeat(_seconds(20), 4), _seconds(3600)])
    _, reason = find_step({"s": steps}, DATED, None)
    assert reason == "Cadence 10s, the most common step: 10s in 95.0%, 20s in 4.0%, 1h in 1.0% of 100 steps."
