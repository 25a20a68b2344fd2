"""What a user would take instead: tools that are not ours, each set up as its documentation suggests.

dynamax and ruptures are in the dependency group ``reproduce``; nothing in the library needs them.
"""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from statsmodels.tsa.api import DynamicFactorMQ

from tslam.dynamics.closed_form import fit_closed_form
from tslam.dynamics.moments import Moments
from tslam.plants import Record

__all__ = ["OUTSIDE", "observations"]

_ITERATIONS = 30
"""EM steps of dynamic factors and of the state-space model."""
_SLOW = 0.98
"""First guess of the persistence of the slow input; EM moves it."""
_SHORTEST = 2
"""Rows of the shortest segment; with its penalty the best of four pairs that were tried on other seeds."""


def observations(record: Record) -> np.ndarray:
    """The telemetry as it is."""
    return np.asarray(record.frame.select(record.observations).to_numpy(), float)


def _inputs(record: Record) -> np.ndarray:
    return np.asarray(record.frame.select([*record.actions, *record.exogenous]).to_numpy(), float)


def _standard(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9))


def varx(record: Record) -> np.ndarray:
    """What a VARX of two lags, with all inputs, leaves; the row t holds the step that leaves it."""
    o, inputs = observations(record), _inputs(record)
    F = np.column_stack([o[1:-1], o[:-2], inputs[1:-1], inputs[:-2]])
    V = _standard(np.column_stack([F, o[2:]]))
    lam = fit_closed_form(Moments.of(V), F.shape[1], min(3, o.shape[1]))
    out = np.full((len(o), lam.B.shape[1]), np.nan)
    out[1:-1] = lam.infer(V[:, : F.shape[1]], V[:, F.shape[1] :])
    return out


def change_points(record: Record) -> np.ndarray:
    """Means of the VARX residual between the change points that ruptures finds (linear kernel)."""
    import ruptures

    z = varx(record)
    told = np.isfinite(z).all(axis=1)
    residual = _standard(z[told])
    rows, width = residual.shape
    found = ruptures.KernelCPD(kernel="linear", min_size=_SHORTEST).fit(residual)
    means = np.zeros_like(residual)
    at = 0
    for end in found.predict(pen=0.5 * width * np.log(rows)):
        means[at:end] = residual[at:end].mean(axis=0)
        at = end
    z[told] = means
    return z


def factors(record: Record) -> np.ndarray:
    """Two smoothed dynamic factors of statsmodels, of order 1, of standardised telemetry."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = DynamicFactorMQ(
            pd.DataFrame(_standard(observations(record))), factors=2, factor_orders=1, idiosyncratic_ar1=True
        ).fit(disp=False, maxiter=_ITERATIONS)
    return np.asarray(result.factors.smoothed)


def slow_input(record: Record) -> np.ndarray:
    """A state of dynamax for each channel and a slow one that acts on them, by EM; the slow one smoothed."""
    import jax
    from dynamax.linear_gaussian_ssm import LinearGaussianSSM

    jax.config.update("jax_enable_x64", val=True)
    o, inputs = _standard(observations(record)), _standard(_inputs(record))
    F = np.column_stack([o[:-1], inputs[:-1]])
    W = np.linalg.lstsq(F, o[1:], rcond=None)[0].T
    left = np.cov((o[1:] - F @ W.T).T)
    values, vectors = np.linalg.eigh(left)
    d, k = o.shape[1], inputs.shape[1]
    dynamics = np.zeros((d + 1, d + 1))
    dynamics[:d, :d], dynamics[d, d] = W[:, :d], _SLOW
    dynamics[:d, d] = vectors[:, -1] * np.sqrt(0.5 * values[-1])
    noise = np.diag(np.append(np.full(d, 0.0), 1.0 - _SLOW**2))
    noise[:d, :d] = left
    model = LinearGaussianSSM(d + 1, d, k, has_dynamics_bias=False, has_emissions_bias=False)
    params, props = model.initialize(
        initial_mean=np.append(o[0], 0.0),
        initial_covariance=np.eye(d + 1),
        dynamics_weights=dynamics,
        dynamics_input_weights=np.vstack([W[:, d:], np.zeros((1, k))]),
        dynamics_covariance=noise,
        emission_weights=np.eye(d, d + 1),
        emission_input_weights=np.zeros((d, k)),
        emission_covariance=1e-2 * np.eye(d),
    )
    seen, given = jax.numpy.asarray(o), jax.numpy.asarray(inputs)
    params, _ = model.fit_em(params, props, seen, given, num_iters=_ITERATIONS, verbose=False)
    return np.asarray(model.smoother(params, seen, given).smoothed_means)[:, d:]


OUTSIDE: dict[str, Callable[[Record], np.ndarray]] = {
    "raw observations": observations,
    "VARX residual": varx,
    "VARX + ruptures": change_points,
    "dynamic factors": factors,
    "dynamax LGSSM": slow_input,
}
