"""A contract as a pandera schema, for polars and for pandas, and the failures that each finds."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from tslam.contract.frame_rules import Family, Rule, rules
from tslam.contract.model import Contract
from tslam.contract.roles import Role

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Place",
    "family_in_pandas",
    "family_in_polars",
    "family_of",
    "keys_of",
    "pandas_failures",
    "polars_failures",
    "ready",
]

Place = tuple[str, str, int | None]
"""A failure: column, check, and row, counted from 0."""

_FAMILIES: dict[str, Family] = {
    "boolean": "boolean",
    "string": "text",
    "categorical": "text",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "datetime": "time",
    "datetime64": "time",
    "date": "time",
    "period": "time",
    "empty": "empty",
}


def family_in_polars(values: pl.Series) -> Family:
    """The family of a polars column."""
    return family_of(values.dtype)


def family_of(dtype: pl.DataType) -> Family:
    """The family of a polars type."""
    if dtype.is_numeric():
        return "number"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    if dtype in (pl.Datetime, pl.Date):
        return "time"
    return "boolean" if dtype == pl.Boolean else "empty" if dtype == pl.Null else "other"


def family_in_pandas(values: "pd.Series[Any]") -> Family:
    """The family of a pandas column; of Python objects, the family of what they are."""
    from pandas import ArrowDtype  # noqa: PLC0415 - only for frames that are pandas already
    from pandas.api import types  # noqa: PLC0415 - only for frames that are pandas already

    if isinstance(values.dtype, ArrowDtype):  # pandas tells some of its types, and polars all
        return family_of(pl.Series(values.array[:0].__arrow_array__()).dtype)
    if isinstance(values.dtype, types.CategoricalDtype):
        return _FAMILIES.get(types.infer_dtype(values.cat.categories, skipna=True), "other")
    if types.is_bool_dtype(values.dtype):
        return "boolean"
    if types.is_numeric_dtype(values.dtype):
        return "number"
    return _FAMILIES.get(types.infer_dtype(values, skipna=True), "other")


def polars_failures(frame: pl.DataFrame, contract: Contract, found: dict[str, Family]) -> list[Place]:
    """Failures of the columns in ``found`` (their families), as pandera finds them in a polars frame."""
    import pandera.polars as pa  # noqa: PLC0415 - takes most of a second to import

    def check(rule: Rule) -> Any:
        return pa.Check(lambda data: data.lazyframe.select(rule.holds(pl.col(data.key))), name=rule.name)

    comparable = frame.select(ready(pl.col(name), family) for name, family in found.items())
    keys = keys_of(contract, found)
    unique = Rule(
        "unique", "", lambda _: ~pl.struct(keys).is_duplicated() | pl.any_horizontal(pl.col(keys).is_null())
    )
    return _failures(pa.DataFrameSchema(_columns(contract, found, unique, pa.Column, check)), comparable)


def pandas_failures(frame: "pd.DataFrame", contract: Contract, found: dict[str, Family]) -> list[Place]:
    """Failures of the columns in ``found`` (their families), as pandera finds them in a pandas frame."""
    import pandas as pd  # noqa: PLC0415 - only for frames that are pandas already
    import pandera.pandas as pa  # noqa: PLC0415 - takes most of a second to import

    def check(rule: Rule) -> Any:
        return pa.Check(rule.holds, name=rule.name)

    ready = pd.DataFrame({name: _ready_in_pandas(frame[name], family) for name, family in found.items()})
    keys = keys_of(contract, found)
    unique = Rule(  # of the values that are not null, which are what pandera hands over
        "unique",
        "",
        lambda values: (~ready.duplicated(keys, keep=False) | ready[keys].isna().any(axis=1)).loc[
            values.index
        ],
    )
    return _failures(pa.DataFrameSchema(_columns(contract, found, unique, pa.Column, check)), ready)


def _columns(
    contract: Contract,
    found: dict[str, Family],
    unique: Rule,
    column_of: Callable[..., Any],
    check: Callable[[Rule], Any],
) -> dict[str, Any]:
    """The columns of a pandera schema."""
    described = {}
    for name, family in found.items():
        column = contract.column(name)
        wanted = rules(column, family)
        if column.role is Role.TIME:
            wanted.append(unique)
        nullable = column.role not in {Role.TIME, Role.SERIES}
        described[name] = column_of(None, [check(rule) for rule in wanted], nullable=nullable)
    return described


def _failures(schema: Any, frame: Any) -> list[Place]:
    from pandera.config import ValidationDepth, config_context  # noqa: PLC0415 - pandera takes most of a second to import
    from pandera.errors import SchemaErrors  # noqa: PLC0415 - pandera takes most of a second to import

    try:
        # Whatever the environment says: a check that is switched off passes everything.
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        columns = [list(cases[key]) for key in ("column", "check", "index")]
        return [
            (name, "not_null" if check == "not_nullable" else check, None if row is None else int(row))
            for name, check, row in zip(*columns, strict=True)
        ]
    return []


def keys_of(contract: Contract, found: dict[str, Family]) -> list[str]:
    """What tells rows apart: the series and the time, as far as they are there."""
    keys = [contract.series, contract.time]
    return [key for key in keys if key is not None and key in found]


def ready(values: pl.Expr, family: Family) -> pl.Expr:
    """Comparable values: categories as text; NaN, which polars orders above all numbers, as null."""
    if family == "text":
        return values.cast(pl.String)
    return values.cast(pl.Float64).fill_nan(None) if family in {"number", "boolean"} else values


def _ready_in_pandas(values: "pd.Series[Any]", family: Family) -> Any:
    """The same in pandas, where NaN is null already, as a bare array: rows are counted from 0."""
    if family == "text":
        return values.astype(object).to_numpy()
    if family in {"number", "boolean"}:
        return values.to_numpy(dtype="float64", na_value=float("nan"))
    return values.array
