"""A contract written into the document that it was read from: what nobody changed stays as it was written."""

from collections.abc import Iterable, Mapping
from typing import Any

from tslam.contract.model import Column, Contract
from tslam.contract.odcs_read import choose, parse
from tslam.contract.odcs_words import VENDOR
from tslam.contract.odcs_write import described, latent_table, property_of
from tslam.contract.yaml_document import Part, load, quoted, rewritten
from tslam.errors import ContractError

__all__ = ["edited"]

_OURS = ("description", "logicalType", "logicalTypeOptions", "customProperties", "enum")
_BOUNDS = ("minimum", "maximum")


def edited(text: str, table: str | None, contract: Contract, latents: Iterable[str] = ()) -> str:
    """The document with the contract in the place of what it said before.

    Keys that tslam does not know, properties of other vendors, other tables and comments stay. A document
    that says what the contract says comes back letter by letter.

    Args:
        text: the document.
        table: name of the schema object, where the document has several.
        contract: what the table should say.
        latents: names of inferred latents to describe, in a schema object of their own.

    Raises:
        ContractError: the document cannot be read, or cannot say what the contract says.
    """
    before, _ = parse(text, "the document", table)
    names = list(latents)
    if before == contract and not names:
        return text
    root = load(text, "the document")
    chosen = choose(root, table)
    data: Any = root.data
    if before.version != contract.version:
        data["version"] = quoted(contract.version)
    if before.name != contract.name:
        data["name"] = quoted(contract.name)
    _edit_table(chosen, before, contract)
    if names:
        ours = quoted(latent_table(contract, names))
        data["schema"][:] = [part for part in data["schema"] if part.get("name") != ours["name"]] + [ours]
    result = rewritten(data, text)
    if parse(result, "the document", table or chosen.text("name"))[0] != contract:
        raise ContractError(
            "The document that the contract was read from cannot say what the contract says now. Write it "
            "anew: Contract.model_validate(contract.model_dump()).to_odcs()."
        )
    return result


def _edit_table(chosen: Part, before: Contract, contract: Contract) -> None:
    table: Any = chosen.data
    said = quoted(described(contract))
    if before.description != contract.description:
        _put(table, "description", said.get("description"))
    if any(getattr(before, f) != getattr(contract, f) for f in ("freq", "timezone", "severity")):
        _put(table, "customProperties", _customs(table, said.get("customProperties", [])))
    old = {part["name"]: part for part in table["properties"]}
    known = {column.name: column for column in before.columns}
    listed = [_edit_property(old.get(c.name), known.get(c.name), c, contract) for c in contract.columns]
    if [id(part) for part in listed] != [id(part) for part in table["properties"]]:
        table["properties"][:] = listed


def _edit_property(part: Any, before: Column | None, column: Column, contract: Contract) -> Any:
    wanted = quoted(property_of(column, contract))
    if part is None:
        return wanted
    if before == column:
        return part
    kind = part.get("logicalType")
    if kind == "integer" and wanted["logicalType"] == "number":
        wanted["logicalType"] = kind
    options = {k: v for k, v in (part.get("logicalTypeOptions") or {}).items() if k not in _BOUNDS}
    options |= wanted.get("logicalTypeOptions", {})
    if kind == wanted["logicalType"] and options:
        wanted["logicalTypeOptions"] = options
    wanted["customProperties"] = _customs(part, wanted["customProperties"])
    for key in _OURS:
        if part.get(key) != wanted.get(key):
            _put(part, key, wanted.get(key))
    for key in set(wanted) - set(_OURS):
        part[key] = wanted[key]
    return part


def _customs(part: Mapping[str, Any], wanted: list[dict[str, Any]]) -> list[Any] | None:
    """The custom properties of others as they are, and then ours."""
    found = part.get("customProperties") or []
    return [own for own in found if not _ours(own)] + wanted or None


def _ours(own: Mapping[str, Any]) -> bool:
    vendor, written = own.get("vendor"), str(own.get("property") or "")
    return vendor == VENDOR or (vendor is None and written.startswith(VENDOR) and written != VENDOR)


def _put(part: Any, key: str, value: Any) -> None:
    if value is None:
        part.pop(key, None)
    else:
        part[key] = value
