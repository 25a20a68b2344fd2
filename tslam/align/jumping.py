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
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.inverse import measured_together
from tslam.dynamics.lam import LAM
from tslam.dynamics.products import ProductForward
from tslam.errors import TrainingError
from tslam.kernels.holding import hold_smoother
from tslam.panel.chain import Chain

__all__ = ["Jumping", "fit_jumping"]

_ROUNDS, _RISE = 18, 8
"""EM steps, and how many of them until unlabelled rows count in full."""
_FIRST = 0.01
"""Weight of an unlabelled row at first."""
_FREEDOM = 4.0
"""Degrees of freedom of the noise."""
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
        left, acts = c.Y - self.forward.mean(c.X), _sides(c.X, len(self.loadings)) @ self.loadings
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
    return Jumping(model.forward, model.loadings, model.noise, model.rate, level, unit), loglik


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
    wide = regressors(forward, c.X)
    F = np.column_stack([wide, np.ones(len(wide))])
    L = _sides(c.X, 1 + c.X.shape[1] if c.X.shape[1] <= _MOST_SIDES else 1)
    seen = np.where(rows[:, None], c.Y, np.nan)
    use = np.isfinite(seen).all(axis=1)
    Fu, Lu, Y = F[use], L[use], seen[use]
    width, side = F.shape[1], L.shape[1]
    plain = c.X.shape[1]
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
    weight, rate = np.ones(len(z)), _RATE
    gram = np.empty((width + side, width + side))
    for k in range(_ROUNDS):
        counts = np.where(told, 1.0, _FIRST ** max(0.0, 1.0 - k / _RISE) if rise else 1.0)[use]
        w = weight[use] * counts * (len(Y) / counts.sum())
        zu, vu = z[use], var[use]
        wF, wz = Fu * w[:, None], Lu * (w * zu)[:, None]
        gram[:width, :width] = wF.T @ Fu
        gram[:width, width:] = Fu.T @ wz
        gram[width:, :width] = gram[:width, width:].T
        gram[width:, width:] = (Lu * (w * (zu**2 + vu))[:, None]).T @ Lu
        W = np.linalg.solve(gram + penalty, np.vstack([wF.T @ Y, wz.T @ Y]))
        left, acts = seen - F @ W[:width], L @ W[width:]
        error, own = left[use] - acts[use] * zu[:, None], acts[use]
        noise = (error * w[:, None]).T @ error + (own * (w * vu)[:, None]).T @ own
        noise = noise / len(Y) + 1e-9 * np.eye(Y.shape[1])
        weight = _weights(left, acts, noise, z, var)
        h, J, none = _measured(left, acts, noise, weight)
        z, var, gain, jumps = hold_smoother(h, J, target, surely, c.start, _GRID, _PRIOR, rate)
        rate = float(np.clip(jumps, *_RATES))
    fitted = Jumping(relined(forward, W[: width - 1], W[width - 1]), W[width:], noise, rate, 0.0, 1.0)
    return fitted, (none + gain) / len(Y)


def _sides(X: Float[np.ndarray, "n feat"], count: int) -> Float[np.ndarray, "n side"]:
    """1, and the bounded signals that the effect of the action may depend on."""
    return np.column_stack([np.ones(len(X)), 3.0 * np.tanh(X[:, : count - 1] / 3.0)])


def _weights(left: np.ndarray, acts: np.ndarray, noise: np.ndarray, z: _Rows, var: _Rows) -> _Rows:
    """How much each row counts under Student noise: little where it is far from what is expected."""
    out = np.ones(len(left))
    for pattern, rows in measured_together(np.isfinite(left)):
        if pattern.any():
            inverse = np.linalg.inv(noise[np.ix_(pattern, pattern)])
            own = acts[np.ix_(rows, pattern)]
            error = left[np.ix_(rows, pattern)] - own * z[rows, None]
            far = ((error @ inverse) * error).sum(axis=1) + ((own @ inverse) * own).sum(axis=1) * var[rows]
            out[rows] = (_FREEDOM + pattern.sum()) / (_FREEDOM + far)
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
