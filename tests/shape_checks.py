"""Array shapes in annotations, checked at every call while the tests run."""

import inspect
from collections.abc import Callable
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check the calls of a function that has array shapes in its annotations; mypy has seen to the others."""
    if any(_has_shape(hint) for hint in function.__annotations__.values()):
        return beartype(function)
    return function


def _has_shape(hint: Any) -> bool:
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return True
    return any(_has_shape(part) for part in get_args(hint))
