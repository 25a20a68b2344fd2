"""A contract from an Open Data Contract Standard document, v3."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tslam.contract.model import Column, Contract, SeverityRule
from tslam.contract.odcs_words import COLUMN_WORDS, TABLE_WORDS, VENDOR, camel, snake
from tslam.contract.roles import INPUT_ROLES, Kind, Role, Timing
from tslam.contract.yaml_document import Part, load
from tslam.errors import ContractError, TslamError

__all__ = ["Proposal", "check_head", "choose", "parse", "proposals"]

_STAMPS = ("timestamp", "date")
_NUMBERS = ("number", "integer")
_MISPLACED = {camel(f"{VENDOR}_{word}") for word in COLUMN_WORDS} | set(COLUMN_WORDS) - {"required"}
"""Words that stand under customProperties and are found beside the fields of the standard."""

_CHOICES = {"role": [*map(str, Role)], "timing": [*map(str, Timing)], "kind": [*map(str, Kind)]}
"""Words whose values are few."""


def parse(text: str, source: str, table: str | None = None) -> tuple[Contract, tuple[str, ...]]:
    """Read a contract.

    Args:
        text: the document.
        source: what to call it in messages.
        table: name of the schema object, where the document has several.

    Returns:
        The contract, and what was derived rather than read, one plain sentence each.

    Raises:
        ContractError: the document cannot be read, or says what cannot be.
    """
    root = load(text, source)
    check_head(root)
    chosen = choose(root, table)
    notes: list[str] = []
    said = _said(chosen, TABLE_WORDS) | {"columns": tuple(_columns(chosen, notes))}
    said["name"] = root.text("name") or chosen.text("name")
    if root.data.get("version") is not None:
        said["version"] = root.value("version")
    for key in ("freq", "version"):
        if isinstance(said.get(key), int | float):
            said[key] = str(said[key])
    said.setdefault("timezone", _default_timezone(chosen, said["columns"]))
    try:
        contract = Contract(**said, description=chosen.text("description"))
    except TslamError as found:
        raise chosen.error(f"table {chosen.text('name')!r}: {found}", "properties") from found
    return contract.read_from(text, table), tuple(notes)


@dataclass(frozen=True)
class Proposal:
    """What a patch says about one column: its fields, and the way back to its place."""

    name: str
    fields: dict[str, Any]
    error: Callable[[str], ContractError]


def proposals(text: str, source: str) -> tuple[Proposal, ...]:
    """The columns of a patch, which need not be a whole table; none where its schema is empty.

    Raises:
        ContractError: the document cannot be read, or a column stands in it twice.
    """
    root = load(text, source)
    check_head(root)
    if "schema" in root.data and not list(root.parts("schema")):
        return ()
    found: dict[str, Proposal] = {}
    for part in choose(root, None).parts("properties"):
        fields = _fields(part)
        _refuse_twice(part, fields["name"], found)
        seen = _kind_seen(fields["role"], part.text("logicalType")) if "role" in fields else None
        if seen is not None and "levels" not in fields:
            fields.setdefault("kind", seen)
        found[fields["name"]] = Proposal(fields["name"], fields, part.error)
    return tuple(found.values())


def _refuse_twice(part: Part, name: str, known: Collection[str]) -> None:
    if name in known:
        raise part.error(
            f"columns {[name]} stand more than once in the contract. Give each column one role.", "name"
        )


def check_head(root: Part) -> None:
    """Refuse what is no contract, or of a version that is not read.

    Raises:
        ContractError: it is not.
    """
    kind, version = root.value("kind"), root.value("apiVersion")
    if kind not in (None, "DataContract"):
        raise root.error(f"kind is {kind!r}; expected 'DataContract'. Give an ODCS data contract.", "kind")
    if version is not None and not str(version).startswith("v3."):
        raise root.error(
            f"apiVersion is {version!r}; this reads ODCS v3. Bring the contract up to v3.1.0.", "apiVersion"
        )


def choose(root: Part, table: str | None) -> Part:
    """The schema object to read; those that hold only latents are no choice."""
    if "schema" not in root.data:
        raise root.error("there is no schema. Describe the table under schema, as a list with one object.")
    tables: dict[str, Part] = {}
    for part in root.parts("schema"):
        name = part.text("name")
        if name is None or name in tables:
            raise part.error(f"a schema object called {name!r}. Give each a name of its own.", "name")
        tables[name] = part
    measured = [name for name, part in tables.items() if not _holds_latents(part)]
    if table is not None:
        if table not in tables:
            raise root.error(
                f"there is no schema object {table!r}; found {list(tables)}. Name one.", "schema"
            )
        return tables[table]
    ours = [name for name in measured if _has_roles(tables[name])]
    if len(measured) == 1 or len(ours) == 1:
        return tables[(ours or measured)[0]]
    if not measured:
        raise root.error(
            f"schema has no table of measured columns; found {list(tables)}. Describe it.", "schema"
        )
    raise root.error(
        f"schema has several objects, {measured}. Say which one the frame is: table={measured[0]!r}.",
        "schema",
    )


def _has_roles(table: Part) -> bool:
    """Does a column of the table say its role, so that this is the one for tslam to read?"""
    return any("role" in _said(part, COLUMN_WORDS) for part in table.parts("properties"))


def _holds_latents(table: Part) -> bool:
    parts = list(table.parts("properties"))
    roles = [
        _said(part, COLUMN_WORDS).get("role", Role.TIME if part.value("logicalType") in _STAMPS else None)
        for part in parts
    ]
    return Role.LATENT in roles and all(role in (Role.LATENT, Role.TIME, Role.SERIES) for role in roles)


def _columns(table: Part, notes: list[str]) -> Iterator[Column]:
    parts = list(table.parts("properties"))
    if not parts:
        raise table.error(f"table {table.text('name')!r} has no properties. List its columns there.")
    said: list[dict[str, Any]] = []
    for part in parts:
        fields = _fields(part)
        _refuse_twice(part, fields["name"], {known["name"] for known in said})
        said.append(fields)
    _derive_roles(table, parts, said, notes)
    for part, fields in zip(parts, said, strict=True):
        try:
            yield Column(**fields)
        except TslamError as found:
            raise part.error(str(found)) from found


def _fields(part: Part) -> dict[str, Any]:
    """What a property says about its column; the role only where it is said."""
    name = part.text("name")
    if not name:
        raise part.error("a property without a name. Give it the name of the column.")
    for key in part.data:
        if key in _MISPLACED:
            word = key if key.startswith(VENDOR) else camel(f"{VENDOR}_{snake(key)}")
            raise part.error(
                f"column {name!r}: {key!r} is no field of the standard. Put it under customProperties, as "
                f"{{property: {word}, value: {part.value(key)}}}.",
                key,
            )
    fields = _said(part, COLUMN_WORDS) | {"name": name}
    if part.text("description") is not None:
        fields["description"] = part.text("description")
    kind, options = part.text("logicalType"), part.part("logicalTypeOptions")
    if options is not None and kind in _NUMBERS:
        for bound in ("minimum", "maximum"):
            if options.value(bound) is not None:
                fields.setdefault(bound, options.value(bound))
    if part.data.get("enum") is not None:
        fields.setdefault("levels", tuple(level.value("value") for level in part.parts("enum")))
    return fields


def _derive_roles(table: Part, parts: list[Part], said: list[dict[str, Any]], notes: list[str]) -> None:
    """Give the columns without a role the one that their logical type suggests, and say so."""
    types = [part.text("logicalType") for part in parts]
    blank = [index for index, fields in enumerate(said) if "role" not in fields]
    stamps = [index for index in blank if types[index] in _STAMPS]
    if not any(fields.get("role") == Role.TIME for fields in said):
        if len(stamps) != 1:
            found = [said[index]["name"] for index in stamps]
            raise table.error(
                f"no column has the role 'time', and {found or 'no column'} could be it by logicalType "
                "(timestamp or date). Add to one customProperties: [{property: tslamRole, value: time}].",
                "properties",
            )
        said[stamps[0]]["role"] = Role.TIME
        notes.append(
            f"Column {said[stamps[0]]['name']!r} is the time: the only timestamp without a tslamRole."
        )
    derived: dict[Role, list[str]] = {Role.OBSERVATION: [], Role.IGNORE: []}
    for index in blank:
        role = Role.OBSERVATION if types[index] in _NUMBERS else Role.IGNORE
        if said[index].setdefault("role", role) == role:
            derived[role].append(said[index]["name"])
    for role, how in ((Role.OBSERVATION, "taken as observations"), (Role.IGNORE, "ignored")):
        if derived[role]:
            notes.append(f"Without a tslamRole, {how} by their logicalType: {', '.join(derived[role])}.")
    for fields, kind in zip(said, types, strict=True):
        seen = _kind_seen(fields["role"], kind)
        if seen is not None and "levels" not in fields:
            fields.setdefault("kind", seen)


def _kind_seen(role: str, logical: str | None) -> Kind | None:
    if role == Role.TIME:
        return Kind.CONTINUOUS if logical in _NUMBERS else None
    if role in {*INPUT_ROLES, Role.OBSERVATION}:
        return {"boolean": Kind.BOOLEAN, "string": Kind.CATEGORICAL}.get(logical or "")
    return None


def _said(part: Part, words: Mapping[str, str]) -> dict[str, Any]:
    """Fields that the custom properties of tslam give, by field name."""
    said: dict[str, Any] = {}
    for own in part.parts("customProperties"):
        written, vendor = own.text("property") or "", own.text("vendor")
        ours = vendor == VENDOR or (vendor is None and written.startswith(VENDOR) and written != VENDOR)
        if not ours:
            continue
        word = written.removeprefix(VENDOR)
        word = word[:1].lower() + word[1:]
        if word not in words:
            raise _unknown(own, f"the custom property {written!r}", word, list(words), "property")
        value = own.value("value")
        if word in _CHOICES and value not in _CHOICES[word]:
            raise _unknown(own, f"{written} {value!r}", str(value), _CHOICES[word], "value")
        if word == "severity":
            value = _severity(own)
        elif isinstance(value, list):
            value = tuple(value)
        if said.setdefault(words[word], value) != value:
            raise own.error(
                f"{written!r} is said twice, as {said[words[word]]!r} and {value!r}. Keep one.", "value"
            )
    return said


def _severity(own: Part) -> SeverityRule:
    rule = own.part("value")
    if rule is None:
        raise own.error("the severity is empty. Give warningQ, warningShare, criticalQ or criticalShare.")
    try:
        return SeverityRule(**{snake(str(key)): rule.value(key) for key in rule.data})
    except TslamError as found:
        raise rule.error(str(found)) from found


def _default_timezone(table: Part, columns: tuple[Column, ...]) -> str | None:
    """The standard's own place for the time zone."""
    clock = next((column.name for column in columns if column.role is Role.TIME), None)
    for part in table.parts("properties"):
        options = part.part("logicalTypeOptions")
        if part.text("name") == clock and options is not None:
            return options.text("defaultTimezone")
    return None


def _unknown(part: Part, what: str, word: str, known: list[str], key: str | None = None) -> ContractError:
    close = get_close_matches(word, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}."
    return part.error(f"{what} is not known; {hint}", key)
