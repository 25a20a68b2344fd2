"""A progress bar where somebody looks: on a terminal or in a notebook."""

import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Literal, TypeVar

__all__ = ["enabled", "track"]

T = TypeVar("T")


def enabled(progress: bool | Literal["auto"]) -> bool:
    """Is progress shown? ``"auto"``: where standard error is a terminal, or in a notebook."""
    if progress != "auto":
        return progress
    return sys.stderr.isatty() or _in_notebook()


def track(items: Iterable[T], label: str, progress: bool | Literal["auto"] = "auto") -> Iterator[T]:
    """The items, with a bar that moves with them and goes away with the last.

    Args:
        items: What to go through; a length makes the bar know its end.
        label: What is going on, in a word or two.
        progress: Show the bar; ``"auto"`` where somebody looks.
    """
    if not enabled(progress):
        yield from items
        return
    with warnings.catch_warnings():
        # a notebook without widgets: tqdm warns, then falls back to text by itself
        warnings.filterwarnings("ignore", message="IProgress not found")
        from tqdm.auto import tqdm  # noqa: PLC0415 - only where a bar is shown
    with tqdm(items, desc=label, leave=False) as bar:
        yield from bar


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config
