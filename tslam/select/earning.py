"""Does a latent earn its place? Only by better causal, held-out prediction."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from tslam.audit.gap import LatentInfo
from tslam.contract.latents import latent_names
from tslam.dynamics.forward import LinearForward, fit_ridge
from tslam.dynamics.held import fit_held_from
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM, log_score
from tslam.dynamics.linear import residual_covariance
from tslam.dynamics.products import ProductForward, widened
from tslam.kernels.hac import MeanTest, mean_test
from tslam.select.candidates import PRODUCT_RIDGE, Data, keep_latents

__all__ = ["FEWEST_HELD", "described", "earned_latents"]

_LEVEL = 0.05
"""One-sided p below which a latent has earned its place."""
FEWEST_HELD = 50
"""Held-out rows from which a mean and its error say anything."""
_LEAST_RIDGE = 1e-9
"""Keeps the regression solvable where latents are copies of each other."""
_LOUD = 0.5
"""Channels whose loading is at least this share of the largest are named."""


def earned_latents(
    lam: LAM, data: Data, channels: tuple[str, ...], ridge: float
) -> tuple[LAM, tuple[LatentInfo, ...]]:
    """Order latents by what they are worth, strongest first, and say which have earned their place.

    A latent's worth is the causal held-out log-score that it adds to the stronger ones, tested with HAC
    errors: the score of the model with them all and it, minus that of the model with them alone, fitted
    again. The weakest is taken away first. What the latents are worth adds up to what all of them are.
    Latents that another model reads are worth what they add to a regression on history and inputs.

    Args:
        lam: The fitted model.
        data: Transitions and split.
        channels: Names of the observations.
        ridge: Penalty of the regressions that are fitted again.
    """
    if lam.reader.inverse is None:
        return lam, ()
    worth = (_worth if lam.told is None else _worth_read)(lam, data, max(ridge, _LEAST_RIDGE))
    ordered = keep_latents(lam, [i for i, _ in worth])
    assert ordered.reader.inverse is not None
    return ordered, described(ordered.reader.inverse, [test for _, test in worth], data, channels)


def described(
    inverse: HeldInverse, worth: list[MeanTest], data: Data, channels: tuple[str, ...]
) -> tuple[LatentInfo, ...]:
    """What each latent is worth, whether that earns it a place, how long it lasts, and what it drives."""
    enough = int(data.held.sum()) >= FEWEST_HELD
    infos = []
    for k, (name, test) in enumerate(zip(latent_names(inverse.latents), worth, strict=True)):
        loading = np.abs(inverse.B[:, k])
        loud = [channels[j] for j in np.argsort(-loading) if loading[j] >= _LOUD * loading.max()]
        infos.append(
            LatentInfo(
                name=name,
                earned=enough and test.p < _LEVEL,
                gain=1000.0 * test.mean,
                t_value=test.t,
                p_value=test.p,
                persistence=float(inverse.phi[k]),
                channels=tuple(loud),
            )
        )
    return tuple(infos)


def _worth(lam: LAM, data: Data, ridge: float) -> list[tuple[int, MeanTest]]:
    """What each latent adds to the stronger ones, strongest first."""
    assert lam.inverse is not None
    kept = list(range(lam.latents))
    model = _Nested(*_regressed(lam, data), lam.inverse)
    score = _score(model, lam, data)
    found = []
    while len(kept) > 1:
        i = _weakest(model, lam, data, ridge)
        if model.inverse.phi[i]:
            model = _without(model, i, data, ridge)
            rest = _score(model, lam, data)
        else:
            # no past tells of a latent without memory: without it every prediction is the same
            model, rest = replace(model, inverse=_absorbed(model.inverse, i)), score
        found.append((kept.pop(i), mean_test(np.where(data.held, score - rest, np.nan))))
        score = rest
    none = log_score(data.chain.Y - lam.baseline.mean(data.chain.X), lam.baseline_cov)
    alone = score - none if model.inverse.phi[0] else np.zeros(len(score))
    found.append((kept[0], mean_test(np.where(data.held, alone, np.nan))))
    return found[::-1]


def _worth_read(lam: LAM, data: Data, ridge: float) -> list[tuple[int, MeanTest]]:
    """The same of latents that another model reads: what they add, as known at t, to what history tells.

    That model was kept from carrying levels, so that in it any latent would seem to be worth much.
    """
    reader, c = lam.reader, data.chain
    assert reader.inverse is not None
    known = reader.inverse.path(c.Y - reader.forward.mean(c.X), c.start, "filtered").prior
    wide = reader.forward if isinstance(reader.forward, ProductForward) else None
    F = c.X if wide is None else widened(c.X, wide.products, wide.current)
    penalty = np.full(F.shape[1] + reader.latents, ridge)
    penalty[c.X.shape[1] : F.shape[1]] = max(PRODUCT_RIDGE, ridge)
    target = c.Y - lam.baseline.mean(c.X)

    def left(kept: list[int]) -> Float[np.ndarray, "n chan"]:
        seen = np.column_stack([F, known[:, kept]])
        return np.asarray(target - fit_ridge(seen, target, data.train, penalty[: seen.shape[1]]).mean(seen))

    cov = residual_covariance(left([]), data.train)
    kept, found = list(range(reader.latents)), []
    now = log_score(left(kept), cov)
    while kept:
        without = {i: log_score(left([k for k in kept if k != i]), cov) for i in kept}
        weakest = max(without, key=lambda i: float(without[i][data.held].mean()))
        found.append((weakest, mean_test(np.where(data.held, now - without[weakest], np.nan))))
        kept.remove(weakest)
        now = without[weakest]
    return found[::-1]


@dataclass(frozen=True, eq=False)
class _Nested:
    """Some of the latents, the regression that goes with them, and what it leaves to them."""

    target: Float[np.ndarray, "n chan"]
    forward: LinearForward
    left: Float[np.ndarray, "n chan"]
    inverse: HeldInverse


def _regressed(
    lam: LAM, data: Data
) -> tuple[Float[np.ndarray, "n chan"], LinearForward, Float[np.ndarray, "n chan"]]:
    """What is regressed on history and inputs, the regression, and what it leaves.

    Of a linear model that is the change from o_t on; of any other, a correction of what it predicts.
    """
    X, Y = data.chain.X, data.chain.Y
    if isinstance(lam.forward, LinearForward):
        change = lam.forward.weights - np.eye(*lam.forward.weights.shape)
        return Y - X[:, : Y.shape[1]], LinearForward(change, lam.forward.bias), Y - lam.forward.mean(X)
    left = Y - lam.forward.mean(X)
    return left, LinearForward(np.zeros((X.shape[1], Y.shape[1])), np.zeros(Y.shape[1])), left


def _score(model: _Nested, lam: LAM, data: Data) -> Float[np.ndarray, " n"]:
    """Log-score of causal predictions under the covariance that every number of latents is scored under."""
    prior = model.inverse.path(model.left, data.chain.start, "filtered").prior
    return log_score(model.left - prior @ model.inverse.B.T, lam.baseline_cov)


def _weakest(model: _Nested, lam: LAM, data: Data, ridge: float) -> int:
    """The latent whose path adds least to those of the others, the regression fitted to them again."""
    prior = model.inverse.path(model.left, data.chain.start, "filtered").prior
    rest = []
    for i, phi in enumerate(model.inverse.phi):
        if not phi:
            return i
        seen = np.column_stack([data.chain.X, np.delete(prior, i, axis=1)])
        again = fit_ridge(seen, model.target, data.train, ridge)
        rest.append(log_score(model.target - again.mean(seen), lam.baseline_cov)[data.held].mean())
    return int(np.argmax(rest))


def _without(model: _Nested, i: int, data: Data, ridge: float) -> _Nested:
    """The other latents and their regression, fitted again from where they are.

    A regression that was fitted together with a latent leaves to it what history could have told. With the
    latent merely taken away it predicts worse than no latents at all, and any latent would seem to be worth
    much.
    """
    c = data.chain
    fit = fit_held_from(
        c.X, model.target, data.train, c.start,
        forward=model.forward, inverse=_absorbed(model.inverse, i), ridge=ridge,
    )  # fmt: skip
    return _Nested(model.target, fit.forward, model.target - fit.forward.mean(c.X), fit.inverse)


def _absorbed(inverse: HeldInverse, i: int) -> HeldInverse:
    """The latents but one, whose variance counts as noise."""
    B, direction = np.delete(inverse.B, i, axis=1), inverse.B[:, i]
    full = np.any(inverse.R - np.diag(np.diag(inverse.R))) or not inverse.phi[i]
    more = np.outer(direction, direction) if full else np.diag(direction**2)
    return HeldInverse(B, inverse.R + more, np.delete(inverse.phi, i))
