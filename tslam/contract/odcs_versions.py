"""One document in the words of another version of the standard: v3.2 names the vendor beside the property."""

from typing import Any

from tslam.contract.odcs_words import VENDOR
from tslam.contract.yaml_document import load, rewritten
from tslam.errors import ContractError

__all__ = ["VERSIONS", "restated"]

VERSIONS = ("v3.1.0", "v3.2.0")


def restated(text: str, version: str) -> str:
    """A document in another version of the standard: tslam's own properties are said its way.

    Args:
        text: the document, v3.
        version: ``"v3.1.0"`` (``tslamRole``) or ``"v3.2.0"`` (``role`` of the vendor ``tslam``).

    Raises:
        ContractError: this version is not written.
    """
    if version not in VERSIONS:
        raise ContractError(f"Found the version {version!r} of the standard; written are {list(VERSIONS)}.")
    data: Any = load(text, "the document").data
    if data.get("apiVersion") == version:
        return text
    data["apiVersion"] = version
    _restate(data, with_vendor=version != VERSIONS[0])
    return rewritten(data, text)


def _restate(data: Any, *, with_vendor: bool) -> None:
    if isinstance(data, dict):
        for own in data.get("customProperties") or ():
            (_name_vendor if with_vendor else _name_prefix)(own)
        for value in data.values():
            _restate(value, with_vendor=with_vendor)
    elif isinstance(data, list):
        for item in data:
            _restate(item, with_vendor=with_vendor)


def _name_vendor(own: Any) -> None:
    written = str(own.get("property") or "")
    if "vendor" not in own and written.startswith(VENDOR) and written != VENDOR:
        word = written.removeprefix(VENDOR)
        own["property"], own["vendor"] = word[0].lower() + word[1:], VENDOR


def _name_prefix(own: Any) -> None:
    if own.get("vendor") == VENDOR:
        word = str(own["property"]).removeprefix(VENDOR)
        own["property"] = f"{VENDOR}{word[0].upper()}{word[1:]}"
        del own["vendor"]
