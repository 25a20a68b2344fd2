"""The ground that every question stands on: a rich forward model, cross-fitted on interleaved blocks.

A forward model that is too poor, or one that is over-fitted, makes any latent look useful. So the
residuals asked about here come from a model with several lags and products of signals, and each was
predicted from blocks of time that it is not in. Folds are interleaved because actions move seldom: a
half-and-half split would judge the model at levels it never saw.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.audit.cross_fit import LINEAR_PENALTIES, cross_fitted, filled, grams, log_error, penalties
from tslam.audit.student import robust_scatter
from tslam.dynamics.products import Products, widened
from tslam.dynamics.sensed import sensed_state
from tslam.panel.chain import Chain, Structure, chain
from tslam.panel.panel import Panel
from tslam.panel.split import Split, folds
from tslam.panel.windows import bounds, carry

__all__ = [
    "FOLDS",
    "Ground",
    "Regressors",
    "eased",
    "held_loss",
    "lay_ground",
    "own_history",
]

FOLDS = 4
LAGS, LONG = 4, 6
"""Past samples of the rich model: sensor noise and unmeasured state make one sample too few. The second where
it predicts better."""
_LONGER = 0.01
"""Log of the squared error by which the longer history has to predict better: it does on three of six
recorded sets and one of 52 simulated records (docs/notes, steps at extremes)."""

SENSED_LAGS = 2
"""Past estimates of the rich model where they are cleared of sensor noise: they sum up what came before."""
_BETTER = 0.01
"""Log of the squared error by which the cleared past has to predict better than the plain one."""


@dataclass(frozen=True, eq=False)
class Regressors:
    """Columns of the rich model: lagged signals, products of current ones, a constant."""

    terms: tuple[tuple[str, int], ...]
    inputs_from: int
    """First column of ``X`` that is an input, not history."""
    current: Int[np.ndarray, " signal"]
    """Columns of ``X`` at offset 0: what is multiplied."""
    products: Products

    def of(self, X: Float[np.ndarray, "n feat"]) -> Float[np.ndarray, "n wide"]:
        """Regressors of transitions."""
        return np.column_stack([widened(X, self.products, self.current), np.ones(len(X))])

    @property
    def inputs_in_products(self) -> Int[np.ndarray, " pair"]:
        """How many of the two factors of each product are inputs."""
        return np.asarray((self.current >= self.inputs_from)[self.products.pairs].sum(axis=1))

    def columns_of(self, names: set[str]) -> Int[np.ndarray, " some"]:
        """Columns of ``X`` that are inputs with the given channel names, at any offset."""
        return np.array(
            [i for i, (name, _) in enumerate(self.terms) if i >= self.inputs_from and name in names], np.int64
        )

    def without(self, names: set[str]) -> Int[np.ndarray, " some"]:
        """Columns of the wide matrix in which the given input channels have no part."""
        gone = set(self.columns_of(names).tolist())
        taboo = [k for k, i in enumerate(self.current) if int(i) in gone]
        touched = np.isin(self.products.pairs, taboo).any(axis=1)
        lagged = [i for i in range(len(self.terms)) if i not in gone]
        pairs = len(self.products.pairs)
        multiplied = len(self.terms) + np.flatnonzero(~touched)
        return np.concatenate([lagged, multiplied, [len(self.terms) + pairs]]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Ground:
    """Cross-fitted residuals of the rich model, and what it takes to ask further."""

    panel: Panel
    chain: Chain
    rows: Int[np.ndarray, " n"]
    """Grid row t of each transition."""
    start: Bool[np.ndarray, " n"]
    """Does a new unbroken stretch begin here?"""
    X: Float[np.ndarray, "n feat"]
    F: Float[np.ndarray, "n wide"]
    Y: Float[np.ndarray, "n chan"]
    """o_{t+1}, its holes filled with the model's own prediction, so that they say nothing."""
    seen: Bool[np.ndarray, "n chan"]
    regressors: Regressors
    penalty: Float[np.ndarray, " wide"]
    """Per row of data: what serves all channels best."""
    ridge: Float[np.ndarray, "wide chan"]
    """And what serves each best: its weights are under these."""
    loss: float
    """Log of the squared error under the first: of grounds with other inputs, as each channel's own choice
    among more products flatters the one that has more of them."""
    splits: tuple[Split, ...]
    weights: tuple[Float[np.ndarray, "wide chan"], ...]
    residual: Float[np.ndarray, "n chan"]
    """Held-out residuals; 0 where not measured."""
    cov: Float[np.ndarray, "chan chan"]
    """Robust scatter of the residuals."""
    trust: Float[np.ndarray, " n"]
    """Student weight of each transition: below 1 where the residual is an outlier."""
    gram: tuple[Float[np.ndarray, "wide wide"], ...]
    """FᵀF over the training rows of each fold."""
    past: Float[np.ndarray, "rows chan"] | None
    """What stands for each observation in the history, on the grid rows; None: its last measured value."""
    plain: "Ground | None" = None
    """The same transitions with measured values for a history, where this ground's is cleared of noise."""

    @property
    def n(self) -> int:
        """Number of transitions."""
        return len(self.rows)

    @property
    def within(self) -> frozenset[str]:
        """Input columns that are seen at t + 1: they act within the interval."""
        early = {name for name, offset in self.regressors.terms if offset == 1}
        features = (*self.panel.action_features, *self.panel.exog_features)
        return frozenset(f.column for f in features if f.name in early)

    def held(self, values: Float[np.ndarray, "rows feat"]) -> Float[np.ndarray, "n feat"]:
        """Values on the grid rows, at the transitions; the last one before it where one is lost."""
        return np.asarray(carry(values, bounds(self.panel)[0])[self.rows])

    def logged(self, column: str) -> Float[np.ndarray, "n feat"]:
        """Log of an action column at the transitions, held where a value is lost."""
        return self.held(self.panel.actions[:, self.panel.features_of(column)])

    def white(self) -> Float[np.ndarray, "n chan"]:
        """Residuals with unit scatter."""
        return self.residual @ np.linalg.cholesky(np.linalg.inv(self.cov))

    def direction(self, names: list[str], delta: float = 0.5) -> Float[np.ndarray, "n chan latent"]:
        """What each transition would gain per scaled unit of each named input channel.

        Central differences of the held-out prediction, all lags of the channel moved together: a held
        offset between what was done and what was logged.
        """
        columns = [self.regressors.columns_of({name}) for name in names]
        return np.stack([self.response(at, delta) for at in columns], axis=2)

    def response(self, at: Int[np.ndarray, " some"], delta: float = 0.5) -> Float[np.ndarray, "n chan"]:
        """What each transition would gain per unit of some columns of ``X``, moved together."""
        up, down = self.X.copy(), self.X.copy()
        up[:, at] += delta
        down[:, at] -= delta
        return self.led_to(up, down, np.arange(self.n)) / (2.0 * delta)

    def led_to(
        self,
        X: Float[np.ndarray, "some feat"],
        other: Float[np.ndarray, "some feat"],
        at: Int[np.ndarray, " some"],
    ) -> Float[np.ndarray, "some chan"]:
        """What is predicted of transitions more from some signals than from others, held out."""
        change = self.regressors.of(X) - self.regressors.of(other)
        out = np.zeros((len(at), self.Y.shape[1]))
        for split, W in zip(self.splits, self.weights, strict=True):
            held = split.held[at]
            out[held] = change[held] @ W
        return out


