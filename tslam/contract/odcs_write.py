"""A contract as an Open Data Contract Standard document, v3.1.0."""

from collections.abc import Iterable, Mapping
from typing import Any

from tslam.contract.latents import is_latent_name
from tslam.contract.model import Column, Contract, SeverityRule
from tslam.contract.odcs_words import API_VERSION, COLUMN_WORDS, TABLE_WORDS, VENDOR, camel
from tslam.contract.roles import Kind, Role
from tslam.contract.yaml_document import dump
from tslam.errors import ContractError

__all__ = ["custom", "described", "latent_table", "logical_type", "property_of", "render"]


def render(contract: Contract, latents: Iterable[str] = ()) -> str:
    """The YAML text of a contract.

    Args:
        contract: what to write.
        latents: names of inferred latents; they stand in a schema object of their own.

    Raises:
        ContractError: a latent is not called like one, or is named twice.
    """
    columns = [property_of(column, contract) for column in contract.columns]
    tables = [described(contract) | {"properties": columns}]
    names = list(latents)
    if names:
        tables.append(latent_table(contract, names))
    document = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": contract.name,
        "name": contract.name,
        "version": contract.version,
        "status": "active",
        "schema": tables,
    }
    return dump(document)


def logical_type(column: Column) -> str:
    """The ODCS logical type of a column; text where the contract does not tell."""
    if column.role is Role.TIME:
        return "number" if column.kind is Kind.CONTINUOUS else "timestamp"
    if column.role in {Role.SERIES, Role.IGNORE}:
        return "string"
    if column.kind is Kind.BOOLEAN:
        return "boolean"
    if column.levels is None:
        return "string" if column.kind is Kind.CATEGORICAL else "number"
    return "number" if all(isinstance(level, float) for level in column.levels) else "string"


def custom(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Custom properties, each with the vendor's name before it."""
    return [{"property": camel(f"{VENDOR}_{word}"), "value": value} for word, value in said.items()]


def described(contract: Contract) -> dict[str, Any]:
    """The table without its columns."""
    table: dict[str, Any] = {"name": contract.name, "logicalType": "object"}
    if contract.description is not None:
        table["description"] = contract.description
    said = {field: _value(getattr(contract, field)) for field in TABLE_WORDS.values()}
    said = {field: value for field, value in said.items() if value not in (None, {})}
    if said:
        table["customProperties"] = custom(said)
    return table


def property_of(column: Column, contract: Contract) -> dict[str, Any]:
    """A column as a property of a schema object."""
    written: dict[str, Any] = {"name": column.name, "logicalType": logical_type(column)}
    if column.description is not None:
        written["description"] = column.description
    if column.role in {Role.TIME, Role.SERIES}:
        first = column.role is Role.SERIES or contract.series is None
        written |= {"required": True, "primaryKey": True, "primaryKeyPosition": 1 if first else 2}
    fields = column.model_dump(exclude_defaults=True, exclude={"severity"})
    said = {field: _value(fields[field]) for field in COLUMN_WORDS.values() if field in fields}
    if column.severity is not None:
        said["severity"] = _value(column.severity)
    if written["logicalType"] == "number":
        bounds = {bound: said.pop(bound) for bound in ("minimum", "maximum") if bound in said}
        if bounds:
            written["logicalTypeOptions"] = bounds
    written["customProperties"] = custom(said)
    return written


def latent_table(contract: Contract, names: list[str]) -> dict[str, Any]:
    """The schema object of inferred latents: beside the measured table, never in it.

    Raises:
        ContractError: a latent is not called like one, or is named twice.
    """
    wrong = sorted({name for name in names if not is_latent_name(name) or names.count(name) > 1})
    if wrong:
        raise ContractError(
            f"Found the latents {names}; expected names such as latent_0, each once. Give the names of the "
            "model's latents."
        )
    keys = [c for c in contract.columns if c.role in {Role.SERIES, Role.TIME}]
    inferred = [
        {
            "name": name,
            "logicalType": "number",
            "description": "Inferred by a latent action model; not measured, not logged, not a command.",
            "transformSourceObjects": [contract.name],
            "customProperties": custom({"role": Role.LATENT.value}),
        }
        for name in names
    ]
    return {
        "name": f"{contract.name}_latents",
        "logicalType": "object",
        "description": f"Latent actions inferred from {contract.name}.",
        "properties": [*(property_of(column, contract) for column in keys), *inferred],
    }


def _value(found: Any) -> Any:
    """A field's value as plain data: whole numbers without a point, names in camel case."""
    if isinstance(found, SeverityRule):
        return {
            camel(field): _value(value) for field, value in found.model_dump(exclude_defaults=True).items()
        }
    if isinstance(found, str):
        return str(found)
    if isinstance(found, float) and found.is_integer() and abs(found) < 2**53:
        return int(found)
    return [_value(item) for item in found] if isinstance(found, tuple) else found
