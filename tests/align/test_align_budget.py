"""The label budget: a curve that rises, a target, and stretches that tell more than others."""

from dataclasses import replace

import numpy as np
import pytest
from align_cases import HIDDEN, ROWS, case

from tslam.align.active import choose
from tslam.align.budget import LabelBudget
from tslam.align.labels import Label
from tslam.align.reading import learn_reader, read
from tslam.errors import AlignmentError
from tslam.panel.ingest import read as read_frame
from tslam.plants.plant import TIME


def test_the_curve_rises_to_the_target() -> None:
    own = case()
    found = own.model.label_budget(own.labelled(), HIDDEN, target=0.9, suggest=3)
    values = [point.value for point in found.curve]
    assert values[-1] > 0.9
    assert values[-1] >= values[0]
    assert all(point.low <= point.value <= point.high for point in found.curve)
    assert found.labels_needed is not None
    assert found.labels_needed <= 16
    assert found.time_needed == next(p.time for p in found.curve if p.labels == found.labels_needed)
    assert LabelBudget.model_validate_json(found.model_dump_json()) == found


def test_a_target_that_is_not_reached_is_said_not_to_be() -> None:
    own = case()
    found = own.model.label_budget(own.labelled(range(16)), HIDDEN, target=0.999)
    assert found.labels_needed is None
    assert found.time_needed is None


def test_too_few_labels_have_no_curve() -> None:
    own = case()
    with pytest.raises(AlignmentError, match="next_labels"):
        own.model.label_budget(own.labelled([2, 9, 15]), HIDDEN)


def test_stretches_end_where_the_action_moves() -> None:
    own = case()
    panel = own.model._panel(read_frame(own.fitted_on, own.model.contract)[0])
    everywhere = np.ones(panel.rows, bool)
    latents = own.model._levels(panel, "smoothed")
    reading = read(learn_reader(panel, frozenset(), everywhere, latents), panel, latents)
    found = reading.stretches
    starts = np.array([reading.chain.rows[part[0]] for part in found])
    moves = own.record.moves[HIDDEN]
    near = [np.abs(starts - move).min() <= 3 for move in moves[moves < ROWS]]
    assert np.mean(near) > 0.6
    chosen = choose(reading, found, np.zeros(len(everywhere) - 1, bool), 4)
    assert len({i for i, _ in chosen}) == 4
    levels = [own.truth[reading.chain.rows[found[i]]].mean() for i, _ in chosen]
    assert np.ptp(levels) > 0.6 * np.ptp(own.truth[:ROWS])


def _asked(levels: np.ndarray, count: int, spilt: int = 0) -> list[float]:
    """The levels of stretches of 40 rows that are asked for one by one; each label says what is read.

    Labels may spill over into the stretch behind.
    """
    own = case()
    panel = own.model._panel(read_frame(own.fitted_on, own.model.contract)[0])
    latents = own.model._levels(panel, "smoothed")
    reading = read(learn_reader(panel, frozenset(), np.ones(panel.rows, bool), latents), panel, latents)
    found = tuple(np.arange(40 * i, 40 * (i + 1)) for i in range(len(levels)))
    path = levels.repeat(40)
    held = tuple(replace(h, behind=0.0) for h in reading.held[:1])
    reading = replace(reading, held=held, features=reading.features[: len(path)])
    vars(reading)["levels"] = path[:, None]
    labelled, out = np.zeros(len(path), bool), list[int]()
    while len(out) < count:
        told = (tuple(found[i] for i in out), levels[out]) if out else None
        out.append(choose(reading, found, labelled, 1, told)[0][0])
        labelled[40 * out[-1] : 40 * (out[-1] + 1) + spilt] = True
    return levels[out].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_the_ends_are_asked_for_first_and_then_what_lies_between(seed: int) -> None:
    levels = np.random.default_rng(seed).permutation(np.linspace(-1.7, 1.7, 35))
    asked = np.array(_asked(levels, 5))
    assert sorted(asked[:2]) == pytest.approx([-1.7, 1.7])
    # all that was read counts, so no two at one level, and no gap that is wide
    assert np.diff(np.sort(asked)).min() > 0.5
    assert np.diff(np.sort(asked)).max() < 1.2


@pytest.mark.parametrize("spilt", [1, 4])
def test_a_label_that_spills_over_is_one_label(spilt: int) -> None:
    asked = _asked(np.random.default_rng(1).permutation(np.linspace(-1.7, 1.7, 35)), 2, spilt)
    assert sorted(asked) == pytest.approx([-1.7, 1.7])


@pytest.mark.parametrize("seed", range(3))
def test_levels_that_lie_near_each_other_are_each_asked_for(seed: int) -> None:
    """Speeds of a fan: what the second does is near what the first does, and it is no less a speed."""
    rng = np.random.default_rng(seed)
    speed = rng.permutation(np.arange(35) % 5)
    levels = np.array([-1.3, -1.0, -0.7, 0.2, 1.6])[speed] + 0.03 * rng.standard_normal(35)
    asked = _asked(levels, 5)
    assert {int(speed[np.abs(levels - own).argmin()]) for own in asked} == {0, 1, 2, 3, 4}


def test_where_most_of_the_record_is_counts() -> None:
    many = 0.4 + 0.01 * np.arange(30)
    asked = _asked(np.r_[many, -1.6, 1.7, -0.9], 3)
    assert asked[2] in many


def test_what_is_labelled_is_not_suggested_again() -> None:
    own, stamps = case(), case().fitted_on[TIME]
    first = own.model.next_labels(own.fitted_on, count=2)
    labels = [Label(window.start, window.end, float(i)) for i, window in enumerate(first)]
    second = own.model.next_labels(own.fitted_on, labels, count=3)
    assert all(w.end < x.start or w.start > x.end for w in first for x in second)
    assert all(stamps[0] <= w.start <= w.end <= stamps[-1] for w in (*first, *second))
