"""A fingerprint of the data: the same telemetry gives the same digest, whatever frame it came in."""

from hashlib import sha256

import numpy as np

from tslam.panel.panel import Panel

__all__ = ["digest"]


def digest(panel: Panel) -> str:
    """SHA-256, hexadecimal, over names, stamps, series and values of the grid.

    Taken before values are scaled: scaling and back is not exact, and a digest forgives no last bit.
    ``Panel.digest`` keeps it.

    Args:
        panel: A panel in the units of the frame.
    """
    mark = sha256()
    inputs = [[feature.name for feature in side] for side in (panel.action_features, panel.exog_features)]
    mark.update(repr((panel.channels, *inputs, panel.series_names)).encode())
    mark.update(np.ascontiguousarray(panel.time).tobytes())
    mark.update(np.ascontiguousarray(panel.series_of).tobytes())
    for values in (panel.obs, panel.actions, panel.exog):
        mark.update(np.ascontiguousarray(np.nan_to_num(values, nan=0.0) + 0.0).tobytes())  # no negative zero
        mark.update(np.packbits(np.isfinite(values)).tobytes())
    return mark.hexdigest()
