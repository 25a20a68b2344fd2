"""Alignments at rest: plain values and arrays, and the way back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tslam.align.alignment import Alignment, digest_of
from tslam.align.certificate import Certificate
from tslam.align.decoder import Decoder
from tslam.align.jumping import Jumping
from tslam.align.reading import Reader, inverse_of
from tslam.align.ridge import Ridge
from tslam.align.tied import Tied
from tslam.contract.roles import Kind
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM
from tslam.dynamics.products import ProductForward, Products
from tslam.panel.chain import Structure

__all__ = ["fingerprint", "pack", "unpack"]

_RIDGE = ("centre", "scale", "weights", "bias")
_INVERSE = ("B", "R", "phi")
_PRODUCTS = ("pairs", "mean", "sd")


def pack(alignment: Alignment) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Plain values (for JSON) and arrays (for safetensors)."""
    arrays: dict[str, np.ndarray] = {}
    d = alignment.decoder
    arrays |= {f"ridge.{name}": getattr(d.ridge, name) for name in _RIDGE}
    facts = {
        "action": alignment.action,
        "within": sorted(alignment.reader.structure.within),
        "reader": _pack_lam(alignment.reader.lam, "reader.", arrays),
        "decoder": {
            "kind": d.kind.value,
            "levels": list(d.levels),
            "low": d.low,
            "high": d.high,
            "steps": list(d.steps),
            "jumping": _pack_jumping(d.jumping, "decoder.", arrays),
        },
        "tied": _pack_tied(alignment.tied, "tied.", arrays),
        "certificate": alignment.certificate.model_dump(mode="json"),
    }
    return facts, arrays


def unpack(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Alignment:
    """The alignment that ``pack`` described."""
    d = facts["decoder"]
    structure = Structure(1, 1, frozenset(facts["within"]))
    return Alignment(
        facts["action"],
        Reader(_unpack_lam(facts["reader"], "reader.", arrays), structure),
        Decoder(
            Kind(d["kind"]),
            tuple(d["levels"]),
            Ridge(*(np.array(arrays[f"ridge.{name}"]) for name in _RIDGE)),
            _unpack_jumping(d["jumping"], "decoder.", arrays),
            float(d["low"]),
            float(d["high"]),
            tuple(d["steps"]),
        ),
        _unpack_tied(facts["tied"], "tied.", arrays),
        Certificate.model_validate(facts["certificate"]),
    )


def fingerprint(alignment: Alignment) -> str:
    """Digest of everything in an alignment but its certificate."""
    facts, arrays = pack(alignment)
    del facts["certificate"]
    return digest_of({k: np.ascontiguousarray(v, np.float64) for k, v in arrays.items()} | {"facts": facts})


def _pack_tied(tied: Tied | None, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any] | None:
    if tied is None:
        return None
    return {"level": tied.level, "unit": tied.unit, "lam": _pack_lam(tied.lam, at, arrays)}


def _unpack_tied(facts: Mapping[str, Any] | None, at: str, arrays: Mapping[str, np.ndarray]) -> Tied | None:
    if facts is None:
        return None
    return Tied(_unpack_lam(facts["lam"], at, arrays), float(facts["level"]), float(facts["unit"]))


def _pack_jumping(own: Jumping | None, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any] | None:
    if own is None:
        return None
    arrays |= {f"{at}loadings": own.loadings, f"{at}noise": own.noise}
    kind = _pack_forward(own.forward, at, arrays)
    return {"level": own.level, "unit": own.unit, "rate": own.rate, "forward": kind}


def _unpack_jumping(
    facts: Mapping[str, Any] | None, at: str, arrays: Mapping[str, np.ndarray]
) -> Jumping | None:
    if facts is None:
        return None
    forward = _unpack_forward(facts["forward"], at, arrays)
    loadings, noise = (np.array(arrays[f"{at}{name}"]) for name in ("loadings", "noise"))
    rate, level, unit = (float(facts[name]) for name in ("rate", "level", "unit"))
    return Jumping(forward, loadings, noise, rate, level, unit)


def _pack_lam(lam: LAM, at: str, arrays: dict[str, np.ndarray]) -> str:
    forward = lam.forward
    assert isinstance(forward, LinearForward | ProductForward)
    arrays |= {f"{at}cov": lam.baseline_cov}
    arrays |= {f"{at}{name}": getattr(inverse_of(lam), name) for name in _INVERSE}
    return _pack_forward(forward, at, arrays)


def _pack_forward(forward: LinearForward | ProductForward, at: str, arrays: dict[str, np.ndarray]) -> str:
    linear = forward if isinstance(forward, LinearForward) else forward.linear
    arrays |= {f"{at}weights": linear.weights, f"{at}bias": linear.bias}
    if isinstance(forward, LinearForward):
        return "linear"
    arrays |= {f"{at}product.{name}": getattr(forward.products, name) for name in _PRODUCTS}
    arrays[f"{at}current"] = forward.current
    return "products"


def _unpack_lam(kind: str, at: str, arrays: Mapping[str, np.ndarray]) -> LAM:
    forward = _unpack_forward(kind, at, arrays)
    inverse = HeldInverse(*(np.array(arrays[f"{at}{name}"]) for name in _INVERSE))
    return LAM("held", forward, inverse, forward, np.array(arrays[f"{at}cov"]))


def _unpack_forward(kind: str, at: str, arrays: Mapping[str, np.ndarray]) -> LinearForward | ProductForward:
    own = {name.removeprefix(at): np.array(v) for name, v in arrays.items() if name.startswith(at)}
    linear = LinearForward(own["weights"], own["bias"])
    if kind == "linear":
        return linear
    pairs = own["product.pairs"].astype(np.int64)
    products = Products(pairs, own["product.mean"], own["product.sd"])
    return ProductForward(products, own["current"].astype(np.int64), linear)
