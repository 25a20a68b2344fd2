"""A training run on disk: one safetensors file, its plain facts as JSON in the header. No pickle."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tslam.errors import ArtifactError
from tslam.train.course import Course, Epoch

__all__ = ["Checkpoint", "fingerprint"]

_FACTS = "tslam.course"
_COUNTERS = ("best_epoch", "reference", "idle", "slowdown")


@dataclass(frozen=True)
class Checkpoint:
    """Where a training run is kept, and how often it is written."""

    path: Path
    every: int = 10
    """Epochs between two writes; the last one is always written."""

    def save(self, course: Course, mark: str) -> None:
        """Write the run, whole or not at all.

        Args:
            course: The run.
            mark: Its fingerprint.

        Raises:
            ArtifactError: the file cannot be written.
        """
        facts = {
            "fingerprint": mark,
            "history": course.history,
            **{name: getattr(course, name) for name in _COUNTERS},
        }
        try:
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}-", dir=self.path.parent)
            os.close(handle)
            draft = Path(name)
            try:
                save_file(_tensors(course), draft, metadata={_FACTS: json.dumps(facts)})
                draft.replace(self.path)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise ArtifactError(
                f"The checkpoint could not be written to {str(self.path)!r}: {error}. Give another path."
            ) from error

    def restore(self, course: Course, mark: str) -> None:
        """Bring a run that has just begun to where the file left off; without a file it stays at its start.

        Args:
            course: The run, at epoch 0.
            mark: Its fingerprint.

        Raises:
            ArtifactError: the file is damaged, or of a run with other rows, settings or seed.
        """
        if not self.path.exists():
            return
        try:
            with safe_open(self.path, "pt") as file:
                facts = json.loads(file.metadata()[_FACTS])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"{str(self.path)!r} is not the checkpoint of a training run ({error}). "
                "Remove it to start anew."
            ) from error
        if facts["fingerprint"] != mark:
            raise ArtifactError(
                f"The checkpoint {str(self.path)!r} belongs to a run with other rows, settings or seed. "
                "Give another path, or remove it to start anew."
            )
        _load(course, tensors)
        course.history = [Epoch(*entry) for entry in facts["history"]]
        for name in _COUNTERS:
            setattr(course, name, facts[name])


def fingerprint(course: Course) -> str:
    """What makes two runs the same: rows, settings and start. Fewer or more epochs do not change a run."""
    digest = hashlib.sha256(course.config.model_dump_json(exclude={"epochs"}).encode())
    rows = course.rows
    begun = [rows.V, rows.left, rows.seen, rows.train, rows.stop, course.generator.get_state()]
    for tensor in (*begun, *course.net.state_dict().values()):
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _tensors(course: Course) -> dict[str, Tensor]:
    parts = {
        "net": course.net.state_dict(),
        "average": course.average.state_dict(),
        "best": course.best,
        **{f"optimiser.{i}": own for i, own in course.optimiser.state_dict()["state"].items()},
    }
    tensors = {f"{part}/{name}": tensor for part, own in parts.items() for name, tensor in own.items()}
    tensors["generator"] = course.generator.get_state()
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _load(course: Course, tensors: dict[str, Tensor]) -> None:
    course.generator.set_state(tensors.pop("generator"))
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part, own = name.split("/")
        parts.setdefault(part, {})[own] = tensor
    device = course.rows.V.device
    course.net.load_state_dict(parts["net"])
    course.average.load_state_dict(parts["average"])
    course.best = {name: tensor.to(device) for name, tensor in parts["best"].items()}
    optimiser = course.optimiser.state_dict()
    optimiser["state"] = {
        int(part.removeprefix("optimiser.")): own
        for part, own in parts.items()
        if part.startswith("optimiser.")
    }
    course.optimiser.load_state_dict(optimiser)
