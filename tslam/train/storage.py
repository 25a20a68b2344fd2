"""Fitted models at rest: plain values for JSON, arrays for safetensors, and the way back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tslam.dynamics.forward import ForwardModel, LinearForward
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM
from tslam.dynamics.neural import NeuralForward
from tslam.dynamics.products import ProductForward, Products
from tslam.errors import ArtifactError
from tslam.train.device import resolve

__all__ = ["give", "give_lam", "take", "take_lam"]

_INVERSE = ("B", "R", "phi")
_PRODUCTS = ("pairs", "mean", "sd")


def take_lam(lam: LAM, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Put a model's numbers among the arrays; return what JSON keeps of it.

    Args:
        lam: The model; what makes it a composed network is not taken.
        at: What the names of its arrays begin with.
        arrays: Where its numbers go.

    Raises:
        ArtifactError: its forward model is of a kind that nobody knows how to keep.
    """
    arrays[f"{at}baseline_cov"] = lam.baseline_cov
    if lam.inverse is not None:
        arrays |= {f"{at}inverse.{k}": getattr(lam.inverse, k) for k in _INVERSE}
    told = {} if lam.told is None else {"told": take_lam(lam.told, f"{at}told.", arrays)}
    return {
        "family": lam.family,
        "forward": take(lam.forward, f"{at}forward.", arrays),
        "baseline": take(lam.baseline, f"{at}baseline.", arrays),
        **told,
    }


def give_lam(facts: Mapping[str, Any], at: str, arrays: Mapping[str, np.ndarray], device: str) -> LAM:
    """The model that :func:`take_lam` took apart.

    Args:
        facts: What that returned.
        at: What the names of its arrays begin with.
        arrays: Where its numbers are.
        device: Where a neural forward model runs.

    Raises:
        ArtifactError: sizes and weights do not fit together.
        ConfigError: there is no such device.
    """
    inverse = None
    if f"{at}inverse.B" in arrays:
        inverse = HeldInverse(*(np.array(arrays[f"{at}inverse.{k}"]) for k in _INVERSE))
    forward = give(facts["forward"], f"{at}forward.", arrays, device)
    baseline = give(facts["baseline"], f"{at}baseline.", arrays, device)
    told = give_lam(facts["told"], f"{at}told.", arrays, device) if "told" in facts else None
    cov = np.array(arrays[f"{at}baseline_cov"])
    return LAM(facts["family"], forward, inverse, baseline, cov, told=told)


def take(forward: ForwardModel, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Put a forward model's weights among the arrays; return what else it takes to build it again."""
    if isinstance(forward, LinearForward):
        arrays |= {f"{at}weights": forward.weights, f"{at}bias": forward.bias}
        return {"kind": "linear"}
    if isinstance(forward, ProductForward):
        own = {k: getattr(forward.products, k) for k in _PRODUCTS} | {"current": forward.current}
        arrays |= {f"{at}{k}": v for k, v in own.items()}
        take(forward.linear, at, arrays)
        return {"kind": "products"}
    if not isinstance(forward, NeuralForward):
        raise ArtifactError(f"A forward model of type {type(forward).__name__} has no way to be saved.")
    spec, state = forward.to_state()
    arrays |= {f"{at}{k}": v for k, v in state.items()}
    return {"kind": "neural", "spec": spec}


def give(facts: Mapping[str, Any], at: str, arrays: Mapping[str, np.ndarray], device: str) -> ForwardModel:
    """The forward model that :func:`take` took apart."""
    own = {k.removeprefix(at): np.array(v) for k, v in arrays.items() if k.startswith(at)}
    if facts["kind"] in {"linear", "products"}:
        linear = LinearForward(own["weights"], own["bias"])
        if facts["kind"] == "linear":
            return linear
        pairs, current = own["pairs"].astype(np.int64), own["current"].astype(np.int64)
        return ProductForward(Products(pairs, own["mean"], own["sd"]), current, linear)
    return NeuralForward.from_state(facts["spec"], own, device=resolve(device))
