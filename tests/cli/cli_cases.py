"""What the tests of the command line share: a way to run it, and a model that answers at once."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from tslam.audit.gap import Findings, Gap, NotTested
from tslam.cli import main
from tslam.contract import Column, Contract
from tslam.report import DataFacts, GapReport, ModelFacts

CONTRACT = Contract(
    name="loop",
    columns=(
        Column(name="ts", role="time"),
        Column(name="level", role="observation"),
        Column(name="pump", role="action"),
    ),
)
CRITICAL = Gap(
    kind="missing_action",
    severity="critical",
    latents=("latent_0",),
    channels=("level [m]", "flow"),
    windows=((1.0, 2.0), (5.0, 6.0)),
    recommendation="Log what moves level [m].",
)
WARNING = Gap(kind="inert_action", severity="warning", column="pump", recommendation="Check the tag of pump.")


class Said(NamedTuple):
    """How a command went."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """Run the command line as a shell would."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main(arguments)
    said = capsys.readouterr()
    return Said(int(left.value.code or 0), said.out, said.err)


def report(gaps: Iterable[Gap] = (), tested: int = 3, not_tested: Iterable[NotTested] = ()) -> GapReport:
    """A report with these findings."""
    return GapReport(
        contract=CONTRACT,
        data=DataFacts(rows=100, grid_rows=100),
        model=ModelFacts(family="held", lags=2, latents=1),
        findings=Findings(gaps=tuple(gaps), tested=tested, not_tested=tuple(not_tested)),
    )


class Model:
    """A fitted model that found what it is told to have found."""

    def __init__(self, found: GapReport) -> None:
        self._found = found

    def audit(self, data: Any, policy: Any = None) -> GapReport:
        assert policy is not None
        assert data == "plant.parquet"
        return self._found

    def summary(self) -> str:
        return "family: held"

    def save(self, folder: Any) -> None:
        folder.mkdir()
