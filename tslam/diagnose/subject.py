"""What is asked: a model's latents of single transitions, on rows it has not learnt from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int

from tslam.dynamics.lam import LAM
from tslam.panel.chain import Chain

__all__ = ["Subject"]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the transitions it is asked about, all of them measured whole.

    ``read`` gives z of transitions each taken alone, ``apply`` the o_{t+1} that a z makes; what history tells
    of o_{t+1} is ``mean``.
    """

    X: Float[np.ndarray, "n feat"]
    Y: Float[np.ndarray, "n chan"]
    now: Float[np.ndarray, "n chan"]
    """o_t."""
    mean: Float[np.ndarray, "n chan"]
    z: Float[np.ndarray, "n latent"]
    follows: Bool[np.ndarray, " n"]
    """Is the row above the transition just before this one?"""
    fitted: Float[np.ndarray, "train chan"]
    """What history leaves of the rows that the model learnt from."""
    read: Callable[[Float[np.ndarray, "n feat"], Float[np.ndarray, "n chan"]], Float[np.ndarray, "n latent"]]
    apply: Callable[[Float[np.ndarray, "n feat"], Float[np.ndarray, "n latent"]], Float[np.ndarray, "n chan"]]
    codes: Int[np.ndarray, "n book"] | None = None
    """Entries of the codebooks, where there are any."""
    codebook: int | None = None
    """Entries of one codebook."""

    @classmethod
    def of(cls, lam: LAM, c: Chain, asked: Bool[np.ndarray, " n"], learnt: Bool[np.ndarray, " n"]) -> Self:
        """A fitted model as a subject.

        Args:
            lam: The model.
            c: All transitions.
            asked: Those to ask about.
            learnt: Those that the model learnt from; where there are none, those asked about.
        """
        whole = c.usable & np.isfinite(c.Y).all(axis=1)
        asked, learnt = asked & whole, (learnt if learnt.any() else asked) & whole
        X, Y = c.X[asked], c.Y[asked]
        forward = lam.baseline if lam.inverse is None else lam.forward
        chosen = np.flatnonzero(asked)
        follows = np.append(False, np.diff(chosen) == 1)[: chosen.size] & ~c.start[chosen]
        return cls(
            X=X,
            Y=Y,
            now=X[:, : Y.shape[1]],
            mean=forward.mean(X),
            z=lam.read(X, Y),
            follows=follows,
            fitted=c.Y[learnt] - forward.mean(c.X[learnt]),
            read=lam.read,
            apply=lam.apply,
            codes=lam.codes(X, Y),
            codebook=lam.codebook,
        )

    @property
    def latents(self) -> int:
        """Number of latents."""
        return int(self.z.shape[1])

    @property
    def left(self) -> Float[np.ndarray, "n chan"]:
        """What history leaves of o_{t+1}."""
        return np.asarray(self.Y - self.mean)
