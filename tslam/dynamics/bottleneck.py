"""What z is squeezed through, so that it cannot carry the next sample whole."""

from typing import NamedTuple, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from vector_quantize_pytorch import FSQ, ResidualVQ, VectorQuantize

from tslam.dynamics.composition import STEPS, Composition

__all__ = ["Noisy", "Passage", "Squeezed", "bottleneck"]

_VARIANCE, _COVARIANCE, _MEAN = 0.1, 1e-3, 0.1
"""Weights of VCM in arXiv 2601.05230."""
_DEAD = 1.0
"""An entry used less often than this, in rows of a batch on average, is drawn anew from live encodings."""


class Squeezed(NamedTuple):
    """z, what it costs, and its entries where there are codebooks."""

    z: Float[Tensor, "batch latent"]
    cost: Float[Tensor, ""]
    codes: Int[Tensor, "batch book"] | None = None


class Passage(Protocol):
    """A bottleneck. Random only in training."""

    width: int
    """How many numbers it wants of the inverse model."""

    def __call__(self, raw: Float[Tensor, "batch width"]) -> Squeezed:
        """Squeeze."""
        ...


def bottleneck(parts: Composition, latents: int) -> nn.Module:
    """The bottleneck of a composition; a ``Passage``.

    Args:
        parts: The composition.
        latents: Width of z.
    """
    if parts.bottleneck == "sparse":
        return Sparse(latents, parts.sparsity)
    if parts.bottleneck == "noisy":
        return Noisy(latents, parts.beta)
    if parts.bottleneck in {"vq", "residual"}:
        return Codebooks(parts, latents)
    if parts.bottleneck == "fsq":
        return Grid(latents)
    return Open(latents)


class Open(nn.Module):
    """Nothing but its width."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.width = latents

    def forward(self, raw: Float[Tensor, "batch width"]) -> Squeezed:
        """The same."""
        return Squeezed(raw, raw.new_zeros(()))


class Sparse(nn.Module):
    """Energy on each z, and variance, covariance and mean of all (VCM).

    Source: Garrido et al., arXiv 2601.05230. As printed the mean term is not squared and √D is held against
    a squared norm; here the mean is squared and √D held against the norm.
    """

    def __init__(self, latents: int, weight: float) -> None:
        super().__init__()
        self.width, self.weight = latents, weight

    def forward(self, raw: Float[Tensor, "batch width"]) -> Squeezed:
        """The same, at a cost."""
        width = raw.shape[1]
        short = (width**0.5 - raw.norm(dim=1)).clamp(min=0).mean()
        mean = raw.mean(dim=0)
        away = raw - mean
        cov = away.T @ away / max(1, len(raw) - 1)
        off = cov - torch.diag(cov.diagonal())
        spread = (1 - (cov.diagonal() + 1e-6).sqrt()).clamp(min=0).mean()
        vcm = _VARIANCE * spread + _MEAN * mean.square().mean()
        vcm = vcm + _COVARIANCE * off.square().sum() / max(1, width * (width - 1))
        return Squeezed(raw, self.weight * (short + raw.abs().sum(dim=1).mean()) + vcm)


class Noisy(nn.Module):
    """A Gaussian posterior; its mean outside training."""

    def __init__(self, latents: int, beta: float) -> None:
        super().__init__()
        self.width, self.beta = 2 * latents, beta

    def forward(self, raw: Float[Tensor, "batch width"]) -> Squeezed:
        """A draw in training, else the mean."""
        mean, log_var = self.split(raw)
        cost = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1).mean()
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp() if self.training else mean
        return Squeezed(z, self.beta * cost)

    def split(
        self, raw: Float[Tensor, "batch width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Mean and logarithm of the variance."""
        mean, log_var = raw.chunk(2, dim=1)
        return mean, log_var.clamp(-12, 4)


class Codebooks(nn.Module):
    """Codebooks side by side, or each on what the one before left; dead entries are drawn from live ones.

    Source: van den Oord et al., "Neural discrete representation learning", NeurIPS 2017, entries as running
    means; by the library vector-quantize-pytorch.
    """

    def __init__(self, parts: Composition, latents: int) -> None:
        super().__init__()
        self.width, self.size = latents, parts.codes
        chain = parts.bottleneck == "residual"
        books = 1 if chain else min(parts.books, latents)
        self.pad = -latents % books
        options = {
            "dim": latents + self.pad,
            "codebook_size": parts.codes,
            "decay": parts.decay,
            "commitment_weight": parts.commitment,
            "kmeans_init": True,
            "threshold_ema_dead_code": _DEAD,
        }
        self.quantise: nn.Module
        if chain:
            self.quantise = ResidualVQ(num_quantizers=parts.books, **options)
        else:
            self.quantise = VectorQuantize(
                heads=books,
                separate_codebook_per_head=True,
                codebook_dim=(latents + self.pad) // books,
                **options,
            )

    def forward(self, raw: Float[Tensor, "batch width"]) -> Squeezed:
        """The nearest entries, with the gradient passed straight through."""
        padded = nn.functional.pad(raw, (0, self.pad))
        z, codes, cost = self.quantise(padded[None])
        return Squeezed(z[0, :, : self.width], cost.sum(), codes.reshape(len(raw), -1))


class Grid(nn.Module):
    """Finite scalar quantisation: five steps along each latent.

    Source: Mentzer et al., "Finite scalar quantization: VQ-VAE made simple", ICLR 2024.
    """

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.width, self.size = latents, STEPS**latents
        self.quantise = FSQ(levels=[STEPS] * latents)

    def forward(self, raw: Float[Tensor, "batch width"]) -> Squeezed:
        """The nearest point of the grid."""
        z, codes = self.quantise(raw[None])
        return Squeezed(z[0], raw.new_zeros(()), codes.reshape(len(raw), 1))
