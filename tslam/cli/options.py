"""Arguments that several commands share."""

from typing import Annotated, TypedDict

import typer

__all__ = [
    "Actions",
    "ContractFile",
    "Data",
    "Device",
    "Exog",
    "Family",
    "Freq",
    "Ignore",
    "Observations",
    "Roles",
    "Seed",
    "Series",
    "Time",
    "roles",
]

Data = Annotated[
    str, typer.Argument(metavar="DATA", help="Parquet file, a folder, or a quoted pattern of several.")
]
Actions = Annotated[
    list[str] | None, typer.Option("--actions", metavar="COLUMN", help="Logged action; repeat for more.")
]
Exog = Annotated[
    list[str] | None, typer.Option("--exog", metavar="COLUMN", help="Exogenous variable; repeat for more.")
]
Observations = Annotated[
    list[str] | None,
    typer.Option(
        "--observations", metavar="COLUMN", help="Observation; repeat for more.  [default: all others]"
    ),
]
Ignore = Annotated[list[str] | None, typer.Option("--ignore", metavar="COLUMN", help="Column to leave out.")]
Time = Annotated[
    str | None,
    typer.Option("--time", metavar="COLUMN", help="Time column.  [default: the only one there is]"),
]
Series = Annotated[
    str | None, typer.Option("--series", metavar="COLUMN", help="Column that tells one series from another.")
]
Freq = Annotated[
    str | None, typer.Option("--freq", help="Cadence, such as 10s or 5m.  [default: seen in the data]")
]
ContractFile = Annotated[
    str | None, typer.Option("--contract", metavar="FILE", help="ODCS contract that gives the roles.")
]
Family = Annotated[
    str | None, typer.Option("--config", metavar="NAME", help="Model family: auto, linear, held or neural.")
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]


class Roles(TypedDict):
    """What the roles options said, as `tslam.fit` takes it."""

    actions: tuple[str, ...]
    exog: tuple[str, ...]
    observations: tuple[str, ...] | None
    ignore: tuple[str, ...]
    time: str | None
    series: str | None
    freq: str | None
    contract: str | None


def roles(
    actions: list[str] | None,
    exog: list[str] | None,
    observations: list[str] | None,
    ignore: list[str] | None,
    time: str | None,
    series: str | None,
    freq: str | None,
    contract: str | None,
) -> Roles:
    """The options as `tslam.fit` takes them."""
    return Roles(
        actions=tuple(actions or ()),
        exog=tuple(exog or ()),
        observations=tuple(observations) if observations else None,
        ignore=tuple(ignore or ()),
        time=time,
        series=series,
        freq=freq,
        contract=contract,
    )
