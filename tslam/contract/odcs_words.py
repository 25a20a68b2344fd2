"""The words that a contract has in the Open Data Contract Standard (ODCS, bitol.io), v3.1 and v3.2.

ODCS v3.1 lets nobody add fields and lets everybody add custom properties: a field ``dead_time`` of a
``Column`` is there the custom property ``tslamDeadTime``. Read is also the v3.2 way of saying it, the
custom property ``deadTime`` of the vendor ``tslam``.
"""

from tslam.contract.model import Column

__all__ = ["API_VERSION", "COLUMN_WORDS", "STANDARD_FIELDS", "TABLE_WORDS", "VENDOR", "camel", "snake"]

API_VERSION = "v3.1.0"
VENDOR = "tslam"

STANDARD_FIELDS = frozenset({"name", "description"})
"""Fields of a ``Column`` that are fields of an ODCS property, so no custom ones."""


def camel(field: str) -> str:
    """``dead_time`` as ``deadTime``."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def snake(word: str) -> str:
    """``deadTime`` as ``dead_time``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in word)


COLUMN_WORDS = {camel(field): field for field in Column.model_fields if field not in STANDARD_FIELDS}
"""Custom properties of a column, without the vendor's name, and the fields they stand for."""

TABLE_WORDS = {field: field for field in ("freq", "timezone", "severity")}
"""Custom properties of a table, and the fields of ``Contract`` that they stand for."""
