"""Roles in the field metadata of Arrow and Parquet: what was inferred is never taken for what was logged."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

import tslam
from tslam.contract import Contract
from tslam.contract.arrow import roles_in, to_arrow
from tslam.errors import ContractError, RoleError

CONTRACT = Contract(
    name="loop",
    columns=(
        {"name": "at", "role": "time"},
        {"name": "level", "role": "observation", "unit": "m"},
        {"name": "valve", "role": "action", "kind": "continuous", "timing": "before", "unit": "%"},
        {"name": "rain", "role": "exogenous"},
        {"name": "remark", "role": "ignore"},
    ),
)
ROLES = {"at": "time", "level": "observation", "valve": "action", "rain": "exogenous", "remark": "ignore"}
CLOCK = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1, 3), "1m", eager=True).alias("at")
FRAME = pl.DataFrame(CLOCK).with_columns(
    level=pl.arange(pl.len()).cast(pl.Float64) % 7,
    valve=(pl.arange(pl.len()) // 20).cast(pl.Float64),
    rain=pl.lit(1.5),
    remark=pl.lit("ok"),
)
LATENTS = pl.DataFrame(CLOCK).with_columns(latent_0=pl.lit(0.5), latent_1=pl.lit(1.0))


def disguised() -> pa.Table:
    """A table whose action is a latent under another name, as Arrow's own functions put it there."""
    latents = CONTRACT.to_arrow(LATENTS)
    field = latents.schema.field("latent_0").with_name("valve")
    table = CONTRACT.to_arrow(FRAME).drop_columns(["valve"])
    return table.append_column(field, latents["latent_0"])


@pytest.mark.parametrize("frame", [FRAME, FRAME.lazy(), FRAME.to_pandas(), FRAME.to_arrow()], ids=type)
def test_each_field_says_what_it_is(frame: Any) -> None:
    table = CONTRACT.to_arrow(frame)
    assert roles_in(table) == ROLES
    assert table.schema.field("valve").metadata == {
        b"tslam.role": b"action",
        b"tslam.kind": b"continuous",
        b"tslam.unit": b"%",
        b"tslam.timing": b"before",
    }
    assert table.schema.metadata[b"tslam.contract"] == b"loop 0.1.0"
    assert pl.DataFrame(table).drop("at").equals(FRAME.drop("at"))


def test_a_file_says_it_as_well(tmp_path: Path) -> None:
    CONTRACT.write_parquet(FRAME, tmp_path / "a.parquet")
    CONTRACT.write_parquet(LATENTS, tmp_path / "b.parquet")
    assert roles_in(tmp_path / "a.parquet") == ROLES
    assert roles_in(str(tmp_path / "b.parquet")) == {"at": "time", "latent_0": "latent", "latent_1": "latent"}
    assert roles_in(str(tmp_path / "*.parquet")).keys() == {*ROLES, "latent_0", "latent_1"}
    assert pl.read_parquet(tmp_path / "a.parquet").equals(FRAME)
    with pytest.raises(ContractError, match="cannot be written"):
        CONTRACT.write_parquet(FRAME, tmp_path / "nowhere" / "a.parquet")
    assert {path.name for path in tmp_path.iterdir()} == {"a.parquet", "b.parquet"}


def test_latents_are_not_written_beside_measured_columns() -> None:
    with pytest.raises(
        RoleError, match=r"inferred latents \['latent_0', 'latent_1'\] beside measured columns"
    ):
        CONTRACT.to_arrow(FRAME.with_columns(LATENTS.drop("at")))


def test_a_latent_in_an_action_column_is_an_error_wherever_it_goes(tmp_path: Path) -> None:
    table, path = disguised(), tmp_path / "disguised.parquet"
    parquet.write_table(table, path)
    for source in (table, path, str(path), str(tmp_path / "*.parquet")):
        with pytest.raises(RoleError, match=r"'valve' holds an inferred latent.*role 'action'"):
            tslam.fit(source, contract=CONTRACT, config="linear")
        result = CONTRACT.check(source)
        assert [(f.column, f.check, f.value) for f in result.failures] == [("valve", "role", "latent")]
        with pytest.raises(
            ContractError, match="valve: found 'latent', expected a column of the role 'action'"
        ):
            result.raise_if_failed()
    with pytest.raises(RoleError, match="'valve' holds an inferred latent"):
        to_arrow(CONTRACT, table)
    with pytest.raises(RoleError, match="'valve' holds an inferred latent"):
        CONTRACT.write_parquet(table, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_a_pandas_frame_that_says_it_is_refused_too() -> None:
    frame = FRAME.to_pandas()
    frame.attrs["tslam.roles"] = {"valve": "latent", "gone": "latent"}
    with pytest.raises(RoleError, match="'valve' holds an inferred latent"):
        tslam.fit(frame, contract=CONTRACT)


def test_what_says_nothing_is_what_the_contract_says(tmp_path: Path) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    for silent in (FRAME, FRAME.lazy(), FRAME.to_pandas(), FRAME.to_arrow(), "s3://bucket/x.parquet", 3):
        assert roles_in(silent) == {}
    assert roles_in(tmp_path / "torn.parquet") == {}
