"""A fitted model at rest: a folder of JSON, YAML and safetensors. No pickle, loadable on any CPU."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tslam.align.alignment import Alignment, digest_of
from tslam.align.storage import pack, unpack
from tslam.audit.gap import LatentInfo
from tslam.config import FitConfig
from tslam.contract import Contract
from tslam.contract.roles import INPUT_ROLES
from tslam.dynamics.lam import LAM
from tslam.errors import ArtifactError, ConfigError, TslamError
from tslam.panel import Encoding, Scaling
from tslam.panel.chain import Structure
from tslam.select.skill import Skill
from tslam.train.device import resolve
from tslam.train.storage import give_lam, take_lam

__all__ = ["FORMAT", "Fitted", "Part", "fingerprint", "read", "write"]

FORMAT = 1
"""Version of the layout; a reader refuses later ones and reads all earlier ones."""

_MODEL, _CONTRACT, _PANEL, _WEIGHTS = "model.json", "contract.json", "panel.json", "weights.safetensors"
_ODCS = "contract.odcs.yaml"
_SEALED = (_PANEL, _CONTRACT, _WEIGHTS)
"""Files whose digests the model keeps."""
_NEEDED = (_MODEL, *_SEALED)
_DAMAGE = (
    TslamError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, OSError,
    SafetensorError,
)  # fmt: skip
"""What reading a file that is not as it was written can end in."""


@dataclass(frozen=True, eq=False)
class Part:
    """What was fitted on one series, or on all of them (``series`` is None)."""

    series: str | None
    structure: Structure
    lam: LAM
    latents: tuple[LatentInfo, ...]
    skill: tuple[Skill, ...]
    trace: tuple[str, ...]
    history: dict[str, list[tuple[int, float]]]


@dataclass(frozen=True, eq=False)
class Fitted:
    """Everything that a fit found out."""

    contract: Contract
    config: FitConfig
    seed: int
    parts: tuple[Part, ...]
    scaling: Scaling
    encoding: Encoding
    step: float
    channels: tuple[str, ...]
    digest: str
    notes: tuple[str, ...]
    alignments: tuple[Alignment, ...] = ()


def write(fitted: Fitted, folder: Path) -> None:
    """Write a model to a folder, whole or not at all.

    Args:
        fitted: The model.
        folder: Where to; an older model there is replaced, anything else is left alone.

    Raises:
        ArtifactError: The folder holds something that is not a saved model, or cannot be written.
    """
    if folder.exists() and not _replaceable(folder):
        raise ArtifactError(
            f"{str(folder)!r} exists and is not (only) a saved model, so it is not replaced. Give another "
            "folder."
        )
    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {
        "format": FORMAT,
        "tslam": _installed(),
        "config": fitted.config.model_dump(mode="json"),
        "seed": fitted.seed,
        "channels": list(fitted.channels),
        "digest": fitted.digest,
        "notes": list(fitted.notes),
        "parts": [_part_facts(part, f"{i}.", arrays) for i, part in enumerate(fitted.parts)],
        "alignments": [_aligned_facts(a, f"alignment.{i}.", arrays) for i, a in enumerate(fitted.alignments)],
    }
    panel = {"step": fitted.step, "scaling": fitted.scaling.to_dict(), "encoding": fitted.encoding.to_dict()}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        workshop = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            draft = workshop / "new"
            draft.mkdir()
            (draft / _PANEL).write_text(json.dumps(panel, indent=1), encoding="utf-8")
            (draft / _CONTRACT).write_text(fitted.contract.model_dump_json(indent=1), encoding="utf-8")
            fitted.contract.to_odcs(draft / _ODCS)
            save_file({k: np.ascontiguousarray(v, np.float64) for k, v in arrays.items()}, draft / _WEIGHTS)
            facts["sha256"] = {name: _sha256(draft / name) for name in _SEALED}
            (draft / _MODEL).write_text(json.dumps(facts, indent=1), encoding="utf-8")
            _put(draft, folder, aside=workshop / "old")
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
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
        ConfigError: There is no such device.
    """
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ArtifactError(
            f"{str(folder)!r} is not a saved model: {missing} {'is' if len(missing) == 1 else 'are'} not "
            "there. Give the folder that model.save wrote."
        )
    try:
        return _load(folder, device)
    except (ArtifactError, ConfigError):
        raise
    except _DAMAGE as error:
        raise ArtifactError(
            f"The model in {str(folder)!r} is damaged ({type(error).__name__}: {error}). Save it again."
        ) from error


def _load(folder: Path, device: str) -> Fitted:
    facts: dict[str, Any] = json.loads((folder / _MODEL).read_text(encoding="utf-8"))
    if int(facts["format"]) > FORMAT:
        raise ArtifactError(
            f"The model in {str(folder)!r} has format {facts['format']}, this version of tslam reads up "
            f"to {FORMAT}. Install tslam {facts['tslam']} or later."
        )
    changed = [name for name in _SEALED if _sha256(folder / name) != facts["sha256"][name]]
    if changed:
        raise ValueError(f"{changed} not as they were written")
    panel = json.loads((folder / _PANEL).read_text(encoding="utf-8"))
    contract = Contract.model_validate_json((folder / _CONTRACT).read_text(encoding="utf-8"))
    arrays = load_file(folder / _WEIGHTS)
    if not all(np.isfinite(values).all() for values in arrays.values()):
        raise ValueError("weights that are not finite")
    fitted = _assemble(facts, panel, contract, arrays, device)
    _try_out(fitted)
    return fitted