def own_history(panel: Panel, structure: Structure) -> Structure:
    """As much history as predicts best held out, whatever the fitted model looks back on.

    The model's own would let the same data answer differently under two families of models.

    Args:
        panel: The data.
        structure: Of the fitted model; its timing is kept.

    Raises:
        FrameError: too few rows for folds.
    """
    shortest = int(np.median([s.stop - s.start for s in panel.segments]))
    most = max(1, shortest // 10)
    least = replace(structure, lags=min(LAGS, most))
    if most < LONG:
        return least
    longer = replace(structure, lags=LONG)
    long, short = (
        _lay(panel, Structure(s.lags, min(2, s.lags), s.within), alike=True) for s in (longer, least)
    )
    same = np.isin(short.rows, long.rows)
    shorter = float(log_error(short.residual[same], short.seen[same]).mean())
    better = held_loss(long) < shorter - _LONGER
    return longer if better else least


def lay_ground(panel: Panel, structure: Structure) -> Ground:
    """Fit and cross-fit the rich model.

    Args:
        panel: The data.
        structure: Its lags are the past samples that the rich model sees.

    Raises:
        FrameError: too few rows for folds.
    """
    lags = structure.lags
    plain = _lay(panel, Structure(lags, min(2, lags), structure.within))
    past = sensed_state(panel, structure.within)
    if past is None:
        return plain
    lags = min(SENSED_LAGS, lags)
    cleared = _lay(panel, Structure(lags, lags, structure.within), past, plain.rows)
    return replace(cleared, plain=plain) if held_loss(cleared) < held_loss(plain) - _BETTER else plain


def eased(ground: Ground) -> Ground:
    """The same regression, on the same kind of history, under the penalties that predict best.

    What no column logs is asked of it: what history tells of an input that is held is no shortcoming then.

    Args:
        ground: As :func:`lay_ground` lays it.
    """
    plain = None if ground.plain is None else eased(ground.plain)
    raw = np.where(ground.seen, ground.Y, np.nan)
    tried = penalties(ground.X.shape[1], ground.regressors.inputs_in_products, LINEAR_PENALTIES)
    best = cross_fitted(ground.F, raw, ground.splits, ground.gram, tried)
    cov, trust = robust_scatter(best.residual, ground.seen)
    return replace(
        ground,
        Y=filled(ground.F, raw, ground.splits, best.weights),
        penalty=best.common,
        ridge=best.ridge,
        loss=best.loss,
        weights=best.weights,
        residual=best.residual,
        cov=cov,
        trust=trust,
        plain=plain,
    )


def held_loss(ground: Ground) -> float:
    """Mean over the channels of the log of their squared held-out error, per measured value."""
    return float(log_error(ground.residual, ground.seen).mean())


def _lay(
    panel: Panel,
    structure: Structure,
    past: Float[np.ndarray, "rows chan"] | None = None,
    only: Int[np.ndarray, " n"] | None = None,
    *,
    alike: bool = False,
) -> Ground:
    """Cross-fit on one kind of history, on the transitions from certain grid rows where some are given.

    With ``alike``, only such penalties are tried as are the same for all products: enough to compare.
    """
    lags = structure.lags
    c = chain(panel, structure, past)
    at = np.flatnonzero(c.usable if only is None else c.usable & np.isin(c.rows, only))
    rows, X, raw = c.rows[at], c.X[at], c.Y[at]
    start = np.append(True, np.diff(rows) != 1)[: rows.size]
    current = np.array(
        [i for i, (_, offset) in enumerate(c.terms) if offset == 0 or (i >= c.history.stop and offset == 1)]
    )
    regressors = Regressors(
        c.terms, c.history.stop, current, Products.learn(X[:, current], len(panel.channels))
    )
    F = regressors.of(X)
    seen = np.isfinite(raw)
    splits = tuple(folds(panel, rows, count=FOLDS, purge=max(10, lags)))
    gram = grams(F, splits)
    tried = penalties(X.shape[1], regressors.inputs_in_products, LINEAR_PENALTIES[:1])
    best = cross_fitted(F, raw, splits, gram, tried._replace(own=[]) if alike else tried)
    cov, trust = robust_scatter(best.residual, seen)
    return Ground(
        panel,
        c,
        rows,
        start,
        X,
        F,
        filled(F, raw, splits, best.weights),
        seen,
        regressors,
        best.common,
        best.ridge,
        best.loss,
        splits,
        best.weights,
        best.residual,
        cov,
        trust,
        gram,
        past,
    )
