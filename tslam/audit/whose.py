"""Whose is it: does what was found hidden belong to an action that is logged, only not all of it?"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from tslam.audit.finding import Claim
from tslam.audit.ground import Ground
from tslam.audit.offset import Offset, held_offset

__all__ = ["Owners"]

_ALONG = 0.6
"""Cosine, in noise units, from which a direction lies along a logged action's effect."""
_CERTAINLY = 0.9
"""The same from which that is enough by itself: another action hardly drives in the same proportions."""
_FOLLOWS = 0.4
"""R² of a latent on the offset of a log, the state counted in, from which the two are one."""


@dataclass(eq=False)
class Owners:
    """The logged actions, what one unit of each does, and how far each was off its log."""

    ground: Ground
    columns: list[str]
    _axes: dict[str, Float[np.ndarray, " chan"]] = field(default_factory=dict)
    _offsets: dict[str, Offset] = field(default_factory=dict)

    def of(self, claim: Claim) -> str | None:
        """The logged action that a claim about something hidden is about, if there is one.

        Its direction lies along the action's effect, and a held offset of the log predicts better than none;
        or its path follows such an offset, whatever its direction: a plant that bends turns it.
        """
        if claim.direction is None:
            return None
        white = claim.direction @ np.linalg.cholesky(np.linalg.inv(self.ground.cov))
        length = float(np.linalg.norm(white))
        if not self.columns or length == 0.0:
            return None
        cosines = {c: abs(float(self._axis(c) @ white)) / length for c in self.columns}
        best = max(cosines, key=lambda c: cosines[c])
        if cosines[best] > _CERTAINLY or (cosines[best] > _ALONG and self.offset(best).total > 0.0):
            return best
        if claim.path is None:
            return None
        follows = {
            c: self._follows(claim.path, self.offset(c)) for c in self.columns if self.offset(c).total > 0.0
        }
        best = max(follows, key=lambda c: follows[c], default="")
        return best if best and follows[best] > _FOLLOWS else None

    def offset(self, column: str) -> Offset:
        """Held offset of a column, filtered once."""
        if column not in self._offsets:
            self._offsets[column] = held_offset(self.ground, column)
        return self._offsets[column]

    def _axis(self, column: str) -> Float[np.ndarray, " chan"]:
        """Main direction of a logged action's effect on o_{t+1}, unit length, in noise units."""
        if column not in self._axes:
            names = [f.name for f in self.ground.panel.action_features if f.column == column]
            white = np.linalg.cholesky(np.linalg.inv(self.ground.cov))
            effects = [self.ground.direction([name])[:, :, 0] @ white for name in names]
            self._axes[column] = np.linalg.eigh(sum(e.T @ e for e in effects))[1][:, -1]
        return self._axes[column]

    def _follows(self, path: Float[np.ndarray, " n"], offset: Offset) -> float:
        """R² of a path on an offset and on its products with the present state."""
        state = np.tanh(self.ground.X[:, : self.ground.Y.shape[1]])
        level = offset.level
        F = np.column_stack(
            [level, *(level[:, [k]] * state for k in range(level.shape[1])), np.ones(len(path))]
        )
        left = path - F @ np.linalg.lstsq(F, path, rcond=None)[0]
        return float(1.0 - left.var() / max(float(path.var()), 1e-30))