def _put(draft: Path, folder: Path, *, aside: Path) -> None:
    """The draft in the folder's place; where that fails, the folder is as it was."""
    older = folder.exists()
    if older:
        folder.rename(aside)
    try:
        draft.rename(folder)
    except OSError:
        if older:
            aside.rename(folder)
        raise


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _replaceable(folder: Path) -> bool:
    """Is there nothing in the way but a saved model, or an empty folder?"""
    if not folder.is_dir():
        return False
    found = {path.name for path in folder.iterdir()}
    if not found:
        return True
    if not found <= {*_NEEDED, _ODCS} or _MODEL not in found:
        return False
    return '"tslam"' in (folder / _MODEL).read_text(encoding="utf-8", errors="replace")


def fingerprint(fitted: Fitted) -> str:
    """Digest of everything that a model is, its alignments apart."""
    arrays: dict[str, np.ndarray] = {}
    parts = [_part_facts(part, f"{i}.", arrays) for i, part in enumerate(fitted.parts)]
    plain = {
        "parts": [(p["family"], p["structure"]) for p in parts],
        "data": fitted.digest,
        "seed": fitted.seed,
    }
    plain |= {"contract": fitted.contract.model_dump_json(), "scaling": fitted.scaling.to_dict()}
    return digest_of({k: np.ascontiguousarray(v, np.float64) for k, v in arrays.items()} | plain)


def _aligned_facts(alignment: Alignment, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """What JSON keeps of an alignment; its numbers go among the arrays."""
    facts, own = pack(alignment)
    arrays |= {f"{at}{name}": value for name, value in own.items()}
    return facts


def _part_facts(part: Part, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """What JSON keeps of a part; its numbers go among the arrays."""
    s = part.structure
    composed = _take_composed(part.lam, at, arrays)
    return {
        "series": part.series,
        **take_lam(part.lam, at, arrays),
        "structure": {"lags": s.lags, "input_lags": s.input_lags, "within": sorted(s.within)},
        "latents": [info.model_dump(mode="json") for info in part.latents],
        "skill": [vars(s) for s in part.skill],
        "trace": list(part.trace),
        "history": part.history,
        **composed,
    }


def _assemble(
    facts: Mapping[str, Any],
    panel: Mapping[str, Any],
    contract: Contract,
    arrays: Mapping[str, np.ndarray],
    device: str,
) -> Fitted:
    return Fitted(
        contract=contract,
        config=FitConfig.model_validate(facts["config"]),
        seed=int(facts["seed"]),
        parts=tuple(_part(part, f"{i}.", arrays, device) for i, part in enumerate(facts["parts"])),
        scaling=Scaling.from_dict(panel["scaling"]),
        encoding=Encoding.from_dict(panel["encoding"]),
        step=float(panel["step"]),
        channels=tuple(facts["channels"]),
        digest=facts["digest"],
        notes=tuple(facts["notes"]),
        alignments=tuple(
            unpack(own, {k.removeprefix(at): v for k, v in arrays.items() if k.startswith(at)}, device)
            for i, own in enumerate(facts.get("alignments", []))
            for at in (f"alignment.{i}.",)
        ),
    )


def _part(facts: Mapping[str, Any], at: str, arrays: Mapping[str, np.ndarray], device: str) -> Part:
    s = facts["structure"]
    lam = give_lam(facts, at, arrays, device)
    return Part(
        series=facts["series"],
        structure=Structure(s["lags"], s["input_lags"], frozenset(s["within"])),
        lam=_give_composed(lam, facts["composed"], f"{at}composed.", arrays, device)
        if "composed" in facts
        else lam,
        latents=tuple(LatentInfo.model_validate(i) for i in facts["latents"]),
        skill=tuple(Skill(**k) for k in facts["skill"]),
        trace=tuple(facts["trace"]),
        history={k: [(int(a), float(b)) for a, b in v] for k, v in facts["history"].items()},
    )


def _take_composed(lam: LAM, at: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Put a composed network's weights among the arrays; return what else it takes to build it again."""
    if lam.family != "composed":
        return {}
    from tslam.dynamics.composed_lam import ComposedLAM  # noqa: PLC0415 - its quantisers take a second

    assert isinstance(lam, ComposedLAM)
    spec, state = lam.to_state()
    arrays |= {f"{at}composed.{k}": v for k, v in state.items()}
    return {"composed": spec}


def _give_composed(
    lam: LAM, spec: Mapping[str, Any], at: str, arrays: Mapping[str, np.ndarray], device: str
) -> LAM:
    from tslam.dynamics.composed_lam import ComposedLAM  # noqa: PLC0415 - its quantisers take a second

    own = {k.removeprefix(at): v for k, v in arrays.items() if k.startswith(at)}
    return ComposedLAM.from_state(lam, spec, own, resolve(device))


def _try_out(fitted: Fitted) -> None:
    """Do the numbers fit together? One prediction with each part tells."""
    chan = len(fitted.channels)
    inputs = [f for role in INPUT_ROLES for f in fitted.encoding.features(role)]
    for part in fitted.parts:
        s = part.structure
        early = sum(f.column in s.within for f in inputs)
        X = np.zeros((2, s.lags * chan + s.input_lags * len(inputs) + early))
        gain = part.lam.causal_gain(X, np.zeros((2, chan)), np.array([True, False]))
        if not np.isfinite(gain).all() or len(part.latents) != part.lam.reader.latents:
            raise ValueError("numbers that are missing or not finite")


def _installed() -> str:
    try:
        return version("tslam")
    except PackageNotFoundError:
        return "unreleased"
