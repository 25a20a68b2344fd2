"""The levels of new holds against those that were validated: a changed gain is seen, the same plant stays."""

from dataclasses import replace

import numpy as np
import pytest
from align_cases import HIDDEN, ROWS, case, certified

from tslam.align.alignment import Alignment
from tslam.align.certificate import Level, Use
from tslam.align.usage import changed_use, levels_of, seen_gains, use_of
from tslam.errors import AlignmentError
from tslam.panel.chain import Chain

LENGTH = 40


def _chain(rows: int) -> Chain:
    start = np.zeros(rows, bool)
    start[0] = True
    none, nothing = np.zeros((rows, 1)), slice(0)
    return Chain(np.arange(rows), start, np.ones(rows, bool), none, none, slice(0, 1), nothing, nothing, ())


def _read(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Levels as they are read: held, a little off, a row wrong now and then."""
    path = np.repeat(levels + 0.05 * rng.standard_normal(levels.size), LENGTH)
    path[rng.integers(0, path.size, levels.size)] += 2.0
    return path


def _validated(levels: np.ndarray, rng: np.random.Generator) -> Use:
    path = _read(levels, rng)
    at = tuple(np.arange(i * LENGTH, (i + 1) * LENGTH) for i in range(levels.size))
    use = use_of(path, _chain(path.size), at, levels)
    assert use is not None
    return use


def _withdrawn(use: Use, levels: np.ndarray, rng: np.random.Generator) -> bool:
    path = _read(levels, rng)
    return bool(changed_use(use, path, _chain(path.size)))


@pytest.mark.parametrize("step", [0.2, 1.0])
def test_twice_as_many_holds_as_levels_tell_a_gain(step: float) -> None:
    rng = np.random.default_rng(4)
    count = round(4 / step)
    use = _validated(3.0 + step * rng.integers(0, count, 80), rng)
    new = 3.0 + step * rng.integers(0, count, 80)
    assert not _withdrawn(use, new, rng)
    assert _withdrawn(use, 5.0 + 1.5 * (new - 5.0), rng)
    assert _withdrawn(use, 5.0 + 0.67 * (new - 5.0), rng)
    assert _withdrawn(use, 1.5 * new, rng)


def test_the_same_use_stays_whatever_its_levels_are_like() -> None:
    rng = np.random.default_rng(5)
    for audit in range(20):
        size = (3, 10, 40)[audit % 3]
        levels = (rng.standard_normal(60 + size), rng.uniform(0, 4, 60 + size), rng.integers(0, 4, 60 + size))
        own = np.asarray(levels[audit % len(levels)], float)
        assert not _withdrawn(_validated(own[:60], rng), own[60:], rng), audit


def test_a_few_levels_of_those_known_are_no_other_use() -> None:
    rng = np.random.default_rng(6)
    use = _validated(rng.integers(0, 10, 80).astype(float), rng)
    assert not _withdrawn(use, rng.choice([4.0, 5.0], 30), rng)


def test_too_few_holds_say_nothing() -> None:
    rng = np.random.default_rng(7)
    path = _read(rng.uniform(0, 4, 20), rng)
    assert use_of(path, _chain(path.size), (np.arange(LENGTH),), np.array([1.0])) is None
    use = _validated(rng.uniform(0, 4, 60), rng)
    assert not _withdrawn(use, np.array([20.0]), rng)


@pytest.mark.parametrize("holds", [4, 12, 40])
def test_what_holds_could_tell_is_what_they_tell(holds: int) -> None:
    """Every gain beyond those that are said to be seen withdraws."""
    rng = np.random.default_rng(holds)
    use = _validated(3.0 + rng.integers(0, 10, 80), rng)
    new = 3.0 + rng.integers(0, 10, holds)
    path = np.repeat(new + 0.05 * rng.standard_normal(holds), LENGTH)
    count, (less, more) = seen_gains(use, path, _chain(path.size))
    assert count == 1 + np.count_nonzero(np.diff(new))
    known = np.array(use.levels)
    middle = 0.5 * (known.min() + known.max())

    def told(gain: float) -> bool:
        return bool(changed_use(use, middle + gain * (path - middle), _chain(path.size)))

    assert all(
        told(gain) for gain in np.geomspace(0.5, 2.0, 15) if gain <= 0.97 * less or gain >= 1.03 * more
    )
    assert told(0.5) == (less > 0.0)
    assert told(2.0) == bool(np.isfinite(more))


def test_more_holds_tell_smaller_gains() -> None:
    rng = np.random.default_rng(9)
    use, seen = _validated(3.0 + rng.integers(0, 10, 80), rng), []
    for holds in (1, 3, 12, 60):
        path = np.repeat(3.0 + rng.integers(0, 10, holds) + 0.05 * rng.standard_normal(holds), LENGTH)
        seen.append(seen_gains(use, path, _chain(path.size))[1])
    assert seen[0] == (0.0, np.inf)
    assert [s[0] for s in seen] == sorted(s[0] for s in seen)
    assert [s[1] for s in seen] == sorted((s[1] for s in seen), reverse=True)
    assert seen[-1][0] > 0.6
    assert seen[-1][1] < 1.4


def test_holds_end_where_rows_are_missing() -> None:
    path, c = np.ones(100), _chain(100)
    assert levels_of(path, c, 1.0).tolist() == [1.0]
    rows = np.concatenate([np.arange(50), np.arange(60, 110)])
    assert levels_of(path, replace(c, rows=rows), 1.0).tolist() == [1.0, 1.0]


def _doing(factor: float) -> Alignment:
    """The certified alignment as if the plant did that many times as much."""
    own = certified()
    held = own.decoder.held
    assert held is not None
    models = tuple(replace(m, level=factor * m.level, unit=factor * m.unit) for m in held.models)
    return replace(own, decoder=replace(own.decoder, held=replace(held, models=models)))


def test_a_recheck_says_what_it_could_have_told() -> None:
    own = case()
    model, later = own.model.with_alignment(certified()), own.record.frame[ROWS:]
    many, few = model.detectable(later, HIDDEN), model.detectable(later[:150], HIDDEN)
    assert many.holds > few.holds
    assert many.more is not None
    assert many.more < 1.8
    assert f"In {many.holds} holds" in many.reading
    assert few.less is None
    assert "Label" in few.reading
    bare = certified().certificate.model_copy(update={"use": None}).sealed()
    with pytest.raises(AlignmentError, match="longer record"):
        own.model.with_alignment(replace(certified(), certificate=bare)).detectable(later, HIDDEN)


def test_a_gain_withdraws_the_certificate_without_a_label() -> None:
    own = case()
    later = own.record.frame[ROWS:]
    same = own.model.with_alignment(certified()).recheck(later).alignments[0].certificate
    assert same.level is Level.INTERVENTIONAL
    changed = own.model.with_alignment(_doing(2.2)).recheck(later).alignments[0].certificate
    assert changed.level is Level.NONE
    assert "times as far apart" in str(changed.withdrawn)
