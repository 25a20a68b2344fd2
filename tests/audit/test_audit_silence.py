"""A log that rests as it never did: set by hand and left alone, or frozen while the system was driven?"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import tslam
from tslam.audit import frozen, run, unlogged
from tslam.audit.attribution import Hidden
from tslam.audit.finding import Claim, in_windows
from tslam.audit.frozen import claim_frozen, unsupported, with_frozen
from tslam.audit.gap import GapKind, Severity
from tslam.audit.ground import Ground, lay_ground
from tslam.audit.reading import Reading, read_of
from tslam.audit.silence import as_silence, spans
from tslam.audit.whose import Owners
from tslam.contract import from_arguments
from tslam.panel import build
from tslam.panel.chain import Structure
from tslam.plants.plant import stamped
from tslam.seeding import generator

ROWS, SILENT = 2400, slice(1000, 1400)
ROLES: dict[str, Any] = {"actions": ["valve", "lamp"], "exog": ["load"]}
GAINS = {"set by anyone": 0.0, "set by a controller": 0.3}


@cache
def _plant(seed: int, gain: float, *, left_alone: bool) -> pl.DataFrame:
    """Three channels driven by a valve that moves every five rows, or is left alone for four hundred."""
    rng = generator(seed, "silence")

    def moved(t: int, held: float, state: np.ndarray) -> float:
        rests = t % 5 or (left_alone and SILENT.start <= t < SILENT.stop)
        chance = rng.uniform(-1.0, 1.0) if gain == 0.0 else 0.1 * rng.standard_normal()
        return held if rests else chance - gain * state[0]

    return _run(rng, moved)


def _run(rng: np.random.Generator, moved: Callable[[int, float, np.ndarray], float]) -> pl.DataFrame:
    """The plant under a valve that is set, at each row, from what it was and from the state."""
    lamp = np.repeat(rng.choice([0.0, 1.0], ROWS // 40), 40)
    load = np.convolve(rng.standard_normal(ROWS + 50), np.ones(51) / 7.0, "valid")
    state, valve = np.zeros((ROWS, 3)), np.zeros(ROWS)
    for t in range(1, ROWS):
        driven = np.array([0.8, -0.5, 0.0]) * valve[t - 1] + np.array([0.0, 0.3, 0.6]) * lamp[t - 1]
        noise = 0.2 * rng.standard_normal(3)
        state[t] = 0.7 * state[t - 1] + driven + np.array([0.2, 0.0, 0.2]) * load[t - 1] + noise
        valve[t] = moved(t, valve[t - 1], state[t])
    channels = {f"level_{i}": state[:, i] for i in range(3)}
    return stamped({**channels, "valve": valve, "lamp": lamp, "load": load}, 60.0)


def _frozen(frame: pl.DataFrame) -> pl.DataFrame:
    log = frame["valve"].to_numpy().copy()
    log[SILENT] = log[SILENT.start - 1]
    return frame.with_columns(pl.Series("valve", log))


def _ground(frame: pl.DataFrame) -> Ground:
    contract, _ = from_arguments(dict(frame.schema), **ROLES)
    return lay_ground(build(frame, contract), Structure(4, 2))


@pytest.mark.parametrize("gain", GAINS.values(), ids=GAINS)
@pytest.mark.parametrize("seed", range(3))
def test_a_frozen_log_is_told_from_one_that_was_left_alone(seed: int, gain: float) -> None:
    """Left alone, a controller's action no longer goes with what it answered: that alone is no outage."""
    assert claim_frozen(_ground(_plant(seed, gain, left_alone=True)), "valve") is None
    ground = _ground(_frozen(_plant(seed, gain, left_alone=False)))
    claim = claim_frozen(ground, "valve")
    assert claim is not None
    assert claim.kind is GapKind.LOG_OUTAGE
    first, last = claim.windows[0]
    assert SILENT.start - 5 <= first < last <= SILENT.stop
    assert last - first > 0.7 * (SILENT.stop - SILENT.start)
    assert claim_frozen(ground, "lamp") is None


