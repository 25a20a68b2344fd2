"""Causal discovery that allows for what was not measured: does it see that an action is gone?

LPCMCI (Gerhardus and Runge, "High-recall causal discovery for autocorrelated time series with latent
confounders", NeurIPS 2020) as tigramite has it. It says of each pair of series whether one drives the other
or something that was not measured drives both. An action that acts on two observations is such a thing: the
number of pairs of observations that are said to be confounded is held against the audit.
"""

import numpy as np
from tigramite.data_processing import DataFrame
from tigramite.independence_tests.parcorr import ParCorr
from tigramite.lpcmci import LPCMCI

from tslam.plants import Record

__all__ = ["confounded"]

MOST = 6
"""Observations up to which it is asked: with twelve one record takes a minute and a half."""
_LAGS, _LEVEL, _CONDITIONS = 1, 0.01, 2
"""Past samples, level of each test, most conditions beside the parents: some ten seconds a record."""


def confounded(record: Record) -> int | None:
    """Links between observations that LPCMCI says something unmeasured drives; None where it is not asked."""
    count = len(record.observations)
    if count > MOST:
        return None
    names = [*record.observations, *record.actions, *record.exogenous]
    filled = record.frame.select(names).fill_null(strategy="forward").fill_null(strategy="backward")
    values = filled.to_numpy().astype(float)
    unit = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    asked = LPCMCI(DataFrame(unit, var_names=names), ParCorr(significance="analytic"), verbosity=0)
    found = asked.run_lpcmci(
        tau_max=_LAGS,
        pc_alpha=_LEVEL,
        max_p_global=_CONDITIONS,
        max_p_non_ancestral=_CONDITIONS,
        n_preliminary_iterations=1,
    )
    return int((found["graph"][:count, :count] == "<->").sum())
