"""Which part of what happened is explained by history, logged actions, the outside world, and latents?

Shares of E[(o_{t+1} − o_t)²] per channel: what each part, added in turn, takes off the held-out error,
starting from persistence. History comes first; logged actions and exogenous variables are added in both
orders and averaged (the Shapley value of two players); latents come last, so that they get only what
nothing logged explains. A latent's level at t is read from all transitions, t's own among them: only that
one tells at which of two rows a move was made, and without it half of every move would stay unexplained. So
that no noise in o_{t+1} passes for an explanation of it, the error is the expected one over all levels that
the data leave open, E[(r − Bz)² | data] = (r − Bm)² + B P Bᵀ: its mean is what the true level would leave.

Where a plant bends, most of a hidden action does not show in the row in which it moves: gains and time
constants are others at another level for as long as it is held. So the rich model is laid again with a level
as one more input, products and all, read for each row from the other rows between two moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tslam.audit.causal import Lean
from tslam.audit.cross_fit import LINEAR_PENALTIES, grams, penalties
from tslam.audit.gap import Attribution, Share
from tslam.audit.ground import Ground
from tslam.audit.levels import Levels
from tslam.audit.move_odds import move_odds
from tslam.audit.moves import Moves
from tslam.dynamics.held_step import Problem
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.segments import levels_from_others
from tslam.seeding import generator

__all__ = ["WINDOWS", "Hidden", "attribute"]

WINDOWS = 6
"""Windows of equal length that the shares are told for, beside the whole record."""
_BLOCKS = 60
"""Blocks of the bootstrap."""
_DRAWS = 400
_PARTS = ("history", "actions", "exogenous", "latents")


@dataclass(frozen=True, eq=False)
class _Errors:
    """Squared held-out errors of nested models, per transition and channel."""

    persistence: Float[np.ndarray, "n chan"]
    parts: Float[np.ndarray, "part n chan"]
    """What each part takes off the squared error of a transition."""


@dataclass(frozen=True, eq=False)
class Hidden:
    """What stands for what nothing logged."""

    lean: Lean | None = None
    """An adequate lean model with one held latent."""
    levels: Levels | None = None
    """Held latents beside a model with products, of which only those named count."""
    named: tuple[int, ...] = ()
    """Latents of the first fit of ``levels``."""
    moves: Moves | None = None
    """Unlogged moves."""
    path: Float[np.ndarray, " n"] | None = None
    """A level by itself: of an input beside noisy sensors, or of a lean model that falls short."""

    def beside(self, other: "Hidden") -> "Hidden":
        """What stands for both: each way this one's, or the other's where it has none; every latent named."""
        return Hidden(
            lean=self.lean or other.lean,
            levels=self.levels or other.levels,
            named=tuple(sorted({*self.named, *other.named})),
            moves=self.moves or other.moves,
            path=other.path if self.path is None else self.path,
        )


def attribute(ground: Ground, hidden: Hidden, *, seed: int) -> tuple[Attribution, ...]:
    """Shares per channel, of all channels together, and of all channels in windows of time.

    Args:
        ground: The cross-fitted rich model.
        hidden: What stands for what nothing logged.
        seed: Of the bootstrap.
    """
    errors = _nested(ground, hidden)
    names = ground.panel.channels
    everywhere = np.ones(ground.n, bool)
    out = [_shares(ground, errors, None, everywhere, None, seed)]
    out += [_shares(ground, errors, i, everywhere, name, seed) for i, name in enumerate(names)]
    order = np.argsort(ground.panel.time[ground.rows], kind="stable")
    for part in np.array_split(order, WINDOWS):
        if part.size >= 10:
            inside = np.zeros(ground.n, bool)
            inside[part] = True
            out.append(_shares(ground, errors, None, inside, None, seed, windowed=True))
    return tuple(out)


def _nested(ground: Ground, hidden: Hidden) -> _Errors:
    """Errors of: history; history with each of actions and exogenous; with both; with latents too."""
    panel, wide = ground.panel, ground.regressors
    acts = {f.name for f in panel.action_features}
    exos = {f.name for f in panel.exog_features}
    every = np.arange(ground.F.shape[1])
    without_a, without_x = wide.without(acts), wide.without(exos)
    neither = np.intersect1d(without_a, without_x)
    history = _errors(ground, neither)
    with_a, with_x = _errors(ground, without_x), _errors(ground, without_a)
    both = _errors(ground, every)
    actions = 0.5 * ((history - with_a) + (with_x - both))
    exogenous = 0.5 * ((history - with_x) + (with_a - both))
    chan = ground.Y.shape[1]
    now = ground.X[:, :chan]
    persistence = np.where(ground.seen, (ground.Y - now) ** 2, 0.0)
    return _Errors(
        persistence, np.stack([persistence - history, actions, exogenous, _in_latents(ground, hidden, both)])
    )


def _errors(ground: Ground, keep: np.ndarray) -> Float[np.ndarray, "n chan"]:
    """Squared held-out error of the rich model on some of its columns.

    Each channel takes the penalties that serve these columns best: what steadies the whole model need not
    steady a part of it, and history alone tells an action that is held by small differences of large numbers.
    """
    tried = penalties(ground.X.shape[1], ground.regressors.inputs_in_products, LINEAR_PENALTIES)
    gram = [G[np.ix_(keep, keep)] for G in ground.gram]
    return _least(ground, ground.F[:, keep], gram, [p[keep] for p in (*tried.common, *tried.own)])


def _least(
    ground: Ground,
    F: Float[np.ndarray, "n wide"],
    gram: Sequence[Float[np.ndarray, "wide wide"]],
    tried: Sequence[Float[np.ndarray, " wide"]],
) -> Float[np.ndarray, "n chan"]:
    """Squared held-out error under those of the penalties that leave least on a channel."""
    best = np.full_like(ground.Y, np.inf)
    crosses = [F[split.train].T @ ground.Y[split.train] for split in ground.splits]
    for ridge in tried:
        out = np.zeros_like(ground.Y)
        for split, G, cross in zip(ground.splits, gram, crosses, strict=True):
            W = np.linalg.solve(G + np.diag(ridge * int(split.train.sum())), cross)
            out[split.held] = (ground.Y[split.held] - F[split.held] @ W) ** 2
        better = out.sum(axis=0) < best.sum(axis=0)
        best[:, better] = out[:, better]
    return np.where(ground.seen, best, 0.0)


def _in_latents(
    ground: Ground, hidden: Hidden, both: Float[np.ndarray, "n chan"]
) -> Float[np.ndarray, "n chan"]:
    """What is hidden takes off the error of the rich model: on each channel by what takes most.

    Each is held out and falls short in its own way: a level of what moves without a trace, moves of what only
    lasts, a lean model of what is multiplied.
    """
    told = []
    if hidden.lean is not None:
        told.append(both - _with_latents(ground, hidden.lean))
    if hidden.levels is not None and hidden.named:
        told.append(_in_levels(ground, hidden.levels, hidden.named, both))
    if hidden.moves is not None:
        told.append(_in_moves(ground, hidden.moves))
    if hidden.path is not None:
        told.append(_in_path(ground, hidden.path))
    if not told:
        return np.zeros_like(both)
    levels = _between_moves(ground, hidden.moves)
    told += [both - _with_level(ground, level) for level in levels]
    most = np.argmax([gain.sum(axis=0) for gain in told], axis=0)
    return np.stack(told)[most, :, np.arange(both.shape[1])].T


def _in_moves(ground: Ground, moves: Moves) -> Float[np.ndarray, "n chan"]:
    """What unlogged moves take off the expected squared error, wherever one may have been made."""
    told = move_odds(ground, moves)
    step = told.mean[:, None] * moves.direction
    gain = 2.0 * ground.residual * step - step**2 - told.variance * moves.direction**2
    return np.where(ground.seen, told.odds[:, None] * gain, 0.0)


def _between_moves(ground: Ground, moves: Moves | None) -> list[Float[np.ndarray, " n"]]:
    """Levels between moves, each row's read from other rows: begun from blocks of rows, and from found moves.

    What is found depends on the beginning: blocks miss what is seldom moved among much that bends.
    """
    raw = np.where(ground.seen, ground.Y, np.nan)
    every, ridge = np.ones(ground.n, bool), ground.penalty[:-1]
    problem = Problem(ground.F[:, :-1], raw, every, ground.start, ridge, "full")
    found = [levels_from_others(problem)]
    if moves is not None:
        found.append(levels_from_others(problem, np.isin(np.arange(ground.n), moves.rows)))
    return [level for level in found if level is not None]


def _with_level(ground: Ground, level: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n chan"]:
    """Squared held-out error of the rich model with a level as one more input, products and all."""
    z = (level / max(float(level.std()), 1e-9))[:, None]
    wide, inputs = ground.X.shape[1], ground.regressors.inputs_in_products
    signals = 3.0 * np.tanh(ground.X[:, ground.regressors.current] / 3.0)
    further = np.column_stack([z * signals, np.tanh(z) ** 2])
    F = np.column_stack([ground.X, z, ground.F[:, wide:-1], further, np.ones(ground.n)])
    with_it = 1 + (ground.regressors.current >= ground.regressors.inputs_from)
    tried = penalties(wide + 1, np.concatenate([inputs, with_it, [2]]), LINEAR_PENALTIES)
    return _least(ground, F, grams(F, ground.splits), (*tried.common, *tried.own))


def _in_path(ground: Ground, path: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n chan"]:
    """What a path takes off the squared error of the rich model, per unit as learnt from the other blocks.

    A lower bound: history carries part of what is held.
    """
    z, left = path[:, None] - path.mean(), ground.residual
    out = np.zeros_like(left)
    for split in ground.splits:
        own = z[split.train]
        unit = (own.T @ left[split.train]) / max(float((own**2).sum()), 1e-30)
        out[split.held] = left[split.held] ** 2 - (left[split.held] - z[split.held] * unit) ** 2
    return np.where(ground.seen, out, 0.0)


def _in_levels(
    ground: Ground, levels: Levels, named: tuple[int, ...], unlike: Float[np.ndarray, "n chan"]
) -> Float[np.ndarray, "n chan"]:
    """What the named latents take off the expected squared error that the other latents leave.

    At most what all of them take off the error of the rich model, channel by channel: taken from a model that
    was fitted with it, a latent leaves a gap that history would have filled.

    Args:
        ground: The rich model.
        levels: Held latents beside a model with products.
        named: Those that stand for something hidden.
        unlike: Squared held-out errors of the rich model, which has no latent.
    """
    without, within = np.zeros_like(ground.Y), np.zeros_like(ground.Y)
    at = np.searchsorted(levels.rows, ground.rows)
    for test, fit, twins in zip(levels.held, levels.fits, levels.twins, strict=True):
        own = {int(twins[k]) for k in named}
        rest = [k for k in range(fit.inverse.latents) if k not in own]
        left = levels.Y - fit.forward.mean(levels.F)
        others = _expected(left, fit.inverse.only(rest), levels.start) if rest else np.nan_to_num(left) ** 2
        mine = test[at]
        without[mine] = others[at][mine]
        within[mine] = _expected(left, fit.inverse, levels.start)[at][mine]
    gain = np.where(ground.seen, without - within, 0.0)
    most = np.where(ground.seen, unlike - within, 0.0)
    most[:, most.sum(axis=0) < 0.0] = 0.0
    return np.where(gain.sum(axis=0) > most.sum(axis=0), most, gain)


def _expected(
    left: Float[np.ndarray, "n chan"], inverse: HeldInverse, start: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, "n chan"]:
    """Expected squared error over all levels that the data leave open."""
    path, B = inverse.path(left, start), inverse.B
    return np.asarray(np.nan_to_num(left - path.mean @ B.T) ** 2 + np.einsum("ck,tkl,cl->tc", B, path.cov, B))


def _with_latents(ground: Ground, lean: Lean) -> Float[np.ndarray, "n chan"]:
    """Expected squared error of the lean model given its latent, fitted on the other half of the blocks."""
    out = np.zeros_like(ground.Y)
    at = np.searchsorted(lean.rows, ground.rows)
    for test, fit in zip(lean.held, lean.with_latent, strict=True):
        gone = _expected(lean.Y - fit.forward.mean(lean.F), fit.inverse, lean.start)
        out[test[at]] = gone[at][test[at]]
    return np.where(ground.seen, out, 0.0)


def _shares(
    ground: Ground,
    errors: _Errors,
    channel: int | None,
    rows: Bool[np.ndarray, " n"],
    name: str | None,
    seed: int,
    *,
    windowed: bool = False,
) -> Attribution:
    base = np.maximum((errors.persistence * ground.seen).sum(axis=0), 1e-30)
    if channel is None:
        # every channel counts alike, whatever its scale
        weight = 1.0 / base
        whole = (errors.persistence[rows] * weight).sum(axis=1)
        parts = (errors.parts[:, rows] * weight).sum(axis=2)
    else:
        whole = errors.persistence[rows, channel]
        parts = errors.parts[:, rows, channel]
    blocks = np.array_split(np.arange(len(whole)), min(_BLOCKS, max(2, len(whole) // 5)))
    top = np.array([[parts[k][b].sum() for b in blocks] for k in range(len(_PARTS))])
    bottom = np.array([whole[b].sum() for b in blocks])
    draws = generator(seed, "attribution").integers(0, len(blocks), (_DRAWS, len(blocks)))
    spread = top[:, draws].sum(axis=2) / np.maximum(bottom[draws].sum(axis=1), 1e-30)
    value = top.sum(axis=1) / max(float(bottom.sum()), 1e-30)
    low, high = np.quantile(spread, [0.05, 0.95], axis=1)
    shares = {
        part: Share(value=float(value[k]), low=float(low[k]), high=float(high[k]))
        for k, part in enumerate(_PARTS)
    }
    window = None
    if windowed:
        inside = ground.rows[rows]
        when = ground.panel.time[inside]
        stamps = ground.panel.stamps(inside[[when.argmin(), when.argmax()]]).to_list()
        window = (stamps[0], stamps[1])
    return Attribution(channel=name, window=window, rows=int(rows.sum()), **shares)
