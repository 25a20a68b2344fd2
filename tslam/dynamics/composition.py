"""What a composed latent action model is made of: one word for each part."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["STEPS", "Augmented", "Bottleneck", "Composition", "Sees"]

Sees = Literal["transition", "window", "multistep", "difference"]
"""What the inverse dynamics model sees: o_t and o_{t+1}; all of history and o_{t+1}; o_t and o_{t+k} with
k ~ U{1..K} in training; or o_{t+1} - o_t alone, so that no sample is seen as it is."""
Bottleneck = Literal["none", "sparse", "noisy", "vq", "fsq", "residual"]
"""What z is squeezed through: nothing, energy and VCM, Gaussian noise, codebooks side by side, a fixed grid,
or codebooks of which each takes what the one before left."""
STEPS = 5
"""Steps of a finite scalar quantiser along each latent."""
Augmented = Literal["shared", "independent"]
"""Whether all samples that a model sees are shifted alike, or each that the inverse model sees by itself."""


class Composition(BaseModel):
    """Parts of a model o_{t+1} = ridge(f) + decoder(f, z), z = bottleneck(idm(..)), f all that is known at t.

    Logged actions and exogenous variables reach the forward model by their timing, whatever the paper did.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sees: Sees = "transition"
    bottleneck: Bottleneck = "none"
    latents: int = Field(4, ge=1, description="Width of z; at most as many as there are observations")
    horizon: int = Field(1, ge=1, description="K of the multi-step inverse model")
    codes: int = Field(64, ge=2, description="Entries of each codebook")
    books: int = Field(1, ge=1, description="Codebooks side by side, or one after another")
    decay: float = Field(0.99, gt=0, lt=1, description="Of the running means that are a codebook's entries")
    commitment: float = Field(0.25, ge=0, description="Weight of what draws encodings to their entries")
    beta: float = Field(1e-4, ge=0, description="Weight of KL(q(z) | N(0, I)) of a noisy z")
    sparsity: float = Field(0.05, ge=0, description="Weight of |z| of a sparse z")
    loss: Literal["l1", "l2"] = "l2"
    represented: bool = Field(
        default=False, description="Predict a learnt representation too (running-mean target)"
    )
    actions: float = Field(
        0.0, ge=0, description="Weight of the head that reads logged actions off z; 1 is d_o / d_a per square"
    )
    augmentation: float = Field(
        0.0, ge=0, description="Shift added to all samples, in units of what the ridge leaves"
    )
    augmented: Augmented = Field("shared", description="Shift samples alike, or each by itself")
    symmetries: tuple[tuple[int, ...], ...] = Field(
        (),
        description="Orders of the observations in which the system is the same (replicas, places), as "
        "positions; z must mean the same in all of them, and what changes places is counted in one unit",
    )
    one_unit: bool = Field(
        default=False,
        description="Count all observations in one unit, not each by what the ridge leaves of it",
    )
    staged: bool = Field(
        default=False,
        description="Half of z learns first (with the action head, where there is one) and is frozen; the "
        "other half learns what is left",
    )
    swap: float = Field(
        0.0, ge=0, le=1, description="Share of the loss by which z must predict another series, not its own"
    )
    consistency: float = Field(
        0.0, ge=0, description="Weight of reading the same z again where it was applied in another place"
    )
    endogenous: bool = Field(
        default=False,
        description="Read and explain only what logged actions reach, or what series have in common",
    )
    closed: bool = Field(
        default=False,
        description="Start the inverse model at the closed form: the largest directions left over",
    )
    replicas: bool = Field(
        default=False, description="z of one series must predict the others at the same time, too"
    )

    @property
    def discrete(self) -> bool:
        """Has z entries of codebooks?"""
        return self.bottleneck in {"vq", "fsq", "residual"}

    @property
    def entries(self) -> int:
        """Entries of a codebook, or points of the grid of a finite scalar quantiser."""
        return STEPS**self.latents if self.bottleneck == "fsq" else self.codes

    @property
    def paired(self) -> bool:
        """Does it hold series against each other?"""
        return self.replicas or self.swap > 0