def test_a_copy_of_a_measurement_that_is_none_while_it_is_silent_was_frozen() -> None:
    """A read-back tells nothing that the measurement does not, and still has to go on."""
    frame = _plant(0, 0.0, left_alone=False).with_columns(pl.col("level_0").alias("valve") * 3.0 - 1.0)
    assert claim_frozen(_ground(frame), "valve") is None
    claim = claim_frozen(_ground(_frozen(frame)), "valve")
    assert claim is not None
    assert (claim.most, claim.fact) == ("warning", True)
    assert claim.recommendation.endswith("it is a copy of what is measured, and held one value there.")
    assert "done" not in {evidence.name for evidence in claim.evidence}
    assert claim.windows == ((SILENT.start - 1, SILENT.stop - 1),)


def test_a_valve_at_its_end_rests_whatever_is_asked_of_it() -> None:
    """A controller that asks for more than there is does not make its log wrong."""
    frame = _frozen(_plant(0, 0.3, left_alone=False))
    log = frame["valve"].to_numpy().copy()
    log[SILENT] = np.minimum(log, log[SILENT.start]).min()
    assert claim_frozen(_ground(frame.with_columns(pl.Series("valve", log))), "valve") is None


def test_the_reading_does_not_depend_on_units() -> None:
    frame = _frozen(_plant(0, 0.0, left_alone=False))
    scaled = frame.with_columns(pl.col("valve") * -40.0 + 7.0, pl.col("level_0") * 1e-3 + 5.0)
    one, other = (claim_frozen(_ground(f), "valve") for f in (frame, scaled))
    assert one is not None
    assert other is not None
    assert other.windows == one.windows
    assert other.score == pytest.approx(one.score, rel=1e-6)


