"""The action as a latent that jumps and holds, tied to labels, and what it does depends on the state.

    o_{t+1} = f(o_t, a_t, x_t) + (b + C s_t) z_t + e_t,   e Student,   z held, redrawn at a jump

An operator sets a valve and leaves it: a latent that may only drift is read with a lag at every move, and a
misfit of the forward model, which drifts with the state, looks like one. A latent that is held has neither
fault. How a valve acts depends on the level behind it, hence C; bursts and steps of the logged actions leave
heavy tails, hence the Student noise. Labels say where z is on a few holds; expectation-maximisation says the
rest. It begins with what labelled rows say, and takes in the others as it goes.

Source: Nigam, McCallum, Thrun and Mitchell, "Text classification from labeled and unlabeled documents using
EM", Machine Learning 39, 2000 (unlabelled rows with a weight of their own); Lange, Little and Taylor, "Robust
statistical modeling using the t distribution", JASA 84, 1989 (weights).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from tslam.align.lean import forward_of, regressors, relined
from tslam.align.tails import Tails, tails_of
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.inverse import measured_together
from tslam.dynamics.lam import LAM
from tslam.dynamics.products import ProductForward
from tslam.errors import TrainingError
from tslam.kernels.holding import hold_smoother
from tslam.panel.chain import Chain
from tslam.panel.limits import limits_of, standing

__all__ = ["Jumping", "fit_jumping"]

_ROUNDS, _RISE = 18, 8
"""EM steps, and how many of them until unlabelled rows count in full."""
_FIRST = 0.01
"""Weight of an unlabelled row at first."""
_FREEDOM = 4.0
"""Degrees of freedom of the noise."""
_ASTRAY = 3.0
"""Standard errors a channel, whatever the level, from which a row counts less and less."""
_CERTAIN = 0.1
"""How far a label may be from the latent, in standard deviations of the action."""
_GUESSED = 0.1
"""Variance of the first guess."""
_GRID = np.linspace(-3.0, 3.0, 61)
_PRIOR = np.exp(-0.5 * _GRID**2) / np.exp(-0.5 * _GRID**2).sum()
_FINE = np.linspace(-4.0, 4.0, 121)
"""Where a level may be read: finer than it was learnt on, and wider, as an action may do more than it did."""
_FINE_PRIOR = np.exp(-0.5 * _FINE**2) / np.exp(-0.5 * _FINE**2).sum()
_RATE, _RATES = 0.015, (0.003, 0.2)
"""First chance of a jump, and where it may go."""
_RIDGE, _SIDE_RIDGE = 1e-4, 1e-2
"""Penalty per row on the lean regression, and on products and on what the effect owes to the state."""
_MOST_SIDES = 80
"""Signals up to which the effect of the action may depend on them."""
_TYPICAL = 1.48
"""Standard deviations in a median absolute error."""
_PASSES = 3
"""Times that the weights of rows are taken anew while reading."""

_Rows = Float[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Jumping:
    """A model whose latent is the action: action = level + unit · z, and z is held between jumps."""

    forward: LinearForward | ProductForward
    loadings: Float[np.ndarray, "side chan"]
    """What one unit of z adds to o_{t+1}: at the middle of everything, then per unit of each signal."""
    noise: Float[np.ndarray, "chan chan"]
    limits: Float[np.ndarray, "2 chan"]
    """Beyond which a channel stands at a limit, and tells nothing."""
    tails: Tails
    rate: float
    level: float
    unit: float

    def path(self, c: Chain) -> _Rows:
        """The action of each transition, read without any label."""
        return self.level + self.unit * self.latent(c)

    def scaled(self, path: _Rows, rows: Bool[np.ndarray, " n"]) -> tuple["Jumping", _Rows]:
        """The model, and the path that it read, so that the path has mean 0 and variance 1 on some rows."""
        middle, spread = float(path[rows].mean()), float(max(path[rows].std(), 1e-12))
        own = replace(self, level=(self.level - middle) / spread, unit=self.unit / spread)
        return own, (path - middle) / spread

    def latent(self, c: Chain) -> _Rows:
        """The latent of each transition."""
        X, Y = _told(c, self.limits, self.tails)
        left, acts = Y - self.forward.mean(X), _sides(X, len(self.loadings)) @ self.loadings
        none, z = np.zeros(len(left)), np.zeros(len(left))
        weight = np.ones(len(left))
        for _ in range(_PASSES):
            h, J, _ = _measured(left, acts, self.noise, weight)
            z, var, _, _ = hold_smoother(h, J, none, none, c.start, _FINE, _FINE_PRIOR, self.rate)
            weight = _weights(left, acts, self.noise, z, var)
        return z


def fit_jumping(
    lean: LAM,
    c: Chain,
    rows: Bool[np.ndarray, " n"],
    guess: _Rows,
    known: _Rows | None = None,
    *,
    rise: bool = False,
) -> tuple[Jumping, float]:
    """Fit the held latent to labels and to the record.

    Args:
        lean: The lean model, fitted without labels.
        c: Its transitions.
        rows: Transitions to learn from.
        guess: The action of each transition as a first decoder reads it.
        known: The action where it is labelled, NaN elsewhere; None: nowhere.
        rise: Unlabelled rows count little at first: for a guess that owes most to the labels.

    Returns:
        The model, and its log-likelihood per transition: of fits to the same labels from different guesses
        the likeliest is the one to take.

    Raises:
        TrainingError: no finite numbers.
    """
    label = np.full(len(guess), np.nan) if known is None else known
    told = np.isfinite(label) & rows
    first = np.where(told, label, guess)
    level, unit = float(first[rows].mean()), float(max(first[rows].std(), 1e-9))
    try:
        with np.errstate(all="ignore"):
            model, loglik = _climb(lean, c, rows, told, np.where(told, (label - level) / unit, 0.0),
                                   np.clip((first - level) / unit, _GRID[0], _GRID[-1]), rise)  # fmt: skip
    except np.linalg.LinAlgError as error:
        raise TrainingError(
            f"The latent could not be tied to the labels: {error}. Give more labels."
        ) from error
    if not (np.isfinite(loglik) and np.isfinite(model.loadings).all()):
        raise TrainingError(
            "The latent could not be tied to the labels: numbers are not finite. Give more labels."
        )
    return replace(model, level=level, unit=unit), loglik


def _climb(
    lean: LAM,
    c: Chain,
    rows: Bool[np.ndarray, " n"],
    told: Bool[np.ndarray, " n"],
    target: _Rows,
    z: _Rows,
    rise: bool,
) -> tuple[Jumping, float]:
    """Expectation-maximisation from a guess of z."""
    forward = forward_of(lean)
    error = np.abs(c.Y - lean.forward.mean(c.X))[rows]
    limits, tails = limits_of(c.Y[rows], _TYPICAL * np.nanmedian(error, axis=0)), tails_of(c.Y[rows])
    X, seen = _told(c, limits, tails)
    wide = regressors(forward, X)
    F = np.column_stack([wide, np.ones(len(wide))])
    L = _sides(X, 1 + X.shape[1] if X.shape[1] <= _MOST_SIDES else 1)
    seen = np.where(rows[:, None], seen, np.nan)
    use = np.isfinite(seen).any(axis=1)
    Fu, Lu = F[use], L[use]
    Y, doubt = np.nan_to_num(seen[use], nan=0.0), np.zeros((seen.shape[1], seen.shape[1]))
    width, side = F.shape[1], L.shape[1]
    plain = X.shape[1]
    penalty = np.diag(
        np.concatenate(
            [
                np.full(plain, _RIDGE),
                np.full(width - plain - 1, _SIDE_RIDGE),
                [1e-9, 1e-9],
                np.full(side - 1, _SIDE_RIDGE),
            ]
        )
        * len(Y)
    )
    surely, var = told / _CERTAIN**2, np.where(told, _CERTAIN**2, _GUESSED)
    weight, rate = np.isfinite(seen).all(axis=1).astype(float), _RATE
    gram = np.empty((width + side, width + side))
    for k in range(_ROUNDS):
        counts = np.where(told, 1.0, _FIRST ** max(0.0, 1.0 - k / _RISE) if rise else 1.0)[use]
        w = weight[use] * counts * (len(Y) / counts[weight[use] > 0].sum())
        zu, vu = z[use], var[use]
        wF, wz = Fu * w[:, None], Lu * (w * zu)[:, None]
        gram[:width, :width] = wF.T @ Fu
        gram[:width, width:] = Fu.T @ wz
        gram[width:, :width] = gram[:width, width:].T
        gram[width:, width:] = (Lu * (w * (zu**2 + vu))[:, None]).T @ Lu
        W = np.linalg.solve(gram + penalty, np.vstack([wF.T @ Y, wz.T @ Y]))
        left, acts = seen - F @ W[:width], L @ W[width:]
        own = acts[use]
        error = Y - Fu @ W[:width] - own * zu[:, None]
        noise = (error * w[:, None]).T @ error + (own * (w * vu)[:, None]).T @ own
        noise = (noise + doubt) / len(Y) + 1e-9 * np.eye(Y.shape[1])
        weight = _weights(left, acts, noise, z, var)
        h, J, none = _measured(left, acts, noise, weight)
        z, var, gain, jumps = hold_smoother(h, J, target, surely, c.start, _GRID, _PRIOR, rate)
        rate = float(np.clip(jumps, *_RATES))
        Y, doubt = _filled(seen[use], (F @ W[:width] + acts * z[:, None])[use], noise)
    line = relined(forward, W[: width - 1], W[width - 1])
    fitted = Jumping(line, W[width:], noise, limits, tails, rate, 0.0, 1.0)
    return fitted, (none + gain) / len(Y)


def _sides(X: Float[np.ndarray, "n feat"], count: int) -> Float[np.ndarray, "n side"]:
    """1, and the bounded signals that the effect of the action may depend on."""
    return np.column_stack([np.ones(len(X)), 3.0 * np.tanh(X[:, : count - 1] / 3.0)])


def _told(c: Chain, limits: Float[np.ndarray, "2 chan"], tails: Tails) -> tuple[np.ndarray, np.ndarray]:
    """Regressors and targets with long tails told by logarithms; what stands at a limit is no target."""
    X, size = c.X.copy(), c.Y.shape[1]
    X[:, :size] = np.where(c.usable[:, None], tails(X[:, :size]), 0.0)
    return X, tails(np.where(standing(c.Y, limits), np.nan, c.Y))


def _filled(
    seen: Float[np.ndarray, "n chan"],
    expected: Float[np.ndarray, "n chan"],
    noise: Float[np.ndarray, "chan chan"],
) -> tuple[Float[np.ndarray, "n chan"], Float[np.ndarray, "chan chan"]]:
    """What was measured, with what is to be expected of the rest beside it; and how unsure that is in all."""
    out, doubt = seen.copy(), np.zeros_like(noise)
    for known, rows in measured_together(np.isfinite(seen)):
        if not known.all():
            lost = ~known
            turned = np.linalg.solve(noise[np.ix_(known, known)], noise[np.ix_(known, lost)])
            missed = (seen - expected)[np.ix_(rows, known)] @ turned
            out[np.ix_(rows, lost)] = expected[np.ix_(rows, lost)] + missed
            left = noise[np.ix_(lost, lost)] - noise[np.ix_(lost, known)] @ turned
            doubt[np.ix_(lost, lost)] += len(rows) * left
    return out, doubt


def _weights(left: np.ndarray, acts: np.ndarray, noise: np.ndarray, z: _Rows, var: _Rows) -> _Rows:
    """How much each row counts: little where it is far from what is expected, and nothing far astray.

    Under Student noise alone a row that no level explains would still ask for the level that is least wrong,
    and a stretch of such rows would get it.
    """
    out = np.ones(len(left))
    for pattern, rows in measured_together(np.isfinite(left)):
        if pattern.any():
            inverse = np.linalg.inv(noise[np.ix_(pattern, pattern)])
            own, r = acts[np.ix_(rows, pattern)], left[np.ix_(rows, pattern)]
            turned, error = own @ inverse, r - own * z[rows, None]
            power = (turned * own).sum(axis=1)
            far = ((error @ inverse) * error).sum(axis=1) + power * var[rows]
            least = ((r @ inverse) * r).sum(axis=1) - (turned * r).sum(axis=1) ** 2 / np.maximum(power, 1e-12)
            astray = _ASTRAY**2 * pattern.sum() / np.maximum(least, 1e-12)
            out[rows] = (_FREEDOM + pattern.sum()) / (_FREEDOM + far) * np.minimum(astray, 1.0) ** 2
    return out


def _measured(
    left: np.ndarray, acts: np.ndarray, noise: np.ndarray, weight: _Rows
) -> tuple[_Rows, _Rows, float]:
    """Bᵀ R⁻¹ r and Bᵀ R⁻¹ B of each row, and the log-likelihood of all rows at z = 0, up to a constant."""
    h, J, plain = np.zeros(len(left)), np.zeros(len(left)), 0.0
    for pattern, rows in measured_together(np.isfinite(left)):
        if not pattern.any():
            continue
        R, own, r, w = (
            noise[np.ix_(pattern, pattern)],
            acts[np.ix_(rows, pattern)],
            left[np.ix_(rows, pattern)],
            weight[rows],
        )
        turned = own @ np.linalg.inv(R)
        h[rows], J[rows] = w * (turned * r).sum(axis=1), w * (turned * own).sum(axis=1)
        far = (r * np.linalg.solve(R, r.T).T).sum(axis=1)
        spare = pattern.sum() * np.log(w) - _FREEDOM * (w - np.log(w))
        plain += 0.5 * float((spare - w * far).sum() - len(rows) * np.linalg.slogdet(R)[1])
    return h, J, plain
