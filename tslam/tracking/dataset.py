"""A frame as MLflow knows it: the signature of a model, the record of a data set; never the rows."""

import json

import polars as pl
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from tslam.contract.model import Contract

__all__ = ["dataset_input", "signature"]

_DIGEST_LENGTH = 36  # the width of MLflow's column


def signature(frame: pl.DataFrame, contract: Contract) -> ModelSignature:
    """What a logged model takes: the contract's columns as they stand in a frame.

    Numbers and times are of any type. MLflow would refuse whole numbers where it saw fractions and the
    reverse, time zones altogether, and a time in the index; tslam's own checks are the ones that know better.
    """
    loose = {DataType.long, DataType.double, DataType.datetime, None}
    columns = [
        ColSpec(AnyType(), name, required=False)
        if kind in loose
        else ColSpec(kind, name, required=contract.column(name).required)
        for name, kind in _types(frame, contract).items()
    ]
    return ModelSignature(inputs=Schema(columns))


def dataset_input(frame: pl.DataFrame, contract: Contract, digest: str, *, context: str) -> DatasetInput:
    """The record of a data set: its digest, columns and size, tagged with the role of each column.

    Args:
        frame: the data.
        contract: says what each column is.
        digest: of the values.
        context: what the data were used for, such as ``training``.
    """
    types = _types(frame, contract)
    columns = Schema([ColSpec(kind or AnyType(), name, required=False) for name, kind in types.items()])
    tags = {"mlflow.data.context": context} | {f"tslam.role.{c.name}": c.role.value for c in contract.columns}
    return DatasetInput(
        Dataset(
            name=contract.name,
            digest=digest[:_DIGEST_LENGTH],
            source_type="code",
            source=json.dumps({"tags": {"tslam.data_digest": digest}}),
            schema=json.dumps({"mlflow_colspec": columns.to_dict()}),
            profile=json.dumps({"num_rows": frame.height, "num_elements": frame.height * len(types)}),
        ),
        tags=[InputTag(key[:255], value) for key, value in tags.items()],
    )


def _types(frame: pl.DataFrame, contract: Contract) -> dict[str, DataType | None]:
    """MLflow's type of each column that the contract names; None where it has none that fits."""
    known = {c.name for c in contract.columns}
    return {name: _type(kind) for name, kind in frame.schema.items() if name in known}


def _type(kind: pl.DataType) -> DataType | None:
    if kind.is_integer():
        return DataType.long
    if kind.is_numeric():
        return DataType.double
    if kind == pl.Boolean:
        return DataType.boolean
    if kind == pl.Datetime and getattr(kind, "time_zone", None) is None:
        return DataType.datetime
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return DataType.string
    return None
