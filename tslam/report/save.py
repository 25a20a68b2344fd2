"""Write a text in one step: a reader sees the old file or the new one, never half of one."""

import secrets
from pathlib import Path

__all__ = ["save"]


def save(text: str, path: str | Path | None) -> str:
    """Write ``text`` to ``path`` (parent folders are made) if there is one, and hand it back."""
    if path is None:
        return text
    target = Path(path).expanduser()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}")
    try:
        draft.write_bytes(text.encode("utf-8"))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return text
