"""Could the model itself, bent to the rows in question, have done without a held difference?

A forward model that was learnt from other stretches errs wherever this one went where they did not, for as
long as the state stays there: held, along some action's effect, and large on short records of plants that
bend. The same model learnt from all rows, these among them, does not err there; what was done and not
logged stays in its residuals, though, as far as a few slow signals cannot copy it. So a difference that is
found in what was held out has to be there in the model's own rows as well, unless both predict nearly
equally well. Rows at which a signal sits at a limit (a full tank, a sensor at its end) say nothing: no
smooth model is right there.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from tslam.audit.cross_fit import solved
from tslam.audit.ground import Ground
from tslam.audit.student import robust_scatter
from tslam.panel.limits import limits_of, standing

__all__ = ["fitted_to_itself", "optimism"]


def fitted_to_itself(ground: Ground) -> Ground:
    """The ground with the residuals of one fit to all of its rows; values at a limit count as not measured.

    Weights, and with them the directions of the actions, stay the held-out ones.
    """
    W = solved(ground.F.T @ ground.F, ground.F.T @ ground.Y, ground.ridge, len(ground.F))
    residual = np.where(ground.seen, ground.Y - ground.F @ W, 0.0)
    cov, trust = robust_scatter(residual, ground.seen)
    free = ground.seen & ~_at_a_limit(ground)
    return replace(
        ground, residual=np.where(free, residual, 0.0), seen=free, cov=cov, trust=trust, plain=None
    )


def optimism(ground: Ground, own: Ground) -> float:
    """Log of squared error held out over that on the model's own rows: 0 where nothing is extrapolated."""
    told = own.seen.any(axis=0)
    held, fitted = ((np.where(own.seen, g.residual, 0.0) ** 2).sum(axis=0)[told] for g in (ground, own))
    return float((np.log(held + 1e-12) - np.log(fitted + 1e-12)).mean()) if told.any() else 0.0


def _at_a_limit(ground: Ground) -> Bool[np.ndarray, "n chan"]:
    """Where each observation stands at an end of its range."""
    error = np.sqrt(np.diag(ground.cov))
    now = ground.X[:, : len(error)]
    return standing(now, limits_of(now, error))
