"""A contract with an audit's patch applied: what should be logged becomes a column that is."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from tslam.contract.model import Column, Contract
from tslam.contract.odcs_read import Proposal, proposals
from tslam.contract.yaml_document import text_of
from tslam.errors import ContractError, TslamError

__all__ = ["apply"]

_SEMANTIC = re.compile(r"(\d+)\.(\d+)\.(\d+)", re.ASCII)


def apply(contract: Contract, patch: str | Path, rename: Mapping[str, str] | None = None) -> Contract:
    """A contract with what a patch adds and changes.

    Args:
        contract: what to change.
        patch: path or text of an ODCS document with the columns to add or to mend, as
            ``GapReport.contract_patch`` writes it.
        rename: names of the patch that got better ones, such as ``{"unlogged_action_on_level": "valve"}``.

    Returns:
        The contract with the columns; where there are any, its version has a new minor part.

    Raises:
        ContractError: the patch cannot be read, adds a column without a role, or has no column that is
            renamed.
        RoleError: the columns do not go together.
    """
    text, source = text_of(patch)
    found = {part.name: part for part in proposals(text, source)}
    names = dict(rename or {})
    unknown = [name for name in names if name not in found]
    if unknown:
        close = get_close_matches(unknown[0], found, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"The patch has {list(found)}."
        raise ContractError(f"{source} has no column {unknown[0]!r} to rename. {hint}")
    known = {column.name: column for column in contract.columns}
    columns = [_column(part, names.get(part.name, part.name), known) for part in found.values()]
    changed = [column for column in columns if known.get(column.name) != column]
    if not changed:
        return contract
    grown = contract.with_columns(changed)
    return grown.model_copy(update={"version": _next(contract.version)})


def _column(part: Proposal, name: str, known: Mapping[str, Column]) -> Column:
    if name not in known and "role" not in part.fields:
        raise part.error(
            f"column {name!r} is not in the contract and the patch gives it no role. Add to it "
            "customProperties: [{property: tslamRole, value: action}], or another role."
        )
    before = known[name].model_dump() if name in known else {}
    try:
        return Column.model_validate(before | part.fields | {"name": name})
    except TslamError as found:
        raise part.error(str(found)) from found


def _next(version: str) -> str:
    """The next minor version; what is no semantic version stays."""
    found = _SEMANTIC.fullmatch(version)
    return f"{found[1]}.{int(found[2]) + 1}.0" if found else version
