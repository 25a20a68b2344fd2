"""The documentation holds: its examples run, its lists are whole."""

import re
from pathlib import Path

import pytest

import tslam
from tslam.contract.odcs_words import COLUMN_WORDS, TABLE_WORDS, VENDOR, camel

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _code(page: Path) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL))


def test_the_examples_of_tutorial_and_readme_run_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for page in (DOCS / "tutorial.md", DOCS / "pipeline.md", ROOT / "README.md", DOCS / "index.md"):
        code = _code(page)
        assert code, page
        exec(compile(code, str(page), "exec"), {"__name__": page.stem})
    assert "latent_0" in capsys.readouterr().out
    assert {"plant.parquet", "gaps.html", "patch.odcs.yaml", "runs"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_every_note_is_listed() -> None:
    index = (DOCS / "notes" / "index.md").read_text()
    notes = [path.name for path in (DOCS / "notes").glob("*.md") if path.name != "index.md"]
    assert [name for name in notes if f"]({name})" not in index] == []


@pytest.mark.parametrize("name", tslam.__all__)
def test_every_public_name_stands_in_the_reference(name: str) -> None:
    reference = "\n".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    home = getattr(getattr(tslam, name), "__module__", f"tslam.{name}")
    assert f"::: {home}" in reference or f"::: {home.rpartition('.')[0]}" in reference


def test_every_custom_property_of_a_contract_is_explained() -> None:
    page = (DOCS / "reference" / "contract.md").read_text()
    words = [camel(f"{VENDOR}_{field}") for field in (*COLUMN_WORDS.values(), *TABLE_WORDS.values())]
    assert [word for word in words if f"`{word}`" not in page] == []
