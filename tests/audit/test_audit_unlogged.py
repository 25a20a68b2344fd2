"""What was found hidden: told once of each log, and counted by what stands for it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from audit_cases import easy, ground_of

from tslam.audit import unlogged
from tslam.audit.causal import Causal, causal_latent, lean_fits
from tslam.audit.finding import Claim
from tslam.audit.gap import GapKind
from tslam.audit.ground import Ground
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
    twice = unlogged._sorted_out(ground, owners, [], [_hidden(ground), _hidden(ground)])
    assert [claim.column for claim in twice] == [LOGGED]
    known = [_hidden(ground, LOGGED)]
    assert unlogged._sorted_out(ground, owners, known, [_hidden(ground)]) == []


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
        resting=1.0,
    )
    monkeypatch.setattr(unlogged, "causal_latent", lambda *_: sure)
    asked = unlogged._Asked()
    unlogged._ask_lean(asked, ground)
    assert len(asked.found) == 1
    assert (asked.hidden.lean is not None) == fits
    assert (asked.hidden.path is not None) == (not fits)
    if not fits:
        np.testing.assert_array_equal(asked.hidden.path, sure.level)
