"""One series of a panel, as a panel of its own."""

from dataclasses import replace

import numpy as np

from tslam.panel.panel import Panel, Segment

__all__ = ["restrict"]


def restrict(panel: Panel, series: str) -> tuple[Panel, slice]:
    """The rows of one series, with the scaling and the layout of the whole.

    Args:
        panel: The panel.
        series: Name of one of its series.

    Returns:
        A panel of that series alone, and where its grid rows lie in the whole.
    """
    code = panel.series_names.index(series)
    start, stop = (int(i) for i in np.searchsorted(panel.series_of, [code, code + 1]))
    s, own = panel.scaling, slice(start, stop)
    at = s.series.index(series)
    inside = (panel.row_of >= start) & (panel.row_of < stop)
    part = replace(
        panel,
        obs=panel.obs[own],
        actions=panel.actions[own],
        exog=panel.exog[own],
        segments=tuple(
            Segment(0, segment.start - start, segment.stop - start)
            for segment in panel.segments
            if segment.series == code
        ),
        series_names=(series,),
        series_of=np.zeros(stop - start, np.int64),
        time=panel.time[own],
        row_of=np.where(inside, panel.row_of - start, -1),
        scaling=replace(s, series=(series,), obs_mean=s.obs_mean[[at]], obs_sd=s.obs_sd[[at]]),
        transferred=tuple(name for name in panel.transferred if name == series),
    )
    return part, own
