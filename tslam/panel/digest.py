"""A fingerprint of the data: the same telemetry gives the same digest, whatever frame it came in."""

from hashlib import sha256

import numpy as np

from tslam.panel.panel import Panel

__all__ = ["digest"]

_DIGITS = 2.0**30
"""Nine decimal digits: what scaling and unscaling leaves alone."""


def digest(panel: Panel) -> str:
    """SHA-256, hexadecimal, over stamps, series and values of the grid in the data's own units.

    Scaling is undone first, to nine digits, so that the digest does not depend on which model the panel
    was scaled for.
    """
    mark = sha256()
    mark.update(repr((panel.channels, [f.name for f in panel.action_features])).encode())
    mark.update(repr(([f.name for f in panel.exog_features], panel.series_names)).encode())
    mark.update(np.ascontiguousarray(panel.time).tobytes())
    mark.update(np.ascontiguousarray(panel.series_of).tobytes())
    s = panel.scaling
    place = np.array([s.series.index(name) for name in panel.series_names], np.int64)
    which = place[panel.series_of]
    for values, mean, sd in (
        (panel.obs, s.obs_mean[which], s.obs_sd[which]),
        (panel.actions, s.act_mean, s.act_sd),
        (panel.exog, s.exog_mean, s.exog_sd),
    ):
        mantissa, exponent = np.frexp(np.nan_to_num(values * sd + mean, nan=0.0))
        mark.update(np.rint(mantissa * _DIGITS).astype(np.int64).tobytes())
        mark.update(exponent.tobytes())
        mark.update(np.packbits(np.isfinite(values)).tobytes())
    return mark.hexdigest()
