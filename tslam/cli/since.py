"""Which partitions of a data set were audited already: a small state file, one run at a time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from tslam.contract.parquet import files_at
from tslam.errors import ArtifactError

__all__ = ["NewFiles", "new_files"]

LAYOUT = 1


class NewFiles:
    """Files that were not audited, or changed since; ``done`` keeps the place."""

    def __init__(self, state: Path, known: dict[str, list[int]], found: dict[str, list[int]]) -> None:
        self._state = state
        self._all = known | found
        self.paths = [path for path, mark in found.items() if known.get(path) != mark]

    def done(self) -> None:
        """Write the place down, in one step."""
        from tslam.report.save import save  # noqa: PLC0415 - reports take a sixth of a second to load

        save(json.dumps({"layout": LAYOUT, "files": self._all}, indent=1) + "\n", self._state)


@contextmanager
def new_files(data: str, state: Path) -> Iterator[NewFiles]:
    """The files under ``data`` that the state file does not know, while nobody else audits them.

    A second run waits here until the first has kept its place, and then sees what is left.

    Raises:
        FrameError: there are no files.
        ArtifactError: the state file is not one.
    """
    state.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(state.with_name(f"{state.name}.lock")):
        found = {}
        for path in files_at(data):
            facts = Path(path).stat()
            found[str(Path(path).resolve())] = [facts.st_size, facts.st_mtime_ns]
        yield NewFiles(state, _known(state), found)


def _known(state: Path) -> dict[str, list[int]]:
    if not state.exists():
        return {}
    try:
        said = json.loads(state.read_text(encoding="utf-8"))
        known = {str(path): [int(part) for part in mark] for path, mark in said["files"].items()}
        layout = said["layout"]
    except (ValueError, KeyError, TypeError, AttributeError) as found:
        raise _no_state(state, repr(found)) from found
    if layout != LAYOUT:
        raise _no_state(state, f"layout {layout!r}")
    return known


def _no_state(state: Path, found: str) -> ArtifactError:
    return ArtifactError(
        f"{state} is not the state of an audit ({found}). Delete it to audit everything again."
    )
