"""A unit that contradicts the range is refused, with its place where it stands in a file."""

import re
from pathlib import Path

import pytest

from tslam.contract import Column, Contract
from tslam.contract.units import contradiction
from tslam.errors import TslamError


@pytest.mark.parametrize(
    ("unit", "low", "high"),
    [
        ("K", -1.0, 400.0),
        ("degC", -300.0, 50.0),
        ("°F", -500.0, 100.0),
        ("%", 0.0, 1.0),
        ("Percent", None, 0.5),
    ],
)
def test_a_unit_that_contradicts_its_range_is_refused(
    unit: str, low: float | None, high: float | None
) -> None:
    with pytest.raises(TslamError, match=r"Column 'x': its .* Correct the unit or the range"):
        Column(name="x", role="observation", unit=unit, minimum=low, maximum=high)


@pytest.mark.parametrize(
    ("unit", "low", "high"),
    [("K", 0.0, 400.0), ("degC", -40.0, 50.0), ("%", 0.0, 100.0), ("%", -1.0, 1.0), ("bar", -5.0, 1.0),
     (None, -1e9, 1.0), ("K", None, None)],
)  # fmt: skip
def test_what_may_be_is_left_alone(unit: str | None, low: float | None, high: float | None) -> None:
    assert contradiction(unit, low, high) is None


def test_in_a_file_the_place_is_told(tmp_path: Path) -> None:
    columns = (
        Column(name="time", role="time"),
        Column(name="x", role="observation", unit="degC", minimum=-40.0, maximum=50.0),
    )
    text = Contract(name="plant", columns=columns).to_odcs(tmp_path / "plant.odcs.yaml")
    spoilt = re.sub(r"-40(\.0)?\b", "-400.0", text)
    assert spoilt != text
    (tmp_path / "spoilt.odcs.yaml").write_text(spoilt, encoding="utf-8")
    with pytest.raises(TslamError, match=r"line \d+, column \d+.*below absolute zero"):
        Contract.from_odcs(tmp_path / "spoilt.odcs.yaml")
