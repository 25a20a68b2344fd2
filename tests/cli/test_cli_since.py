"""`tslam audit --since last`: each partition once, also under two runs at once."""

import threading
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_cases import report, run

import tslam
from tslam.cli.since import new_files
from tslam.errors import ArtifactError


def write(folder: Path, name: str, rows: int) -> None:
    pl.DataFrame({"x": range(rows)}).write_parquet(folder / name)


def test_each_partition_is_audited_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Model:
        def audit(self, data: pl.LazyFrame, **_: Any) -> Any:
            seen.append(data.collect().height)
            return report()

    monkeypatch.setitem(vars(tslam), "load", lambda *_, **__: Model())
    state = str(tmp_path / "state.json")
    command = ("audit", str(tmp_path / "d"), "--model", "m", "--since", "last", "--state", state)
    (tmp_path / "d").mkdir()
    write(tmp_path / "d", "a.parquet", 2)
    assert run(capsys, *command).code == 0
    said = run(capsys, *command)
    assert (said.code, said.out) == (3, "")
    assert "is new since the last audit" in said.err
    write(tmp_path / "d", "b.parquet", 5)
    assert run(capsys, *command).code == 0
    write(tmp_path / "d", "a.parquet", 3)
    assert run(capsys, *command).code == 0
    assert seen == [2, 5, 3]


def test_a_run_that_fails_does_not_move_on(tmp_path: Path) -> None:
    write(tmp_path, "a.parquet", 2)
    state = tmp_path / "state.json"

    def fails() -> None:
        with new_files(str(tmp_path / "*.parquet"), state) as fresh:
            assert len(fresh.paths) == 1
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fails()
    assert not state.exists()


def test_a_second_run_waits_and_sees_what_is_left(tmp_path: Path) -> None:
    write(tmp_path, "a.parquet", 2)
    taken: list[int] = []

    def audit() -> None:
        with new_files(str(tmp_path / "*.parquet"), tmp_path / "state.json") as fresh:
            taken.append(len(fresh.paths))
            time.sleep(0.1)
            fresh.done()

    runs = [threading.Thread(target=audit) for _ in range(3)]
    for started in runs:
        started.start()
    for started in runs:
        started.join()
    assert sorted(taken) == [0, 0, 1]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"layout": 2, "files": {}}', '{"layout": 1, "files": 3}'])
def test_what_is_no_state_is_an_error(tmp_path: Path, text: str) -> None:
    write(tmp_path, "a.parquet", 2)
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(ArtifactError, match="Delete it"), new_files(str(tmp_path), tmp_path / "state.json"):
        pass
