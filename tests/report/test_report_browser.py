"""The page in Chromium: nothing logged, nothing asked of the network, nothing wider than the window."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser

from tslam.report import GapReport

pytestmark = pytest.mark.browser

# A page that must be caught, so that silence elsewhere means something.
LOUD = "<script>console.error('x')</script><img src='http://127.0.0.1:9/a.png'>"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with Browser(chromium) as opened:
        yield opened


@pytest.fixture
def page(any_page: str, tmp_path: Path) -> Path:
    (tmp_path / "page.html").write_text(any_page, encoding="utf-8")
    return tmp_path / "page.html"


def test_the_browser_reports_what_a_page_does(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "loud.html").write_text(LOUD)
    browser.open(tmp_path / "loud.html")
    assert browser.requested() == ["http://127.0.0.1:9/a.png"]
    assert browser.complaints()


def test_the_page_opens_in_silence(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.requested() == []
    assert browser.complaints() == []
    assert browser.evaluate("document.querySelector('h1').innerText.length") > 20


def test_nothing_is_wider_than_the_window(browser: Browser, page: Path) -> None:
    browser.open(page, width=400)
    browser.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    for width in (400, 800, 1400):
        browser.resize(width)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_light_and_dark_follow_the_reader(browser: Browser, report: GapReport, tmp_path: Path) -> None:
    report.to_html(tmp_path / "page.html")
    seen = []
    for dark in (False, True):
        browser.open(tmp_path / "page.html", dark=dark)
        seen.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(set(seen)) == 2


def test_folded_parts_are_printed(browser: Browser, report: GapReport, tmp_path: Path) -> None:
    report.to_html(tmp_path / "page.html")
    height = "document.querySelector('details.evidence table').getBoundingClientRect().height"
    browser.open(tmp_path / "page.html", media="print")
    assert browser.evaluate(height) > 20


def test_a_notebook_cell_stands_by_itself(browser: Browser, report: GapReport, tmp_path: Path) -> None:
    host = "<!DOCTYPE html><meta charset='utf-8'><style>* { color: red !important; font-size: 40px }</style>"
    # With an origin of its own, as in a notebook, the frame cannot be looked into.
    cell = report._repr_html_().replace('sandbox=""', 'sandbox="allow-same-origin"')
    (tmp_path / "host.html").write_text(host + cell)
    browser.open(tmp_path / "host.html")
    inside = "document.querySelector('iframe').contentDocument"
    assert browser.evaluate(f"getComputedStyle({inside}.querySelector('.lead')).fontSize") == "16px"
    assert browser.evaluate(f"getComputedStyle({inside}.body).color") != "rgb(255, 0, 0)"
    browser.evaluate(f"{inside}.querySelector('nav a[href=\"#gaps\"]').click()")
    assert browser.evaluate(f"{inside}.location.href") == "about:srcdoc#gaps"
    assert browser.evaluate(f"{inside}.querySelector('h1').className") == "verdict critical"
    assert browser.requested() == []
    assert browser.complaints() == []
