"""The plant's model with an aligned action among its inputs."""

import numpy as np
from align_cases import HIDDEN, case, certified

from tslam.align.driven import Driven, drive
from tslam.align.storage import fingerprint, pack, unpack
from tslam.dynamics.lam import LAM
from tslam.errors import TrainingError
from tslam.panel.chain import Structure, chain
from tslam.panel.ingest import read as read_frame
from tslam.panel.panel import Panel


def _driven() -> Driven:
    found = certified().driven
    assert found is not None
    return found


def _panel() -> Panel:
    own = case()
    return own.model._panel(read_frame(own.record.frame, own.model.contract)[0])


def test_the_action_stands_behind_the_logged_ones_once() -> None:
    panel = _panel()
    values = case().truth.copy()
    values[-1] = np.nan
    once = _driven().beside(panel, HIDDEN, values)
    assert once.action_columns() == (*panel.action_columns(), HIDDEN)
    (k,) = once.features_of(HIDDEN)
    back = once.actions[:, k] * once.scaling.act_sd[k] + once.scaling.act_mean[k]
    assert np.allclose(back[:-1], values[:-1])
    assert np.isnan(back[-1])
    again = _driven().beside(once, HIDDEN, values)
    assert again.action_columns() == once.action_columns()
    assert np.array_equal(again.actions, once.actions, equal_nan=True)


def test_with_the_action_the_plant_is_predicted_better() -> None:
    panel, driven = _panel(), _driven()
    later = driven.beside(panel, HIDDEN, case().truth)
    c = chain(later, driven.structure)
    own = case().model._fitted.parts[0]
    plain = chain(panel, own.structure)
    with_it = np.nanmean((c.Y - driven.lam.forward.mean(c.X))[c.usable] ** 2)
    without = np.nanmean((plain.Y - own.lam.forward.mean(plain.X))[plain.usable] ** 2)
    assert with_it < 0.8 * without


def test_where_no_model_can_be_fitted_there_is_none() -> None:
    def fails(_: Panel) -> tuple[LAM, Structure]:
        raise TrainingError("numbers are not finite")

    assert drive(_panel(), HIDDEN, case().truth, fails) is None


def test_it_is_kept_and_sealed() -> None:
    again = unpack(*pack(certified()))
    assert again.driven is not None
    assert again.driven.structure == _driven().structure
    assert fingerprint(again) == fingerprint(certified()) == certified().certificate.decoder
