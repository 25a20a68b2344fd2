"""Alignments at rest: plain values and arrays, and the way back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from tslam.align.alignment import Alignment, digest_of
from tslam.align.calibrate import Curve
from tslam.align.certificate import Certificate
from tslam.align.decoder import Decoder
from tslam.align.driven import Driven
from tslam.align.jumping import Jumping
from tslam.align.mixture import Mixture
from tslam.align.offsets import Offsets
from tslam.align.reading import Reader
from tslam.align.ridge import Ridge
from tslam.align.tails import Tails
from tslam.align.tied import Tied
from tslam.contract.roles import Kind
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.products import ProductForward
from tslam.panel.chain import Structure
from tslam.train.storage import give, give_lam, take, take_lam

__all__ = ["fingerprint", "pack", "unpack"]

_RIDGE = ("centre", "scale", "weights", "bias")
_OFFSETS = ("weights", "middle", "directions")
_TAILS = ("side", "end", "width", "mean", "sd")
_CPU = "cpu"


def pack(alignment: Alignment) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Plain values (for JSON) and arrays (for safetensors)."""
    arrays: dict[str, np.ndarray] = {}
    d = alignment.decoder
    arrays |= {f"ridge.{name}": getattr(d.ridge, name) for name in _RIDGE}
    arrays |= {f"offsets.{name}": getattr(alignment.reader.offsets, name) for name in _OFFSETS}
    facts = {
        "action": alignment.action,
        "within": sorted(alignment.reader.structure.within),
        "reader": take_lam(alignment.reader.lam, "reader.", arrays),
        "alone": alignment.reader.alone,
        "decoder": {
            "kind": d.kind.value,
            "levels": list(d.levels),
            "low": d.low,
            "high": d.high,
            "steps": list(d.steps),
            "ends": None if d.ends is None else list(d.ends),
            "held": _pack_mixture(d.held, "decoder.", arrays),
        },
        "tied": _pack_tied(alignment.tied, "tied.", arrays),
        "driven": _pack_driven(alignment.driven, "driven.", arrays),
        "certificate": alignment.certificate.model_dump(mode="json"),
    }
    return facts, arrays


def unpack(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray], device: str = _CPU) -> Alignment:
    """The alignment that ``pack`` described; a network in it runs on the device of that name."""
    d = facts["decoder"]
    structure = Structure(1, 1, frozenset(facts["within"]))
    offsets = Offsets(*(np.array(arrays[f"offsets.{name}"]) for name in _OFFSETS))
    return Alignment(
        facts["action"],
        Reader(
            give_lam(facts["reader"], "reader.", arrays, device), structure, offsets, bool(facts["alone"])
        ),
        Decoder(
            Kind(d["kind"]),
            tuple(d["levels"]),
            Ridge(*(np.array(arrays[f"ridge.{name}"]) for name in _RIDGE)),
            _unpack_mixture(d["held"], "decoder.", arrays),
            float(d["low"]),
            float(d["high"]),
            tuple(d["steps"]),
            None if d["ends"] is None else (float(d["ends"][0]), float(d["ends"][1])),
        ),
        _unpack_tied(facts["tied"], "tied.", arrays),
        Certificate.model_validate(facts["certificate"]),
        _unpack_driven(facts.get("driven"), "driven.", arrays, device),
    )


def fingerprint(alignment: Alignment) -> str:
    """Digest of everything in an alignment but its certificate."""
    facts, arrays = pack(alignment)
    del facts["certificate"]
    return digest_of({k: np.ascontiguousarray(v, np.float64) for k, v in arrays.items()} | {"facts": facts})


def _pack_tied(tied: Tied | None, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any] | None:
    if tied is None:
        return None
    return {"level": tied.level, "unit": tied.unit, "lam": take_lam(tied.lam, at, arrays)}


def _unpack_tied(facts: Mapping[str, Any] | None, at: str, arrays: Mapping[str, np.ndarray]) -> Tied | None:
    if facts is None:
        return None
    return Tied(give_lam(facts["lam"], at, arrays, _CPU), float(facts["level"]), float(facts["unit"]))


def _pack_driven(driven: Driven | None, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any] | None:
    if driven is None:
        return None
    s = driven.structure
    return {
        "mean": driven.mean,
        "sd": driven.sd,
        "lags": s.lags,
        "input_lags": s.input_lags,
        "within": sorted(s.within),
        "lam": take_lam(driven.lam, at, arrays),
    }


def _unpack_driven(
    facts: Mapping[str, Any] | None, at: str, arrays: Mapping[str, np.ndarray], device: str
) -> Driven | None:
    if facts is None:
        return None
    structure = Structure(facts["lags"], facts["input_lags"], frozenset(facts["within"]))
    lam = give_lam(facts["lam"], at, arrays, device)
    return Driven(lam, structure, float(facts["mean"]), float(facts["sd"]))


def _pack_mixture(own: Mixture | None, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any] | None:
    if own is None:
        return None
    models = [_pack_jumping(model, f"{at}{i}.", arrays) for i, model in enumerate(own.models)]
    return {"models": models, "curves": [asdict(curve) for curve in own.curves]}


def _unpack_mixture(
    facts: Mapping[str, Any] | None, at: str, arrays: Mapping[str, np.ndarray]
) -> Mixture | None:
    if facts is None:
        return None
    models = (_unpack_jumping(own, f"{at}{i}.", arrays) for i, own in enumerate(facts["models"]))
    return Mixture(tuple(models), tuple(_curve(curve) for curve in facts["curves"]))


def _curve(facts: Mapping[str, Any]) -> Curve:
    return Curve(**{**facts, "seats": tuple(facts["seats"]), "pulls": tuple(facts["pulls"])})


def _pack_jumping(own: Jumping, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    arrays |= {f"{at}{name}": getattr(own, name) for name in ("loadings", "noise", "limits")}
    arrays |= {f"{at}tails.{name}": getattr(own.tails, name) for name in _TAILS}
    kind = take(own.forward, f"{at}forward.", arrays)
    return {"level": own.level, "unit": own.unit, "rate": own.rate, "forward": kind}


def _unpack_jumping(facts: Mapping[str, Any], at: str, arrays: Mapping[str, np.ndarray]) -> Jumping:
    forward = give(facts["forward"], f"{at}forward.", arrays, _CPU)
    assert isinstance(forward, LinearForward | ProductForward)
    loadings, noise, limits = (np.array(arrays[f"{at}{name}"]) for name in ("loadings", "noise", "limits"))
    tails = Tails(*(np.array(arrays[f"{at}tails.{name}"]) for name in _TAILS))
    rate, level, unit = (float(facts[name]) for name in ("rate", "level", "unit"))
    return Jumping(forward, loadings, noise, limits, tails, rate, level, unit)
