"""What it takes to write a latent down, in nats, so that bottlenecks of any kind compare on one scale.

Reconstruction always favours the wider bottleneck. What z saves in telling o_{t+1}, less what z itself takes
to tell, favours none: it is the evidence lower bound of the next sample under the prior of training rows.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from tslam.dynamics.bottleneck import Noisy
from tslam.dynamics.composed import ComposedNet, Transition
from tslam.dynamics.steady import one_thread

__all__ = ["Told", "told"]


class Told(NamedTuple):
    """The next sample under z, and what z takes to tell, of every transition."""

    mean: Float[np.ndarray, "n chan"]
    nats: Float[np.ndarray, " n"]


def told(
    net: ComposedNet,
    X: Float[np.ndarray, "n feat"],
    Y: Float[np.ndarray, "n chan"],
    train: Bool[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Told:
    """Write each transition down by its latent.

    Codes take the logarithm of how often training rows use them. A noisy z is drawn, and takes what its
    posterior is away from the Gaussian that training rows have as a whole.

    Args:
        net: A trained net whose z is codes or noisy.
        X: Regressors.
        Y: Next samples; NaN where not measured, and there the result is NaN.
        train: Rows that the prior is learnt from.
        rng: Draws noisy latents.

    Source: Rissanen, "Modeling by shortest data description", Automatica 14(5), 1978; Kingma and Welling,
    "Auto-encoding variational Bayes", arXiv 1312.6114 (the bound).
    """
    whole = np.isfinite(Y).all(axis=1)
    mean, nats = np.full(Y.shape, np.nan), np.full(len(Y), np.nan)
    x, y = torch.tensor(X[whole]), torch.tensor(Y[whole])
    t = Transition(x, y, y, torch.full((len(x), 1), 1 / net.parts.horizon))
    known = train[whole]
    with one_thread(), torch.inference_mode():
        z, _, codes = net.infer(t)
        if codes is not None:
            nats[whole] = _of_codes(codes.numpy(), known)
        elif isinstance(net.squeeze, Noisy):
            centre, log_var = net.posterior(t)
            nats[whole] = _of_posterior(centre.double().numpy(), log_var.double().exp().numpy(), known)
            eps = torch.tensor(rng.normal(size=tuple(centre.shape))).float()
            z = centre + eps * (0.5 * log_var).exp()
        mean[whole] = net.apply_latents(x, z).numpy()
    return Told(mean, nats)


def _of_codes(codes: Int[np.ndarray, "n book"], known: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """−log of the share of training rows that have the entry, half a row added to each; summed over books."""
    out = np.zeros(len(codes))
    for book in codes.T:
        count = np.bincount(book[known], minlength=int(book.max()) + 1) + 0.5
        out -= np.log(count / count.sum())[book]
    return out


def _of_posterior(
    mean: Float[np.ndarray, "n latent"], var: Float[np.ndarray, "n latent"], known: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """KL of each posterior from the Gaussian of all."""
    centre = mean[known].mean(axis=0)
    spread = np.maximum(mean[known].var(axis=0) + var[known].mean(axis=0), 1e-12)
    each = (var + (mean - centre) ** 2) / spread - 1.0 - np.log(var / spread)
    return np.asarray(0.5 * each.sum(axis=1))
