"""The label budget: a curve that rises, a target, and stretches that tell more than others."""

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


def test_what_is_labelled_is_not_suggested_again() -> None:
    own, stamps = case(), case().fitted_on[TIME]
    first = own.model.next_labels(own.fitted_on, count=2)
    labels = [Label(window.start, window.end, float(i)) for i, window in enumerate(first)]
    second = own.model.next_labels(own.fitted_on, labels, count=3)
    assert all(w.end < x.start or w.start > x.end for w in first for x in second)
    assert all(stamps[0] <= w.start <= w.end <= stamps[-1] for w in (*first, *second))
