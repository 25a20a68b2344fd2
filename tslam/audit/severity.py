"""How much does a gap matter? Certainty, with the false discovery rate controlled, and effect size."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from tslam.audit.gap import Severity
from tslam.contract.model import SeverityRule

__all__ = ["false_discovery", "grade"]


def false_discovery(p: Sequence[float], asked: int = 0) -> Float[np.ndarray, " question"]:
    """q-values of what was found, among all questions asked at once.

    Args:
        p: p-values of the findings.
        asked: Number of questions, those without a finding among them; their p-values count as 1.

    Source: Benjamini and Yekutieli, "The control of the false discovery rate in multiple testing under
    dependency", Annals of Statistics 29(4), 2001: the questions share residuals, so they are dependent.
    """
    if not p:
        return np.zeros(0)
    raw = np.asarray(p, np.float64)
    n = max(asked, raw.size)
    order = np.argsort(raw)
    harmonic = float((1.0 / np.arange(1, n + 1)).sum())
    scaled = raw[order] * n * harmonic / np.arange(1, raw.size + 1)
    q = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    out = np.empty(raw.size)
    out[order] = q
    return out


def grade(q: float, share: float, rule: SeverityRule, *, rival: bool = False) -> Severity:
    """Severity by the contract's thresholds.

    Args:
        q: False discovery rate at which the gap is found.
        share: Largest share of a channel's held-out residual variance.
        rule: Thresholds.
        rival: Is another kind within half of its score? Then it is at most a warning.
    """
    if q < rule.critical_q and share >= rule.critical_share and not rival:
        return Severity.CRITICAL
    if q < rule.warning_q and share >= rule.warning_share:
        return Severity.WARNING
    return Severity.INFO
