"""How to fit: one frozen model, a default for everything."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FAMILIES", "LEAST_RIDGE", "Family", "FitConfig"]

Family = Literal["auto", "linear", "held", "neural"]
FAMILIES: tuple[Family, ...] = ("auto", "linear", "held", "neural")

LEAST_RIDGE = 1e-5
"""Penalty that keeps a regression solvable and changes nothing else."""


class FitConfig(BaseModel):
    """Settings of a fit. ``None`` means: chosen on held-out evidence.

    ``family`` names the model: ``linear`` (closed form), ``held`` (latents that persist and jump),
    ``neural`` (nonlinear forward model), or ``auto``, which starts cheap and moves on only where
    held-out evidence says that the cheaper one is wrong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Family = Field("auto", description="Model family")
    preset: str | None = Field(
        None, description="A system of the literature by name, such as `paper:lapo`, instead of a family"
    )
    lags: int | None = Field(None, ge=1, le=64, description="Past samples that the forward model sees")
    max_lags: int = Field(6, ge=1, le=64, description="Most lags tried where lags are chosen")
    latents: int | None = Field(None, ge=0, le=16, description="Number of latent actions")
    max_latents: int = Field(4, ge=0, le=16, description="Most latents tried where their number is chosen")
    ridge: float | None = Field(
        None, ge=0, description="Ridge penalty, per row, on standardised regressors, towards persistence"
    )
    iterations: int = Field(200, ge=1, description="Most EM iterations from each start")
    hidden: int = Field(64, ge=1, description="Width of the neural forward model")
    epochs: int = Field(400, ge=1, description="Most epochs; early stopping ends sooner")
    learning_rate: float = Field(5e-3, gt=0, description="AdamW step size")
    batch: int = Field(512, ge=8, description="Rows per gradient step")
    holdout: Literal["blocks", "last"] = Field(
        "blocks", description="Held-out rows: interleaved blocks of time, or the last stretch of each series"
    )
    holdout_fraction: float = Field(0.25, gt=0, lt=0.9, description="Share of rows held out")
    max_gap: int = Field(
        10,
        ge=0,
        description="Missing steps that stay as masked rows; a longer gap splits the series into segments",
    )
    per_series: bool = Field(
        default=False, description="Fit each series alone instead of one model for the fleet"
    )

    @property
    def penalty(self) -> float:
        """The ridge penalty, the least one where it is to be chosen and has not been."""
        return LEAST_RIDGE if self.ridge is None else self.ridge
