"""Does a latent earn its place? Only by better causal, held-out prediction."""

import numpy as np
from jaxtyping import Float

from tslam.audit.gap import LatentInfo
from tslam.contract.latents import latent_names
from tslam.dynamics.lam import LAM
from tslam.kernels.hac import MeanTest, mean_test
from tslam.select.candidates import Data, keep_latents

__all__ = ["FEWEST_HELD", "earned_latents"]

_LEVEL = 0.05
"""One-sided p below which a latent has earned its place."""
FEWEST_HELD = 50
"""Held-out rows from which a mean and its error say anything."""
_LOUD = 0.5
"""Channels whose loading is at least this share of the largest are named."""


def earned_latents(lam: LAM, data: Data, channels: tuple[str, ...]) -> tuple[LAM, tuple[LatentInfo, ...]]:
    """Order latents by what they are worth, strongest first, and say which have earned their place.

    A latent's worth is the causal held-out log-score of the model with it, minus that of the same model
    without it or of the one fitted without any, whichever says less, tested with HAC errors. (Latents are
    fitted to each other: taking one away can leave a model that is worse than one that never had any.)

    Args:
        lam: The fitted model.
        data: Transitions and split.
        channels: Names of the observations.
    """
    if lam.inverse is None:
        return lam, ()
    tests = _worth(lam, data)
    order = sorted(range(lam.latents), key=lambda i: -tests[i].t)
    ordered = keep_latents(lam, order)
    assert ordered.inverse is not None
    enough = int(data.held.sum()) >= FEWEST_HELD
    infos = []
    for k, (name, i) in enumerate(zip(latent_names(lam.latents), order, strict=True)):
        loading = np.abs(ordered.inverse.B[:, k])
        loud = [channels[j] for j in np.argsort(-loading) if loading[j] >= _LOUD * loading.max()]
        infos.append(
            LatentInfo(
                name=name,
                earned=enough and tests[i].p < _LEVEL,
                gain=1000.0 * tests[i].mean,
                t_value=tests[i].t,
                p_value=tests[i].p,
                persistence=float(ordered.inverse.phi[k]),
                channels=tuple(loud),
            )
        )
    return ordered, tuple(infos)


def _worth(lam: LAM, data: Data) -> list[MeanTest]:
    """What each latent adds to the others, and at most what all of them add to none."""
    c = data.chain

    def tested(gain: Float[np.ndarray, " n"]) -> MeanTest:
        return mean_test(np.where(data.held, gain, np.nan))

    whole = lam.causal_gain(c.X, c.Y, c.start)
    tests = []
    for i in range(lam.latents):
        others = [j for j in range(lam.latents) if j != i]
        rest = keep_latents(lam, others).causal_gain(c.X, c.Y, c.start) if others else np.zeros(len(whole))
        tests.append(min(tested(whole - rest), tested(whole), key=lambda test: test.mean))
    return tests
