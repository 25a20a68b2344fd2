"""Reports to render: a plant with gaps, a crowded one, one without gaps, one that asked nothing."""

import pytest
from crowded_report import crowded_report, empty_report
from plant_report import plant_report

from tslam.report import GapReport


@pytest.fixture(scope="session")
def report() -> GapReport:
    return plant_report()


@pytest.fixture(scope="session")
def crowded() -> GapReport:
    return crowded_report()


@pytest.fixture(scope="session")
def clean() -> GapReport:
    return empty_report(tested=12)


@pytest.fixture(scope="session")
def untested() -> GapReport:
    return empty_report()


@pytest.fixture(scope="session", params=["report", "crowded", "clean", "untested"])
def any_report(request: pytest.FixtureRequest) -> GapReport:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, GapReport)
    return found


@pytest.fixture(scope="session")
def any_page(any_report: GapReport) -> str:
    """A report's page."""
    return any_report.to_html()
