"""What was found hidden: told once of each log, and counted by what stands for it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from audit_cases import easy, ground_of

from tslam.audit import unlogged
from tslam.audit.attribution import Hidden
from tslam.audit.causal import Causal, causal_latent, lean_fits
from tslam.audit.finding import Claim
from tslam.audit.gap import GapKind
from tslam.audit.ground import Ground
from tslam.audit.rest import Resting
from tslam.audit.whose import Owners
from tslam.kernels.hac import MeanTest

SHORT = {"rows": 800, "d": 4, "actions": 2, "exog": 1, "dwell": 20.0}
LOGGED = "action_1"


@cache
def _ground() -> Ground:
    return ground_of(easy(0, **SHORT).drop("action_0"))


def _hidden(ground: Ground, column: str | None = None) -> Claim:
    """Something hidden that drives as the logged action does."""
    along = ground.direction([LOGGED]).mean(axis=0)[:, 0]
    return Claim(GapKind.MISSING_ACTION, column, 0.0, 1.0, 1.0, "", latents=True, direction=along)


def test_what_is_hidden_along_a_log_is_told_once_of_that_log() -> None:
    ground, owners = _ground(), Owners(_ground(), [LOGGED])
    found = unlogged._Found(_hidden(ground))
    believed = unlogged._believed(ground, owners, [found, found])
    assert [claim.column for claim in unlogged._sorted_out([], believed)] == [LOGGED]
    known = _hidden(ground, LOGGED)
    assert unlogged._sorted_out([known], believed) == []
    assert len(unlogged._sorted_out([replace(known, most="info")], believed)) == 1


def test_what_is_but_noted_gives_way_to_what_is_told() -> None:
    """Of what no log owns one gap is made; a note stays beside it, with what speaks for it."""
    ground = _ground()
    note = replace(_hidden(ground), kind=GapKind.UNDETERMINED, most="info", score=2.0)
    told = replace(note, most="warning", score=1.0)
    led = unlogged._sorted_out([], [unlogged._Found(note), unlogged._Found(told)])
    assert [(claim.most, claim.score) for claim in led] == [("warning", 1.0), ("info", 2.0)]


@pytest.mark.parametrize(("most", "asked"), [("info", True), ("warning", False)])
def test_the_last_question_is_asked_where_others_tell_no_more_than_a_note(
    monkeypatch: pytest.MonkeyPatch, most: str, asked: bool
) -> None:
    ground, path = _ground(), np.ones(_ground().n)
    note = replace(_hidden(ground), kind=GapKind.UNDETERMINED, most=most)
    found = replace(_hidden(ground), direction=None, path=path)
    monkeypatch.setattr(unlogged, "_ask_levels", lambda asked, *_: asked.found.append(unlogged._Found(note)))
    for other in ("_ask_moves", "_ask_lean"):
        monkeypatch.setattr(unlogged, other, lambda *_: None)
    last = unlogged._Found(found, Hidden(path=path))
    monkeypatch.setattr(unlogged, "_ask_unmeasured", lambda *_: [last])
    monkeypatch.setattr(unlogged, "_told", lambda _ground, _owners, claim: claim)
    further, hidden, _ = unlogged.ask_hidden(ground, Owners(ground, [LOGGED]), [])
    assert [claim.kind for claim in further] == [note.kind, *[found.kind] * asked]
    assert (hidden.path is path) == asked


def test_a_state_that_was_found_is_not_asked_for_again_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ground, asked = _ground(), unlogged._Asked()
    found: list[Ground] = []
    monkeypatch.setattr(unlogged, "unmeasured_input", found.append)
    state = replace(_hidden(ground), kind=GapKind.UNDETERMINED, most="info", path=np.ones(ground.n))
    assert unlogged._ask_unmeasured(asked, ground, [state]) == []
    assert not found
    assert "state without a sensor" in asked.untested[0].reason
    unlogged._ask_unmeasured(asked, ground, [replace(state, path=None)])
    assert found == [ground]


@pytest.mark.parametrize(("against_rich", "fits"), [(5.0, True), (-5.0, False)])
def test_only_a_model_that_stands_for_the_plant_enters_the_attribution(
    monkeypatch: pytest.MonkeyPatch, against_rich: float, fits: bool
) -> None:
    """One that falls short leaves more than its latent, of which the path alone is counted."""
    ground = _ground()
    sure: Causal = replace(
        causal_latent(ground, lean_fits(ground)),
        against_rich=MeanTest(against_rich / 10.0, 0.1, against_rich, 0.5),
        persistence=0.98,
        agreement=0.99,
        jumpiness=10.0,
        resting=Resting(1.0, 1.0),
    )
    monkeypatch.setattr(unlogged, "causal_latent", lambda *_: sure)
    asked = unlogged._Asked()
    unlogged._ask_lean(asked, ground)
    assert len(asked.found) == 1
    by = asked.found[0].by
    assert (by.lean is not None) == fits
    assert (by.path is not None) == (not fits)
    if not fits:
        np.testing.assert_array_equal(by.path, sure.level)
