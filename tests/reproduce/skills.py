"""Two skills of a latent: does it tell the level of a hidden action, and when it moves?"""

import numpy as np

__all__ = ["event_f1", "jumps", "probed"]

TOLERANCE = 2
"""Rows between a found and a true move."""
_MATERIAL = 0.25
"""Moves of at least this many standard deviations must be found."""
_RIDGE = 1e-3


def probed(
    latents: np.ndarray, level: np.ndarray, rows: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Ridge from latents to the level over the first half; its prediction, and R² on the second (least -1).

    Args:
        latents: A column for each; NaN where nothing is said.
        level: The hidden action.
        rows: Labelled rows to learn from, instead of all of the first half.
    """
    n, half = len(level), len(level) // 2
    told = np.isfinite(latents).all(axis=1)
    learnt = np.zeros(n, bool)
    learnt[np.arange(half) if rows is None else rows] = True
    learnt &= told
    said = np.full(n, level[learnt].mean() if learnt.any() else 0.0)
    if learnt.sum() > 2 and latents.shape[1]:
        sd = latents[learnt].std(axis=0)
        Z = (latents - latents[learnt].mean(axis=0)) / np.where(sd > 1e-12, sd, np.inf)
        gram = Z[learnt].T @ Z[learnt] + _RIDGE * learnt.sum() * np.eye(Z.shape[1])
        said[told] += Z[told] @ np.linalg.solve(gram, Z[learnt].T @ (level[learnt] - said[0]))
    error, spread = level[half:] - said[half:], level[half:] - level[half:].mean()
    return said, max(-1.0, float(1 - error @ error / max(float(spread @ spread), 1e-12)))


def jumps(path: np.ndarray) -> np.ndarray:
    """Steps larger than five robust standard deviations of all steps, one per neighbourhood."""
    step = np.diff(path)
    size, sigma = np.abs(step), 1.4826 * np.median(np.abs(step - np.median(step)))
    found: list[int] = []
    for i in np.argsort(-size, kind="stable"):
        if size[i] <= max(5.0 * sigma, 1e-6 * path.std()):
            break
        if all(abs(i + 1 - j) > TOLERANCE for j in found):
            found.append(int(i) + 1)
    return np.array(sorted(found), int)


def event_f1(path: np.ndarray, level: np.ndarray) -> float:
    """F1 of the jumps of a path against the moves of the level, on the second half; NaN without moves."""
    half = len(level) // 2
    moved = np.flatnonzero(np.diff(level)) + 1
    runs = np.split(moved, np.flatnonzero(np.diff(moved) > TOLERANCE) + 1) if moved.size else []
    runs = [run for run in runs if run[-1] >= half]
    large = [r for r in runs if np.abs(level[r] - level[r[0] - 1]).max() >= _MATERIAL * level.std()]
    if not large:
        return float("nan")
    found = jumps(path)
    found = found[found >= half]

    def meets(run: np.ndarray, at: np.ndarray) -> bool:
        return bool(np.any((at >= run[0] - TOLERANCE) & (at <= run[-1] + TOLERANCE)))

    precision = np.mean([any(meets(run, at[None]) for run in runs) for at in found]) if found.size else 0.0
    recall = np.mean([meets(run, found) for run in large])
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0
