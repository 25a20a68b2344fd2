"""Which share of a linear plant's transitions each cause explains: exact, without a sample.

A held action that is drawn anew with chance 1 / dwell has the second moments of an AR(1) process with
coefficient 1 - 1 / dwell. So the state s = (o, a, x) obeys s_{t+1} = F s_t + w with white w, its
covariance P solves the discrete Lyapunov equation P = F P Fᵀ + Q, its autocovariance is F^k P, and
every best linear predictor follows from these.

Source: Brockwell and Davis, "Time Series: Theory and Methods", 2nd ed., 1991, sections 5.1 and 11.3;
the split of what two causes explain together is the Shapley value: Lipovetsky and Conklin, "Analysis
of regression in game theory approach", Applied Stochastic Models in Business and Industry 17(4), 2001.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve_discrete_lyapunov

from tslam.errors import ConfigError, RoleError
from tslam.plants.linear import LinearTruth
from tslam.plants.plant import Record

__all__ = ["LinearShares", "linear_shares"]


@dataclass(frozen=True, eq=False)
class LinearShares:
    """Shares of E[(o_{t+1} - o_t)²] per channel; with ``unexplained`` they add up to 1."""

    channels: tuple[str, ...]
    history: Float[np.ndarray, " chan"]
    actions: Float[np.ndarray, " chan"]
    exogenous: Float[np.ndarray, " chan"]
    latents: Float[np.ndarray, " chan"]
    unexplained: Float[np.ndarray, " chan"]


def linear_shares(plant: Record | LinearTruth, hidden: str | None = None, lags: int = 1) -> LinearShares:
    """What each cause takes off the error of the best linear prediction of o_{t+1}.

    The error starts as that of persistence, o_t. The last ``lags`` samples of o come first, then the
    logged actions and the exogenous variables of row t (mean over both orders), then the true value of
    what is hidden.

    Args:
        plant: A record of :func:`tslam.plants.linear`, or its truth. What the record dropped is hidden.
        hidden: One more action or exogenous variable that is not logged.
        lags: Samples of o that the predictor sees.

    Raises:
        ConfigError: the plant is not linear, or ``lags`` is below 1.
        RoleError: the plant has no input of that name.
    """
    truth = plant.truth if isinstance(plant, Record) else plant
    if not isinstance(truth, LinearTruth):
        raise ConfigError(
            "Exact shares need the matrices of plant 'linear'; this record is of another plant."
        )
    if lags < 1:
        raise ConfigError(f"lags={lags}; the predictor sees at least the last sample. Ask for lags >= 1.")
    inputs = (*truth.actions, *truth.exogenous)
    if hidden is not None and hidden not in inputs:
        raise RoleError.unknown_column(hidden, "hidden input", inputs)
    unlogged = {hidden, *(plant.hidden if isinstance(plant, Record) else ())}

    chan, size = len(truth.channels), len(truth.channels) + len(inputs)
    now = {name: size + chan + i for i, name in enumerate(inputs)}
    history = np.concatenate([np.arange(chan) + lag * size for lag in range(1, lags + 1)])
    actions = np.array([now[a] for a in truth.actions if a not in unlogged], dtype=int)
    exogenous = np.array([now[x] for x in truth.exogenous if x not in unlogged], dtype=int)
    latents = np.array([now[name] for name in inputs if name in unlogged], dtype=int)

    moments = _moments(truth, lags)
    error = [
        _residual(moments, chan, np.concatenate([history, *given]))
        for given in ((), (actions,), (exogenous,), (actions, exogenous), (actions, exogenous, latents))
    ]
    past, with_actions, with_exogenous, logged, everything = error
    step = np.arange(chan)
    whole = moments[step, step] + moments[size + step, size + step] - 2.0 * moments[step, size + step]
    return LinearShares(
        channels=truth.channels,
        history=1.0 - past / whole,
        actions=0.5 * (past - with_actions + with_exogenous - logged) / whole,
        exogenous=0.5 * (past - with_exogenous + with_actions - logged) / whole,
        latents=(logged - everything) / whole,
        unexplained=everything / whole,
    )


def _moments(truth: LinearTruth, lags: int) -> Float[np.ndarray, "window window"]:
    """Covariance of (s_{t+1}, s_t, ..., s_{t-lags+1}), with o as it is read."""
    chan, act, exog = len(truth.channels), len(truth.actions), len(truth.exogenous)
    size, kept = chan + act + exog, 1.0 - 1.0 / truth.dwell
    F = np.zeros((size, size))
    F[:chan] = np.hstack([truth.A, truth.B, truth.E])
    inputs = np.repeat([kept, truth.phi], [act, exog])
    F[range(chan, size), range(chan, size)] = inputs
    Q = np.diag(np.concatenate([np.full(chan, truth.noise**2), 1.0 - inputs**2]))
    P = solve_discrete_lyapunov(F, Q)
    later = [P]
    for _ in range(lags):
        later.append(F @ later[-1])
    blocks = [[later[j - i] if j >= i else later[i - j].T for j in range(lags + 1)] for i in range(lags + 1)]
    read = np.tile(np.repeat([truth.sensor**2, 0.0], [chan, act + exog]), lags + 1)
    return np.block(blocks) + np.diag(read)


def _residual(
    moments: Float[np.ndarray, "window window"], chan: int, given: Int[np.ndarray, " known"]
) -> Float[np.ndarray, " chan"]:
    """Mean squared error of the best linear prediction of the first ``chan`` variables."""
    cross = moments[np.ix_(given, np.arange(chan))]
    weights = np.linalg.lstsq(moments[np.ix_(given, given)], cross, rcond=None)[0]
    error: Float[np.ndarray, " chan"] = np.diag(moments)[:chan] - np.sum(weights * cross, axis=0)
    return error
