"""The house: imports point down, some libraries stay in their room, files stay small, doors open fast."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "tslam"
FILES = sorted(LIBRARY.rglob("*.py"))

# From the roof to the ground. A room may import what lies below it; `tslam` itself is the public names.
HOUSE = (
    "cli",
    "tslam",
    "fitting",
    "model",
    "acting",
    "aligning",
    "summary",
    "artefact",
    "tracking",
    "report",
    "fleet",
    "select",
    "plan",
    "align",
    "audit",
    "diagnose",
    "train",
    "dynamics",
    "panel",
    "contract",
    "plants",
    "kernels",
    "config",
    "seeding",
    "errors",
)
# MLflow runs this file when it loads a logged model; no room imports it.
ENTRY = "tslam/tracking/served.py"

CONFINED = {
    "mlflow": {"tracking"},
    "jinja2": {"report"},
    "matplotlib": {"report"},
    "plotly": {"report"},
    "ray": {"fleet"},
    "pandas": {"panel", "contract", "tracking"},
    "typer": {"cli"},
    "rich": {"cli"},
}
HEAVY = (
    "torch",
    "mlflow",
    "statsmodels",
    "pandera",
    "pandas",
    "numba",
    "scipy",
    "matplotlib",
    "jinja2",
    "pyarrow",
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _room(path: Path) -> str:
    parts = path.relative_to(LIBRARY).parts
    return "tslam" if parts == ("__init__.py",) else parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file, each with the names taken from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}:{node.lineno}: imports name the whole path"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _target(module: str) -> str:
    """The room that an import reaches into; a public name of the package counts as `tslam`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in HOUSE else "tslam"


def test_every_room_has_its_place_in_the_house() -> None:
    assert {_room(path) for path in FILES} <= set(HOUSE)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_point_down(path: Path) -> None:
    room = _room(path)
    reached = {_target(module) for module in _imports(path) if module.split(".")[0] == "tslam"} - {room}
    # The public names are looked up when they are first used, so the package may name every room below it.
    up = {target for target in reached if HOUSE.index(target) < HOUSE.index(room)}
    if _name(path) == ENTRY:
        up -= {"tslam"}
    assert not up, f"{_name(path)} imports {sorted(up)}, which lies above {room!r}"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    room = _room(path)
    strays = {module for module in _imports(path) if room not in CONFINED.get(module.split(".")[0], {room})}
    assert not strays, f"{_name(path)} imports {sorted(strays)}, which belongs to other rooms"


def test_the_entry_that_mlflow_runs_is_imported_by_no_room() -> None:
    served = ENTRY.removesuffix(".py").replace("/", ".")
    assert [_name(path) for path in FILES if any(served in module for module in _imports(path))] == []


@pytest.mark.parametrize("path", [*FILES, *sorted((ROOT / "tests").rglob("*.py"))], ids=_name)
def test_a_file_is_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    assert path.stem.strip("_") not in {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_annotations_stay_objects(path: Path) -> None:
    # Shapes in stringified annotations would be skipped silently by the shape checks.
    assert "__future__.annotations" not in set(_imports(path))


@pytest.mark.parametrize("module", ["tslam", "tslam.cli"])
def test_the_front_doors_open_without_the_heavy_libraries(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
