"""A fitted model at rest: a folder of JSON, YAML and safetensors. No pickle, loadable on any CPU."""

import json
import os
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tslam.audit.gap import LatentInfo
from tslam.config import FitConfig
from tslam.contract import Contract
from tslam.dynamics.forward import ForwardModel, LinearForward
from tslam.dynamics.inverse import HeldInverse
from tslam.dynamics.lam import LAM
from tslam.errors import ArtifactError, TslamError
from tslam.panel import Encoding, Scaling
from tslam.panel.chain import Structure
from tslam.select.skill import Skill

__all__ = ["FORMAT", "Fitted", "read", "write"]

FORMAT = 1
"""Version of the layout; a reader refuses later ones and reads all earlier ones."""

_MODEL, _CONTRACT, _PANEL, _WEIGHTS = "model.json", "contract.json", "panel.json", "weights.safetensors"


@dataclass(frozen=True, eq=False)
class Fitted:
    """Everything that a fit found out."""

    contract: Contract
    config: FitConfig
    seed: int
    structure: Structure
    lam: LAM
    scaling: Scaling
    encoding: Encoding
    step: float
    channels: tuple[str, ...]
    latents: tuple[LatentInfo, ...]
    skill: tuple[Skill, ...]
    trace: tuple[str, ...]
    history: dict[str, list[tuple[int, float]]]
    digest: str
    notes: tuple[str, ...]


def write(fitted: Fitted, folder: Path) -> None:
    """Write a model to a folder, whole or not at all.

    Args:
        fitted: The model.
        folder: Where to; an older model there is replaced, anything else is left alone.

    Raises:
        ArtifactError: The folder holds something that is not a saved model, or cannot be written.
    """
    if folder.exists() and (
        not folder.is_dir() or (any(folder.iterdir()) and not (folder / _MODEL).is_file())
    ):
        raise ArtifactError(
            f"{str(folder)!r} exists and is not a saved model, so it is not replaced. Give another folder."
        )
    arrays: dict[str, np.ndarray] = {"baseline_cov": fitted.lam.baseline_cov}
    forward = _take(fitted.lam.forward, "forward", arrays)
    baseline = _take(fitted.lam.baseline, "baseline", arrays)
    if fitted.lam.inverse is not None:
        arrays |= {f"inverse.{k}": getattr(fitted.lam.inverse, k) for k in ("B", "R", "phi")}
    facts = {
        "format": FORMAT,
        "tslam": _installed(),
        "family": fitted.lam.family,
        "forward": forward,
        "baseline": baseline,
        "structure": {
            "lags": fitted.structure.lags,
            "input_lags": fitted.structure.input_lags,
            "within": sorted(fitted.structure.within),
        },
        "config": fitted.config.model_dump(mode="json"),
        "seed": fitted.seed,
        "channels": list(fitted.channels),
        "latents": [info.model_dump(mode="json") for info in fitted.latents],
        "skill": [vars(s) for s in fitted.skill],
        "trace": list(fitted.trace),
        "history": fitted.history,
        "digest": fitted.digest,
        "notes": list(fitted.notes),
    }
    panel = {"step": fitted.step, "scaling": fitted.scaling.to_dict(), "encoding": fitted.encoding.to_dict()}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        (draft / _MODEL).write_text(json.dumps(facts, indent=1), encoding="utf-8")
        (draft / _PANEL).write_text(json.dumps(panel, indent=1), encoding="utf-8")
        (draft / _CONTRACT).write_text(fitted.contract.model_dump_json(indent=1), encoding="utf-8")
        fitted.contract.to_odcs(draft / "contract.odcs.yaml")
        save_file({k: np.ascontiguousarray(v, np.float64) for k, v in arrays.items()}, draft / _WEIGHTS)
        if folder.exists():
            shutil.rmtree(folder)
        os.chmod(draft, 0o755)  # noqa: S103, PTH101 - mkdtemp makes it private; a saved model is for others too
        draft.replace(folder)
    except OSError as error:
        raise ArtifactError(
            f"The model could not be written to {str(folder)!r}: {error}. Give another folder."
        ) from error


