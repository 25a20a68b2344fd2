"""When does an input act? Within its interval or after it, per input, on held-out evidence."""

from collections.abc import Callable

import numpy as np

from tslam.config import FitConfig
from tslam.contract.roles import INPUT_ROLES, Role, Timing
from tslam.kernels.hac import MeanTest
from tslam.panel.chain import Structure
from tslam.panel.panel import Panel
from tslam.select.candidates import Candidate, Data, compare, fit_linear_family

__all__ = ["decide_timing"]

_SURE = 3.0
"""t from which a_{t+1} is taken to tell something that a_t does not."""
_FEEDBACK = 4.0
"""An action reacts to o_{t+1} where there is feedback, so that a_{t+1} always tells something. It is
taken to act within its interval only where it tells this many times more than a_t does."""


def decide_timing(
    panel: Panel, structure: Structure, data: Callable[[Structure], Data], config: FitConfig
) -> tuple[Structure, tuple[str, ...]]:
    """The structure with every input's timing settled, and one sentence for each that acts within.

    Args:
        panel: The panel; its contract says which timings are given.
        structure: Lags to decide with.
        data: Transitions and split of a structure.
        config: Ridge penalty.
    """
    columns = [c for c in panel.contract.columns if c.role in INPUT_ROLES]
    present = {f.column for f in (*panel.action_features, *panel.exog_features)}
    within = {c.name for c in columns if c.timing is Timing.WITHIN and c.name in present}
    open_ = [c for c in columns if c.timing is Timing.AUTO and c.name in present]
    if not open_:
        return Structure(structure.lags, structure.input_lags, frozenset(within)), ()
    base = _fit(data(Structure(structure.lags, structure.input_lags, frozenset(within))), config)
    found, told = set(within), []
    for column in open_:
        tried = frozenset(within | {column.name})
        both = data(Structure(structure.lags, structure.input_lags, tried))
        gain = compare(_fit(both, config), base)
        if gain.t < _SURE:
            continue
        if column.role is Role.ACTION:
            before = _without(both, column.name, {0, -1}, config)
            plain = _without(
                data(Structure(structure.lags, structure.input_lags, frozenset(within))),
                column.name,
                {0, -1},
                config,
            )
            held_back = compare(base, plain)
            if gain.mean < _FEEDBACK * max(held_back.mean, 0.0) or before.mean < base.mean:
                continue
        found.add(column.name)
        told.append(_sentence(column.name, gain))
    return Structure(structure.lags, structure.input_lags, frozenset(found)), tuple(told)


def _fit(data: Data, config: FitConfig) -> Candidate:
    return fit_linear_family(data, config, 0)


def _without(data: Data, column: str, offsets: set[int], config: FitConfig) -> Candidate:
    """The candidate that does not see one column at the given offsets."""
    hidden = [
        i
        for i, (name, offset) in enumerate(data.chain.terms)
        if (name == column or name.startswith(f"{column}[")) and offset in offsets
    ]
    X = data.chain.X.copy()
    X[:, [i for i in hidden if i >= data.chain.history.stop]] = 0.0
    chain = type(data.chain)(**{**vars(data.chain), "X": np.asarray(X)})
    return _fit(Data(data.structure, chain, data.train, data.held), config)


def _sentence(column: str, gain: MeanTest) -> str:
    return (
        f"{column} acts within its interval: a_(t+1) improves the held-out log-score by "
        f"{1000 * gain.mean:.0f} nats per 1,000 rows (t = {gain.t:.1f})."
    )
