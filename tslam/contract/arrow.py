"""Roles in the field metadata of Arrow and Parquet: nothing inferred passes for something logged.

Each field says what it is under ``tslam.role``: ``action``, ``exogenous``, ``observation``, ``latent``,
``time``, ``series`` or ``ignore``; beside it ``tslam.kind``, ``tslam.timing`` and ``tslam.unit``, if known.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narwhals.dependencies import is_pandas_dataframe

from tslam.contract.frames import to_polars, with_index
from tslam.contract.latents import is_latent_name
from tslam.contract.model import Column, Contract
from tslam.contract.parquet import files_at
from tslam.contract.roles import INPUT_ROLES, Role
from tslam.errors import ContractError, RoleError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PANDAS_KEY", "ROLE_KEY", "disguised", "refuse_disguised", "roles_in", "to_arrow", "write_parquet"]

ROLE_KEY = "tslam.role"
PANDAS_KEY = "tslam.roles"
_MEASURED = INPUT_ROLES | {Role.OBSERVATION}


def to_arrow(contract: Contract, frame: Any) -> "pa.Table":
    """A frame as an Arrow table whose fields say what they are.

    Args:
        contract: what each column is; others get no role.
        frame: polars or pandas frame, LazyFrame (collected) or Arrow table: measured columns, or time, series
            and nothing but latents.

    Raises:
        RoleError: a measured column holds an inferred latent, or latents stand among measured columns.
        FrameError: this is not a frame.
    """
    import pyarrow as pa  # noqa: PLC0415 - only where Arrow is asked for

    refuse_disguised(frame, contract)
    rows = to_polars(with_index(frame, contract.time) if is_pandas_dataframe(frame) else frame)
    known = {column.name: column for column in contract.columns}
    latents = [name for name in rows.columns if is_latent_name(name) and name not in known]
    keys = {contract.time, contract.series}
    measured = [name for name in rows.columns if name not in latents and name not in keys]
    if latents and measured:
        raise RoleError(
            f"The frame has inferred latents {latents} beside measured columns {measured[:5]}. Write the "
            "latents to a table of their own, with the time."
        )
    known |= {name: Column(name=name, role=Role.LATENT) for name in latents}
    table = rows.to_arrow()
    fields = [
        field.with_metadata((field.metadata or {}) | _said(known[field.name]))
        if field.name in known
        else field
        for field in table.schema
    ]
    named = (table.schema.metadata or {}) | {
        b"tslam.contract": f"{contract.name} {contract.version}".encode()
    }
    return table.cast(pa.schema(fields, metadata=named))


def write_parquet(contract: Contract, frame: Any, path: str | Path) -> None:
    """Write a frame to a Parquet file whose fields say what they are; whole or not at all.

    Args:
        contract: as for ``to_arrow``, and so the following.
        frame: the frame.
        path: the file.

    Raises:
        ContractError: the file cannot be written.
    """
    from pyarrow import parquet  # noqa: PLC0415 - only where Parquet is asked for

    table, target = to_arrow(contract, frame), Path(path)
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}")
    try:
        try:
            parquet.write_table(table, draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as found:
        raise ContractError(f"{str(path)!r} cannot be written: {found}. Give another path.") from found


def roles_in(source: Any) -> dict[str, str]:
    """What the columns of a source say that they are, where they say it.

    Args:
        source: Arrow table or schema, pandas frame, or a path, folder or glob of Parquet files; polars has no
            place for it.
    """
    if is_pandas_dataframe(source):
        said = source.attrs.get(PANDAS_KEY, {})
        return {str(name): str(role) for name, role in said.items() if name in source.columns}
    if isinstance(source, str | Path):
        return _in_files(str(source))
    if type(source).__module__.partition(".")[0] != "pyarrow":
        return {}
    return _in_schema(getattr(source, "schema", source))


def disguised(source: Any, contract: Contract) -> list[str]:
    """Columns that the contract has as measured, and that say themselves that they were inferred."""
    said = roles_in(source)
    return [c.name for c in contract.columns if c.role in _MEASURED and said.get(c.name) == Role.LATENT]


def refuse_disguised(source: Any, contract: Contract) -> None:
    """Nothing inferred is taken for something logged or measured.

    Raises:
        RoleError: a column says that it holds an inferred latent, and the contract that it was measured.
    """
    for name in disguised(source, contract):
        raise RoleError(
            f"Column {name!r} holds an inferred latent, as its field metadata say ({ROLE_KEY}), and has the "
            f"role {contract.column(name).role.value!r}. A latent is no log of what was done: give the one "
            "that was kept, or align the latent with it (model.align)."
        )


def _in_files(path: str) -> dict[str, str]:
    if "://" in path:
        return {}
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - only where Parquet is asked for

    said: dict[str, str] = {}
    for file in files_at(path):
        try:
            schema = parquet.read_schema(file)
        except (ArrowException, OSError):  # a file that is not whole is refused where it is read
            continue
        said |= _in_schema(schema)
    return said


def _in_schema(schema: Any) -> dict[str, str]:
    said = {}
    for field in schema if hasattr(schema, "field") else ():
        role = (field.metadata or {}).get(ROLE_KEY.encode())
        if role is not None:
            said[field.name] = role.decode("utf-8", "replace")
    return said


def _said(column: Column) -> dict[bytes, bytes]:
    words = {"role": column.role, "kind": column.kind, "unit": column.unit}
    if column.role in INPUT_ROLES:
        words["timing"] = column.timing
    return {
        f"tslam.{word}".encode(): str(value).encode() for word, value in words.items() if value is not None
    }
