"""A frame as MLflow knows it: the signature of a model, the record of a data set; never the rows."""

import json
from typing import Any

import narwhals as nw
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from tslam.contract.model import Contract
from tslam.contract.roles import Role

__all__ = ["dataset_input", "signature"]

_DIGEST_LENGTH = 36  # the width of MLflow's column


def signature(frame: Any, contract: Contract) -> ModelSignature:
    """What a logged model takes: the contract's columns as they stand in a frame.

    Numbers and zoned times are of any type. MLflow would refuse whole numbers where it saw fractions
    and the reverse, and time zones altogether; tslam's own checks are the ones that know better.
    """
    used = {c.name for c in contract.columns if c.role not in (Role.IGNORE, Role.LATENT)}
    types = {name: kind for name, kind in _types(frame).items() if name in used}
    loose = {DataType.long, DataType.double, None}
    columns = [
        ColSpec(AnyType(), name, required=False)
        if kind in loose
        else ColSpec(kind, name, required=contract.column(name).required)
        for name, kind in types.items()
    ]
    return ModelSignature(inputs=Schema(columns))


def dataset_input(frame: Any, contract: Contract, digest: str, *, context: str) -> DatasetInput:
    """The record of a data set: its digest, columns and size, tagged with the role of each column.

    Args:
        frame: polars or pandas frame.
        contract: says what each column is.
        digest: of the values.
        context: what the data were used for, such as ``training``.
    """
    known = {c.name for c in contract.columns}
    types = {name: kind for name, kind in _types(frame).items() if name in known}
    columns = Schema([ColSpec(kind or AnyType(), name, required=False) for name, kind in types.items()])
    rows = len(nw.from_native(frame, eager_only=True))
    tags = {"mlflow.data.context": context} | {f"tslam.role.{c.name}": c.role.value for c in contract.columns}
    return DatasetInput(
        Dataset(
            name=contract.name,
            digest=digest[:_DIGEST_LENGTH],
            source_type="code",
            source=json.dumps({"tags": {"tslam.data_digest": digest}}),
            schema=json.dumps({"mlflow_colspec": columns.to_dict()}),
            profile=json.dumps({"num_rows": rows, "num_elements": rows * len(types)}),
        ),
        tags=[InputTag(key[:255], value) for key, value in tags.items()],
    )


def _types(frame: Any) -> dict[str, DataType | None]:
    """MLflow's type of each column; None where it has none that fits."""
    return {name: _type(kind) for name, kind in nw.from_native(frame).collect_schema().items()}


def _type(kind: nw.dtypes.DType) -> DataType | None:
    if kind.is_integer():
        return DataType.long
    if kind.is_numeric():
        return DataType.double
    if kind == nw.Boolean:
        return DataType.boolean
    if kind == nw.Datetime and getattr(kind, "time_zone", None) is None:
        return DataType.datetime
    if kind in (nw.String, nw.Categorical, nw.Enum):
        return DataType.string
    return None
