"""Progress: shown where somebody looks, silent elsewhere, and light."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tslam.train import progress
from tslam.train.progress import enabled, track


def test_it_costs_no_torch() -> None:
    code = "import sys, tslam.train.progress; print('torch' in sys.modules, 'tqdm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@given(items=st.lists(st.integers()), shown=st.booleans())
def test_what_goes_in_comes_out(items: list[int], shown: bool) -> None:
    assert list(track(items, "Counting", shown)) == items


def test_it_is_silent_where_nobody_looks(capfd: pytest.CaptureFixture[str]) -> None:
    list(track(range(3), "Counting"))
    list(track(range(3), "Counting", progress=False))
    assert capfd.readouterr() == ("", "")


def test_a_bar_has_its_label_and_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    list(track(range(7), "Counting", progress=True))
    written = capsys.readouterr()
    assert written.out == ""
    assert "Counting" in written.err
    assert "/7" in written.err


def test_a_loop_that_is_left_early_closes_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    for item in track(range(7), "Counting", progress=True):
        if item == 2:
            break
    assert capsys.readouterr().err.endswith("\r")


@pytest.mark.parametrize("tty", [True, False])
def test_auto_is_for_terminals(monkeypatch: pytest.MonkeyPatch, tty: bool) -> None:
    monkeypatch.setattr(progress, "_in_notebook", lambda: False)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: tty))
    assert enabled("auto") is tty
    assert enabled(True)
    assert not enabled(False)


@pytest.mark.parametrize(
    ("shell", "shown"),
    [
        (SimpleNamespace(config={"IPKernelApp": {}}), True),
        (SimpleNamespace(config={"TerminalIPythonApp": {}}), False),
        (None, False),
    ],
    ids=["notebook", "console", "library"],
)
def test_auto_is_for_notebooks(monkeypatch: pytest.MonkeyPatch, shell: object, shown: bool) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert progress._in_notebook() is shown
