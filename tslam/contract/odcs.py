"""Contracts on disk, in the Open Data Contract Standard (ODCS): read and write."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from tslam.contract.model import Contract
from tslam.contract.odcs_edit import edited
from tslam.contract.odcs_read import check_head, parse
from tslam.contract.odcs_versions import restated
from tslam.contract.odcs_write import render
from tslam.contract.yaml_document import load, rewritten, text_of
from tslam.errors import ContractError

__all__ = ["convert", "read", "read_with_notes", "write"]


def read(path_or_text: str | Path, *, table: str | None = None) -> Contract:
    """Read a contract, as ``read_with_notes`` does, and leave the notes."""
    return read_with_notes(path_or_text, table=table)[0]


def read_with_notes(
    path_or_text: str | Path, *, table: str | None = None
) -> tuple[Contract, tuple[str, ...]]:
    """Read a contract (ODCS v3, YAML or JSON).

    Args:
        path_or_text: path of a file, or a text (a string with a line break or a brace).
        table: name of the schema object, where the document has several.

    Returns:
        The contract, and what was derived rather than read, one plain sentence each.

    Raises:
        ContractError: the document cannot be read, or says what cannot be; with line and column.
    """
    text, source = text_of(path_or_text)
    return parse(text, source, table)


def write(
    contract: Contract,
    path: str | Path | None = None,
    *,
    latents: Iterable[str] = (),
    version: str | None = None,
) -> str:
    """Write a contract (ODCS, YAML): into the document that it was read from, or anew as v3.1.0.

    Args:
        contract: what to write.
        path: the file, if any.
        latents: names of inferred latents to describe, in a schema object of their own.
        version: version of the standard, ``"v3.1.0"`` or ``"v3.2.0"``; None: that of the document.

    Returns:
        The text.

    Raises:
        ContractError: the file cannot be written, a latent is not called like one, or the version is not
            one that is written.
    """
    document = contract.document
    text = render(contract, latents) if document is None else edited(*document, contract, latents)
    if version is not None:
        text = restated(text, version)
    return _saved(text, path)


def convert(path_or_text: str | Path, path: str | Path | None = None, *, version: str | None = None) -> str:
    """Any ODCS v3 document, with or without telemetry in it, in another version of the standard.

    Only the version and the custom properties of tslam are said another way; what a newer version has and
    an older one lacks stays as it is.

    Args:
        path_or_text: path of a file, or a text.
        path: the file to write, if any.
        version: ``"v3.1.0"`` or ``"v3.2.0"``; None: the document as it is.

    Returns:
        The text.

    Raises:
        ContractError: the document cannot be read or written, or the version is not one that is written.
    """
    text, source = text_of(path_or_text)
    root = load(text, source)
    check_head(root)
    return _saved(rewritten(root.data, text) if version is None else restated(text, version), path)


def _saved(text: str, path: str | Path | None) -> str:
    if path is not None:
        target = Path(path)
        draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}")
        try:
            try:
                draft.write_bytes(text.encode("utf-8"))
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as found:
            raise ContractError(f"{str(path)!r} cannot be written: {found}. Give another path.") from found
    return text