def read(folder: Path, device: str = "cpu") -> Fitted:
    """Read a model that :func:`write` wrote.

    Args:
        folder: The folder.
        device: Where a neural forward model runs.

    Raises:
        ArtifactError: Not a saved model, damaged, or from a later version.
    """
    missing = [name for name in (_MODEL, _PANEL, _CONTRACT, _WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise ArtifactError(
            f"{str(folder)!r} is not a saved model: {missing} {'is' if len(missing) == 1 else 'are'} not "
            "there. Give the folder that model.save wrote."
        )
    try:
        facts: dict[str, Any] = json.loads((folder / _MODEL).read_text(encoding="utf-8"))
        if int(facts["format"]) > FORMAT:
            raise ArtifactError(
                f"The model in {str(folder)!r} has format {facts['format']}, this version of tslam reads up "
                f"to {FORMAT}. Install tslam {facts['tslam']} or later."
            )
        panel = json.loads((folder / _PANEL).read_text(encoding="utf-8"))
        arrays = load_file(folder / _WEIGHTS)
        return _assemble(facts, panel, (folder / _CONTRACT).read_text(encoding="utf-8"), arrays, device)
    except TslamError:
        raise
    except (KeyError, TypeError, ValueError, ValidationError, SafetensorError) as error:
        raise ArtifactError(
            f"The model in {str(folder)!r} is damaged ({type(error).__name__}: {error}). Save it again."
        ) from error


def _assemble(
    facts: dict[str, Any], panel: dict[str, Any], contract: str, arrays: dict[str, np.ndarray], device: str
) -> Fitted:
    inverse = None
    if "inverse.B" in arrays:
        inverse = HeldInverse(*(arrays[f"inverse.{k}"] for k in ("B", "R", "phi")))
    lam = LAM(
        facts["family"],
        _give(facts["forward"], "forward", arrays, device),
        inverse,
        _give(facts["baseline"], "baseline", arrays, device),
        arrays["baseline_cov"],
    )
    s = facts["structure"]
    return Fitted(
        contract=Contract.model_validate_json(contract),
        config=FitConfig.model_validate(facts["config"]),
        seed=int(facts["seed"]),
        structure=Structure(s["lags"], s["input_lags"], frozenset(s["within"])),
        lam=lam,
        scaling=Scaling.from_dict(panel["scaling"]),
        encoding=Encoding.from_dict(panel["encoding"]),
        step=float(panel["step"]),
        channels=tuple(facts["channels"]),
        latents=tuple(LatentInfo.model_validate(i) for i in facts["latents"]),
        skill=tuple(Skill(**k) for k in facts["skill"]),
        trace=tuple(facts["trace"]),
        history={k: [(int(a), float(b)) for a, b in v] for k, v in facts["history"].items()},
        digest=facts["digest"],
        notes=tuple(facts["notes"]),
    )


def _take(forward: ForwardModel, name: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Put a forward model's weights among the arrays; return what else it takes to build it again."""
    if isinstance(forward, LinearForward):
        arrays |= {f"{name}.weights": forward.weights, f"{name}.bias": forward.bias}
        return {"kind": "linear"}
    from tslam.dynamics.neural import NeuralForward  # noqa: PLC0415 - torch only for a neural model

    if not isinstance(forward, NeuralForward):
        raise ArtifactError(f"A forward model of type {type(forward).__name__} has no way to be saved.")
    spec, state = forward.to_state()
    arrays |= {f"{name}.{k}": v for k, v in state.items()}
    return {"kind": "neural", "spec": spec}


def _give(facts: dict[str, Any], name: str, arrays: dict[str, np.ndarray], device: str) -> ForwardModel:
    own = {k.removeprefix(f"{name}."): v for k, v in arrays.items() if k.startswith(f"{name}.")}
    if facts["kind"] == "linear":
        return LinearForward(own["weights"], own["bias"])
    from tslam.dynamics.neural import NeuralForward  # noqa: PLC0415 - torch only for a neural model

    return NeuralForward.from_state(facts["spec"], own, device=device)


def _installed() -> str:
    try:
        return version("tslam")
    except PackageNotFoundError:
        return "unreleased"