def test_strength_and_certainty_are_those_of_whole_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it began is chosen by what it shows: that part tells the windows, and nothing else."""
    ground = _ground(_frozen(_plant(0, 0.0, left_alone=False)))
    whole = claim_frozen(ground, "valve")
    monkeypatch.setattr(frozen, "_surest", lambda _, s: replace(s, first=s.first + 50, stop=s.first + 90))
    part = claim_frozen(ground, "valve")
    assert whole is not None
    assert part is not None
    assert part.windows != whole.windows
    assert (part.p, part.share, part.score) == (whole.p, whole.share, whole.score)
    assert part.evidence == whole.evidence


@pytest.mark.parametrize(("log", "lacking"), [(pl.col("valve"), False), (pl.col("valve").sign(), True)])
def test_what_is_lacking_all_over_shows_all_over(log: pl.Expr, lacking: bool) -> None:
    """A class of what was set is off in its silences, and elsewhere."""
    shares = []
    for seed in range(3):
        rng = generator(seed, "long holds")
        frame = _run(rng, lambda t, held, _, rng=rng: held if t % 60 else float(rng.uniform(-1.0, 1.0)))
        ground = _ground(frame.with_columns(log.alias("valve")))
        nothing = np.zeros(ground.n, bool)
        shares.append(read_of(ground, "valve", nothing).share(~nothing))
    assert (np.median(shares) > frozen._ELSEWHERE) == lacking, shares


def test_a_reading_that_is_off_by_little_is_no_outage() -> None:
    """Left in a silence is what anyone may do by hand: small against what is done elsewhere."""
    frame, rng = _plant(0, 0.0, left_alone=False), generator(3, "by hand")
    truth = frame["valve"].to_numpy()
    log = truth.copy()
    log[SILENT] = log[SILENT.start - 1]
    for share, told in ((0.2, False), (1.0, True)):
        done = log + share * (truth - log)
        record = _run(rng, lambda t, *_, done=done: float(done[t])).with_columns(pl.Series("valve", log))
        assert (claim_frozen(_ground(record), "valve") is not None) == told


def test_a_log_a_step_late_may_be_frozen_too() -> None:
    """In time or a step late, nothing tells, so it is set right first; the windows are those of the log."""
    frame = _frozen(_plant(1, 0.0, left_alone=False))
    late = frame.with_columns(pl.col("valve").shift(1, fill_value=0.0))
    gaps = tslam.fit(late, **ROLES, config="linear", progress=False).audit(late).gaps
    found = [gap for gap in gaps if (gap.kind, gap.column) == (GapKind.LOG_OUTAGE, "valve")]
    assert len(found) == 1
    stamps = late["time"].to_list()
    (first, last), *_ = found[0].windows
    assert SILENT.start - 5 <= stamps.index(first) < stamps.index(last) <= SILENT.stop + 1


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (1, ((1, 11), (101, 399), (401, 899))),
        (-3, ((0, 7), (97, 396), (400, 896))),
        (0, ((0, 10), (100, 399), (400, 899))),
    ],
)
def test_windows_are_where_the_log_was_wrong_and_stay_in_their_stretch(
    shift: int, expected: tuple[tuple[int, int], ...]
) -> None:
    frame = _plant(0, 0.0, left_alone=False)[:1000]
    panel = build(pl.concat([frame[:400], frame[500:]]), from_arguments(dict(frame.schema), **ROLES)[0])
    claim = Claim(GapKind.LOG_OUTAGE, "valve", 0.0, 1.0, 1.0, "", windows=((0, 10), (100, 399), (400, 899)))
    assert run._as_logged(panel, claim, shift).windows == expected


def _hidden(ground: Ground, at: np.ndarray) -> Claim:
    windows = tuple((int(ground.rows[k]) - 1, int(ground.rows[k])) for k in np.sort(at))
    return Claim(GapKind.MISSING_ACTION, None, 0.0, 1.0, 1.0, "", windows=windows, latents=True)


def test_what_moves_only_while_a_log_is_silent_is_what_that_log_should_tell() -> None:
    ground = _ground(_frozen(_plant(0, 0.0, left_alone=False)))
    rng = generator(0, "moves")
    inside = rng.choice(np.arange(SILENT.start + 10, SILENT.stop - 10), 12, replace=False)
    told = as_silence(ground, ["valve", "lamp"], _hidden(ground, inside))
    assert (told.kind, told.column) == (GapKind.LOG_OUTAGE, "valve")
    anywhere = rng.choice(np.arange(10, ROWS - 20), 12, replace=False)
    assert as_silence(ground, ["valve", "lamp"], _hidden(ground, anywhere)).column is None


def test_held_by_hand_a_controller_is_misread_and_not_frozen() -> None:
    """What it answered is read from the state: that it did not answer is no outage by itself."""
    ground = _ground(_plant(0, GAINS["set by a controller"], left_alone=True))
    asked = frozen._Read.of(ground, "valve")
    assert asked is not None
    inside = in_windows(ground, spans(ground, asked.silent))
    assert asked.reading.squared[inside].mean() >= asked.least
    assert claim_frozen(ground, "valve") is None


def test_two_ways_to_tell_an_outage_make_one_claim() -> None:
    ground = _ground(_frozen(_plant(0, 0.0, left_alone=False)))
    silence = claim_frozen(ground, "valve")
    assert silence is not None
    assert with_frozen(None, silence) is silence
    coarse = replace(silence, kind=GapKind.COARSE_LOG)
    assert with_frozen(coarse, silence) is silence
    assert with_frozen(coarse, None) is coarse
    assert set(silence.channels) == {"level_0", "level_1"}
    offset = replace(silence, p=1.0, latents=True, windows=((0, 1),))
    both = with_frozen(offset, silence)
    assert both is not None
    assert (both.windows, both.latents) == (silence.windows, True)


def test_the_report_says_which_log_to_recover() -> None:
    frame = _frozen(_plant(1, 0.3, left_alone=False))
    report = tslam.fit(frame, **ROLES, config="linear", progress=False).audit(frame)
    found = [gap for gap in report.gaps if gap.severity is not Severity.INFO]
    assert [(gap.kind, gap.column) for gap in found] == [(GapKind.LOG_OUTAGE, "valve")]
    assert found[0].recommendation.startswith("Recover the log of valve")


@pytest.mark.parametrize("kind", [GapKind.LOG_OUTAGE, GapKind.COARSE_LOG])
def test_a_lack_is_doubted_where_the_action_is_read_as_logged(kind: GapKind) -> None:
    frame = _plant(0, 0.0, left_alone=False)
    claim = Claim(kind, "valve", 0.0, 1.0, 1.0, "", windows=((SILENT.start, SILENT.stop - 1),))
    assert unsupported(_ground(frame), claim)
    assert not unsupported(_ground(_frozen(frame)), claim)


@pytest.mark.parametrize("kind", [GapKind.LOG_OUTAGE, GapKind.COARSE_LOG])
def test_a_lack_is_doubted_where_what_is_read_beyond_the_log_was_not_done(
    monkeypatch: pytest.MonkeyPatch, kind: GapKind
) -> None:
    monkeypatch.setattr(Reading, "share", lambda _, rows: 0.5 if rows.all() else -0.3)
    claim = Claim(kind, "valve", 0.0, 1.0, 1.0, "", windows=((SILENT.start, SILENT.stop - 1),))
    assert unsupported(_ground(_frozen(_plant(0, 0.0, left_alone=False))), claim)


@pytest.mark.parametrize("everywhere", [-0.1, 0.1])
def test_a_coarse_log_is_doubted_where_nothing_that_is_read_beyond_it_was_done(
    monkeypatch: pytest.MonkeyPatch, everywhere: float
) -> None:
    """Coarse is a log all over, so that what is read beyond it has to have its effect all over."""
    monkeypatch.setattr(Reading, "share", lambda _, rows: everywhere if rows.all() else 0.9)
    claim = Claim(GapKind.COARSE_LOG, "valve", 0.0, 1.0, 1.0, "", windows=((SILENT.start, SILENT.stop - 1),))
    assert unsupported(_ground(_plant(0, 0.0, left_alone=False)), claim) == (everywhere < 0.0)


def test_what_is_found_hidden_and_told_as_an_outage_is_doubted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = _plant(0, 0.0, left_alone=False)
    span = ((SILENT.start, SILENT.stop - 1),)
    claim = Claim(GapKind.LOG_OUTAGE, "valve", 0.0, 1.0, 1.0, "", windows=span)
    for question in ("_ask_moves", "_ask_lean"):
        monkeypatch.setattr(unlogged, question, lambda *_: None)
    monkeypatch.setattr(unlogged, "_ask_unmeasured", lambda *_: [])
    monkeypatch.setattr(unlogged, "_told", lambda *_: claim)
    for ground, kept in ((_ground(frame), False), (_ground(_frozen(frame)), True)):
        found = unlogged._Found(claim, Hidden(path=np.ones(ground.n)))
        monkeypatch.setattr(unlogged, "_ask_levels", lambda asked, *_, found=found: asked.found.append(found))
        further, hidden, _ = unlogged.ask_hidden(ground, Owners(ground, ["valve"]), [])
        assert further == [claim] * kept
        assert (hidden.path is not None) == kept


def test_an_action_that_cannot_be_read_casts_no_doubt() -> None:
    frame = _plant(0, 0.0, left_alone=False)
    idle = generator(0, "idle").permutation(frame["valve"].to_numpy())
    ground = _ground(frame.with_columns(pl.Series("valve", idle)))
    outage = Claim(GapKind.LOG_OUTAGE, "valve", 0.0, 1.0, 1.0, "", windows=((200, 400),))
    assert not unsupported(ground, outage)
