"""Frozen models whose complaints are tslam's own errors, also when pydantic finds them."""

from difflib import get_close_matches
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tslam.errors import ContractError, TslamError

__all__ = ["Frozen"]


class Frozen(BaseModel):
    """A pydantic model that never changes, refuses unknown fields, and raises named errors.

    Raises:
        TslamError: what a validator raised, as it was raised.
        ContractError: a field is unknown, missing, or of the wrong type.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as found:
            raise _named(type(self), found) from None

    @classmethod
    def model_validate(cls, obj: Any, **how: Any) -> Self:
        """As pydantic's, with named errors."""
        try:
            return super().model_validate(obj, **how)
        except ValidationError as found:
            raise _named(cls, found) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Self:
        """As pydantic's, with named errors."""
        try:
            return super().model_validate_json(json_data, **how)
        except ValidationError as found:
            raise _named(cls, found) from None


def _named(cls: type[BaseModel], found: ValidationError) -> TslamError:
    details = found.errors(include_url=False)
    for detail in details:
        raised = detail.get("ctx", {}).get("error")
        if isinstance(raised, TslamError):
            return raised
    lines = []
    for detail in details:
        where = ".".join(str(part) for part in detail["loc"]) or "the whole"
        if detail["type"] == "extra_forbidden":
            close = get_close_matches(str(detail["loc"][-1]), cls.model_fields, n=1)
            hint = f"did you mean {close[0]!r}" if close else f"the fields are {sorted(cls.model_fields)}"
            lines.append(f"{where}: there is no such field; {hint}")
        else:
            lines.append(f"{where}: {detail['msg']} (found {detail['input']!r})")
    return ContractError(f"This is not a {cls.__name__}. " + "; ".join(lines) + ". Correct these fields.")
