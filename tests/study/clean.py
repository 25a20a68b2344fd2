"""How often does the audit raise an alarm on a clean record?"""

from typing import Any

from asked import report, said
from records import keys, record_of

__all__ = ["cell", "wanted"]


def wanted(count: int, first: int) -> list[str]:
    """Keys of the records."""
    return keys(count, first)


def cell(key: str) -> dict[str, Any]:
    """One clean record."""
    return {"gaps": said(report(record_of(key)))}
