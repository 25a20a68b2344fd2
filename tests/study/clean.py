"""How often does the audit raise an alarm on a clean record?"""

from typing import Any

from asked import report, said
from records import keys, record_of

__all__ = ["cell", "group", "wanted"]


def wanted(count: int, first: int) -> list[str]:
    """Keys of the records."""
    return keys(count, first)


def group(key: str) -> str:
    """What is counted together."""
    return key.split("/", maxsplit=1)[0]


def cell(key: str) -> dict[str, Any]:
    """One clean record."""
    return {"gaps": said(report(record_of(key)))}
