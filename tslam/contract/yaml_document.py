"""YAML in and out: size and aliases bounded, every complaint with its line and column."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarbool import ScalarBoolean
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from tslam.errors import ContractError

__all__ = ["MAX_CHARACTERS", "MAX_NODES", "Part", "dump", "load", "quoted", "rewritten", "text_of"]

MAX_CHARACTERS = 1_000_000
"""Longest document that is read; a contract of a thousand columns has about a third of it."""

MAX_NODES = 200_000
"""Most values of a document once its aliases are written out."""

MAX_DEPTH = 50
"""Deepest nesting that is read."""

_OUTSIDE = re.compile(r"!(include|import|file)\b", re.IGNORECASE)
"""Tags that other tools follow to another file."""

_Scalar = TypeVar("_Scalar", str, bool)
_PLAIN = re.compile(r"(?!(y|n|yes|no|on|off|true|false|null)$)[A-Za-z][\w ./%()+,;'-]*", re.IGNORECASE)
"""Text that no version of YAML takes for anything but text; all else is written in quotes."""


def text_of(path_or_text: str | Path) -> tuple[str, str]:
    """The text of a document, and what to call it in messages.

    A string with a line break or a brace is text; any other is a path.

    Raises:
        ContractError: there is no such file, or it is too long or not UTF-8.
    """
    if isinstance(path_or_text, str) and re.search(r"[\n{]", path_or_text):
        return path_or_text, "the text"
    path = Path(path_or_text)
    try:
        text = _bytes_of(path).decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as found:
        before = found.object[: found.start]
        line, column = before.count(b"\n") + 1, found.start - before.rfind(b"\n")
        raise ContractError(
            f"{path}, line {line}, column {column}: not UTF-8 text ({found.reason} at byte {found.start}). "
            "Save it as UTF-8."
        ) from found
    except (OSError, ValueError) as found:
        raise ContractError(f"{str(path)!r} cannot be read: {found}. Give the path of a contract.") from found
    return text, str(path)


def _bytes_of(path: Path) -> bytes:
    size = path.stat().st_size
    if not path.is_file():
        raise OSError("it is not a file")
    if size > 4 * MAX_CHARACTERS:
        raise OSError(f"it has {size:,} bytes, and at most {MAX_CHARACTERS:,} characters are read")
    return path.read_bytes()


def load(text: str, source: str) -> "Part":
    """The mapping that a YAML document holds.

    Args:
        text: the document.
        source: what to call it in messages.

    Raises:
        ContractError: not YAML, not a mapping, too long, or too much once aliases are written out.
    """
    if len(text) > MAX_CHARACTERS:
        raise ContractError(f"{source} has {len(text):,} characters; {_too_long()}")
    yaml = YAML(typ="rt", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.preserve_quotes = True
    try:
        node = yaml.compose(text)
        if node is not None:
            _weight(node, {}, source)
        data = None if node is None else yaml.constructor.construct_document(node)
    except ContractError:
        raise
    except MarkedYAMLError as found:
        mark = found.problem_mark or found.context_mark
        at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ContractError(
            f"{source}{at}: not YAML: {found.problem or found.context}. Mend the text."
        ) from found
    except YAMLError as found:
        raise ContractError(f"{source}: not YAML: {' '.join(str(found).split())}. Mend the text.") from found
    except Exception as found:  # the parser lets what its constructors raise through
        raise ContractError(f"{source}: not YAML that can be read: {found!r}. Mend the text.") from found
    if not isinstance(data, Mapping):
        what = "nothing" if data is None else "a list" if isinstance(data, list) else "a single value"
        raise ContractError(
            f"{source}, line 1, column 1: found {what} where a mapping was expected. A contract is a mapping "
            "with the keys apiVersion, kind, id, version, schema."
        )
    return Part(data, source)


def dump(data: Mapping[str, Any]) -> str:
    """The YAML text of plain data, which YAML 1.1 and 1.2 read alike."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Representer = _Quoting
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def rewritten(data: Mapping[str, Any], text: str) -> str:
    """The YAML text of a document that was loaded and changed, indented as ``text`` is."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Representer = _Keeping
    yaml.width = 4096
    listed = re.search(r"^schema:[^\n]*\n(?: *#[^\n]*\n)*( *)-", text, re.MULTILINE)
    offset = 2 if listed is None else len(listed[1])
    yaml.indent(mapping=2, sequence=2 + offset, offset=offset)
    out = StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def quoted(found: Any) -> Any:
    """Plain data to put into a document, its text in quotes unless every YAML takes it for text."""
    if isinstance(found, Mapping):
        return {key: quoted(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [quoted(item) for item in found]
    return (
        DoubleQuotedScalarString(found) if isinstance(found, str) and not _PLAIN.fullmatch(found) else found
    )


@dataclass(frozen=True)
class Part:
    """One mapping of a document, with the way back to its line and column."""

    data: Mapping[Any, Any]
    source: str

    def error(self, found: str, key: Any = None) -> ContractError:
        """A complaint about this mapping, or about one of its keys."""
        line, column = self._at(key)
        return ContractError(f"{self.source}, line {line + 1}, column {column + 1}: {found}")

    def text(self, key: str) -> str | None:
        """The text under a key, None where there is none."""
        return self._scalar(key, str)

    def flag(self, key: str) -> bool | None:
        """The truth value under a key, None where there is none."""
        return self._scalar(key, bool)

    def value(self, key: str) -> Any:
        """The value under a key as plain Python, None where there is none."""
        try:
            return _plain(self.data.get(key))
        except (TypeError, UnicodeError) as found:
            raise self.error(f"{key!r} is {found}. Write plain YAML, text in quotes.", key) from found

    def part(self, key: str) -> "Part | None":
        """The mapping under a key, None where there is none."""
        found = self.data.get(key)
        if found is not None and not isinstance(found, Mapping):
            raise self.error(f"{key!r} is {found!r:.80}; expected a mapping.", key)
        return None if found is None else Part(found, self.source)

    def parts(self, key: str) -> Iterator["Part"]:
        """The mappings in the list under a key, none where there is no list."""
        found = self.data.get(key)
        if found is None:
            return
        if not isinstance(found, Sequence) or isinstance(found, str):
            raise self.error(f"{key!r} is {found!r:.80}; expected a list.", key)
        for position, item in enumerate(found):
            if not isinstance(item, Mapping):
                raise self.error(f"item {position + 1} of {key!r} is {item!r:.80}; expected a mapping.", key)
            yield Part(item, self.source)

    def _scalar(self, key: str, kind: type[_Scalar]) -> _Scalar | None:
        found = self.value(key)
        if found is not None and not isinstance(found, kind):
            wanted = {str: "text; put it in quotes", bool: "true or false"}[kind]
            raise self.error(f"{key!r} is {found!r:.80}; expected {wanted}.", key)
        return found

    def _at(self, key: Any) -> tuple[int, int]:
        place = self.data.lc  # type: ignore[attr-defined] # ruamel's mappings carry their place
        if key in (place.data or {}):
            line, column = place.value(key)
            return int(line), int(column)
        return int(place.line or 0), int(place.col or 0)


class _Keeping(RoundTripRepresenter):
    """Writes what was read as it was written, and floats with every digit, for YAML 1.1 and 1.2."""

    def represent_float(self, data: float) -> ScalarNode:
        """A float, with the point that YAML 1.1 asks for."""
        text = repr(float(data))
        return self.represent_scalar(
            "tag:yaml.org,2002:float", text if "." in text else text.replace("e", ".0e", 1)
        )

    def represent_read(self, data: ScalarFloat) -> ScalarNode:
        """A float as it was written, unless that loses digits."""
        node: ScalarNode = self.represent_scalar_float(data)
        return node if float(node.value.replace("_", "")) == float(data) else self.represent_float(data)


_Keeping.add_representer(float, _Keeping.represent_float)
_Keeping.add_representer(ScalarFloat, _Keeping.represent_read)


class _Quoting(_Keeping):
    """Quotes what YAML 1.1 would take for something else than text."""

    def represent_str(self, data: str) -> ScalarNode:
        """Text, in quotes unless every YAML takes it for text."""
        return self.represent_scalar(
            "tag:yaml.org,2002:str", data, style=None if _PLAIN.fullmatch(data) else '"'
        )


_Quoting.add_representer(str, _Quoting.represent_str)


def _too_long() -> str:
    return f"at most {MAX_CHARACTERS:,} characters are read. Is it a contract?"


def _weight(node: Node, known: dict[int, int | None], source: str) -> int:
    """Number of values under a node with its aliases written out."""
    _refuse_outside(node, source)
    if isinstance(node, ScalarNode):
        return 1
    place = id(node)
    if place not in known:
        known[place] = None
        below = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
        whole = 1 + sum(_weight(part, known, source) for part in below)
        if whole > MAX_NODES:
            raise ContractError(
                f"{_place(node, source)}: holds {whole:,} values once its aliases are written out; at "
                f"most {MAX_NODES:,} are read. Use fewer aliases."
            )
        known[place] = whole
    weight = known[place]
    if weight is None:
        raise ContractError(
            f"{_place(node, source)}: an alias stands inside what it stands for. Write the value out."
        )
    return weight


def _refuse_outside(node: Node, source: str) -> None:
    """One contract is one file: nothing that it names is opened, so what would have to be is refused."""
    keys = [key for key, _ in node.value if key.value == "$ref"] if isinstance(node, MappingNode) else []
    if keys or _OUTSIDE.match(str(node.tag or "")):
        said = "$ref" if keys else str(node.tag)
        raise ContractError(
            f"{_place(keys[0] if keys else node, source)}: {said!r} refers to a place outside of the table. "
            "No other file is opened for a contract: write out what stands there."
        )


def _place(node: Node, source: str) -> str:
    return f"{source}, line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"


def _plain(found: Any) -> Any:
    """Python's own types in place of those that remember how they were written."""
    if found is None or isinstance(found, bool):
        return found
    if isinstance(found, ScalarBoolean):
        return bool(found)
    if isinstance(found, str):  # JSON escapes what lies beyond 16 bits as two halves
        return found.encode("utf-16", "surrogatepass").decode("utf-16")
    for kind in (int, float):
        if isinstance(found, kind):
            return kind(found)
    if isinstance(found, Mapping):
        return {_plain(key): _plain(value) for key, value in found.items()}
    if isinstance(found, Sequence) and not isinstance(found, bytes):
        return [_plain(item) for item in found]
    raise TypeError(f"a {type(found).__name__} ({found})")
