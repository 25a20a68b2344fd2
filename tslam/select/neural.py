"""Fit the neural family: a nonlinear forward model, and held latents on what it leaves."""

from dataclasses import replace
from functools import partial

import numpy as np
from jaxtyping import Float

from tslam.config import FitConfig
from tslam.dynamics.forward import LinearForward, fit_persistent
from tslam.dynamics.held import fit_held, fit_held_from
from tslam.dynamics.lam import LAM
from tslam.dynamics.linear import residual_covariance
from tslam.dynamics.neural import NeuralForward
from tslam.select.candidates import Candidate, Data, causal_score
from tslam.train.loop import train_forward

__all__ = ["fit_neural_family", "stop_rows"]

_STOP = 6
"""One training block in this many decides when to stop; held-out rows decide nothing but the comparison."""


def fit_neural_family(
    data: Data,
    config: FitConfig,
    latents: int,
    *,
    seed: int,
    device: str,
    progress: bool,
    told: Candidate | None = None,
) -> tuple[Candidate, dict[str, list[tuple[int, float]]]]:
    """Train the network from the ridge answer on, then fit held latents jointly with its linear part.

    Args:
        data: Transitions and split.
        config: Width, epochs, step size, batch; ridge and iterations of the latents.
        latents: Number of latents; 0 for none.
        seed: Of weights and batches.
        device: Where to train.
        progress: Show epochs.
        told: A model of the same structure whose held latents the network need not explain: one that has to
            explain everything takes the held level to itself, and leaves only moves to z. Where the family
            was not asked for, that model goes on reading the levels: the network is there to predict.

    Returns:
        The candidate, and its training curves by name.

    Raises:
        ConfigError: no such device.
        TrainingError: the fit left the finite numbers.
    """
    c = data.chain
    train = partial(_network, data, config, seed=seed, device=device, progress=progress)
    plain, curves = train(c.Y)
    residual = c.Y - plain.mean(c.X)
    cov = residual_covariance(residual, data.train)
    if not latents:
        lam = LAM("neural", plain, None, plain, cov)
        return Candidate(lam, data.structure, causal_score(lam, data)), curves
    if told is None or told.lam.inverse is None:
        forward = plain
        held = fit_held(
            c.X, residual, data.train, c.start, latents=latents, ridge=config.penalty,
            iterations=config.iterations, starts=(0.98,), jumps=config.preset is None,
        )  # fmt: skip
    else:
        path = told.lam.infer(c.X, np.where(data.train[:, None], c.Y, np.nan), c.start)
        assert path is not None
        acted = path.mean @ told.lam.inverse.B.T
        forward, curves = train(c.Y - acted)
        residual = c.Y - forward.mean(c.X)
        inverse = replace(told.lam.inverse, R=residual_covariance(residual - acted, data.train))
        held = fit_held_from(
            c.X, residual, data.train, c.start, forward=_nothing(c.X.shape[1], c.Y.shape[1]),
            inverse=inverse, ridge=config.penalty, jumps=True,
        )  # fmt: skip
    own = _shifted(forward, held.forward.weights, held.forward.bias)
    reader = told.lam.reader if told is not None and config.family == "auto" else None
    lam = LAM("neural", own, held.inverse, plain, cov, told=reader)
    return Candidate(lam, data.structure, causal_score(lam, data)), curves


def _network(
    data: Data,
    config: FitConfig,
    target: Float[np.ndarray, "n chan"],
    *,
    seed: int,
    device: str,
    progress: bool,
) -> tuple[NeuralForward, dict[str, list[tuple[int, float]]]]:
    """The network that tells a target, and its training curves."""
    c = data.chain
    train, stop = stop_rows(data)
    trained = train_forward(
        c.X,
        target,
        train,
        stop,
        start=fit_persistent(c.X, target, train, config.penalty),
        config=config,
        seed=seed,
        device=device,
        progress=progress,
        names=[f"{name}[{offset:+d}]" for name, offset in c.terms],
    )
    return trained.forward, {
        "train_nll": [(e.epoch, e.train) for e in trained.history],
        "stop_nll": [(e.epoch, e.stop) for e in trained.history],
    }


def _nothing(features: int, channels: int) -> LinearForward:
    return LinearForward(np.zeros((features, channels)), np.zeros(channels))


def stop_rows(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Training rows, and the blocks among them that say when to stop."""
    at = np.flatnonzero(data.train)
    block = max(1, min(max(20, at.size // (5 * _STOP)), at.size // _STOP))
    chosen = (np.arange(at.size) // block) % _STOP == _STOP - 1
    train, stop = np.zeros(len(data.train), bool), np.zeros(len(data.train), bool)
    train[at[~chosen]], stop[at[chosen]] = True, True
    return train, stop


def _shifted(forward: NeuralForward, weights: np.ndarray, bias: np.ndarray) -> NeuralForward:
    """The same network with a linear correction added to its linear part."""
    spec, state = forward.to_state()
    state["weights"] = state["weights"] + weights
    state["bias"] = state["bias"] + bias
    return NeuralForward.from_state(spec, state, device=forward.net.weights.device)
