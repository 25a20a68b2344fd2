"""What labels alone can do: the same observations and inputs, no latent, no unlabelled row."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from tslam.align.decoder import positions
from tslam.align.labels import Holds
from tslam.align.reading import Reading
from tslam.align.ridge import choose_ridge, fit_ridge_on
from tslam.seeding import torch_generator

__all__ = ["BASELINES", "Baseline", "label_only"]

Baseline = Literal["ridge", "network"]
BASELINES: tuple[Baseline, ...] = ("ridge", "network")

_HIDDEN, _STEPS, _RATE, _DECAY = 32, 300, 1e-2, 1e-2


def label_only(
    reading: Reading, holds: Holds, values: Float[np.ndarray, "n out"], which: Baseline, seed: int
) -> Float[np.ndarray, "n out"]:
    """The action of every transition as labels alone would have it.

    Args:
        reading: What is read; its latents are not looked at.
        holds: The labels.
        values: The label of each transition; one column for numbers, one per level for levels.
        which: ``ridge``, its penalty chosen on holds left out, or ``network``, one hidden layer.
        seed: Of the network's start.
    """
    at, features = positions(holds, reading), reading.features[:, reading.latents :]
    if which == "ridge":
        return choose_ridge(features, values, at, 0)[0](features)
    linear = fit_ridge_on(features, values, at, 0, 1.0)
    return _network((features - linear.centre) / linear.scale, values, np.concatenate(at), seed)


def _network(
    features: Float[np.ndarray, "n feat"], values: Float[np.ndarray, "n out"], rows: np.ndarray, seed: int
) -> Float[np.ndarray, "n out"]:
    """One hidden layer, trained on all labelled rows at once, with weight decay."""
    draw = torch_generator(seed, "label-only")
    X, T = torch.tensor(features[rows]).float(), torch.tensor(values[rows]).float()
    mean, sd = T.mean(0), T.std(0).clamp(min=1e-6)
    sizes = ((X.shape[1], _HIDDEN), (_HIDDEN, T.shape[1]))
    weights = [(torch.randn(size, generator=draw) / size[0] ** 0.5).requires_grad_() for size in sizes]
    shifts = [torch.zeros(size[1], requires_grad=True) for size in sizes]

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        hidden = torch.nn.functional.silu(torch.addmm(shifts[0], inputs, weights[0]))
        return torch.addmm(shifts[1], hidden, weights[1])

    step = torch.optim.AdamW([*weights, *shifts], lr=_RATE, weight_decay=_DECAY)
    for _ in range(_STEPS):
        step.zero_grad()
        loss = (forward(X) - (T - mean) / sd).square().mean()
        torch.autograd.backward(loss)
        step.step()
    with torch.no_grad():
        out = forward(torch.tensor(features).float()) * sd + mean
    return np.asarray(out.double().numpy())
