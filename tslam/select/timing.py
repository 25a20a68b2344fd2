"""When does an input act? Within its interval or after it, per input, on held-out evidence."""

from collections.abc import Callable
from dataclasses import replace

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
taken to act within its interval only where a_{t+1}, added to a_t, tells this many times more than a_t
added to a_{t+1}: what acts after its interval acts from a_t on, whatever it reacted to."""


def decide_timing(
    panel: Panel, structure: Structure, data: Callable[[Structure], Data], config: FitConfig
) -> tuple[Structure, tuple[str, ...]]:
    """The structure with every input's timing settled, and one sentence for each found to act within.

    Args:
        panel: The panel; its contract says which timings are given.
        structure: Lags to decide with.
        data: Transitions and split of a structure.
        config: Ridge penalty.
    """
    channels: dict[str, set[str]] = {}
    for feature in (*panel.action_features, *panel.exog_features):
        channels.setdefault(feature.column, set()).add(feature.name)
    inputs = [c for c in panel.contract.columns if c.role in INPUT_ROLES and c.name in channels]
    given = frozenset(c.name for c in inputs if c.timing is Timing.WITHIN)
    settled = replace(structure, within=given)
    found, told = set(given), []
    for column in (c for c in inputs if c.timing is Timing.AUTO):
        own = channels[column.name] if column.role is Role.ACTION else None
        gain = _gain_within(column.name, settled, data, config, feedback=own)
        if gain is not None:
            found.add(column.name)
            told.append(_sentence(column.name, gain))
    return replace(structure, within=frozenset(found)), tuple(told)


def _gain_within(
    column: str,
    settled: Structure,
    data: Callable[[Structure], Data],
    config: FitConfig,
    *,
    feedback: set[str] | None,
) -> MeanTest | None:
    """What a_{t+1} of one column adds, where that says that it acts within its interval.

    ``feedback`` has the channels of a column that may react to what is observed, a category's all together.
    """
    both = data(replace(settled, within=settled.within | {column}))
    late = fit_linear_family(both, config, 0)
    gain = compare(late, fit_linear_family(data(settled), config, 0))
    if gain.t < _SURE:
        return None
    if feedback and gain.mean < _FEEDBACK * compare(late, _only_within(both, feedback, config)).mean:
        return None
    return gain


def _only_within(data: Data, channels: set[str], config: FitConfig) -> Candidate:
    """The candidate that sees a_{t+1} of these channels and nothing earlier of them."""
    c = data.chain
    X = c.X.copy()
    for i, (name, offset) in enumerate(c.terms):
        if i >= c.history.stop and offset <= 0 and name in channels:
            X[:, i] = 0.0
    return fit_linear_family(replace(data, chain=replace(c, X=X)), config, 0)


def _sentence(column: str, gain: MeanTest) -> str:
    return (
        f"{column} acts within its interval: a_(t+1) improves the held-out log-score by "
        f"{1000 * gain.mean:.0f} nats per 1,000 rows (t = {gain.t:.1f})."
    )
