"""One page that fetches nothing, runs nothing and shows names as they are."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from crowded_report import HOSTILE, LONG

from tslam.audit.gap import Share
from tslam.report import GapReport
from tslam.report.svg import share_bar, share_scale

VOID = {"meta", "link", "base", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and what was not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def ids(self) -> list[str]:
        return [a["id"] or "" for _, a in self.tags if "id" in a]


@pytest.fixture(scope="module")
def crowded_page(crowded: GapReport) -> str:
    return crowded.to_html()


def test_every_tag_is_closed_in_its_turn(any_page: str) -> None:
    page = Page(any_page)
    assert page.open == []
    assert page.crossed == []
    assert len(page.ids()) == len(set(page.ids()))


def test_nothing_is_fetched_and_nothing_runs(any_page: str) -> None:
    style = "".join(re.findall(r"<style>(.*?)</style>", any_page, re.DOTALL))
    assert "@import" not in style
    assert "url(" not in style
    for tag, attributes in Page(any_page).tags:
        assert tag not in {"script", "img", "iframe", "object", "embed", "form", "image", "use"}
        for key, value in attributes.items():
            assert not key.startswith("on")
            if key in {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}:
                assert (value or "").startswith(("#", "data:,"))
            if key == "style":
                assert re.fullmatch(r"left:[\d.]+%", value or "")


def test_every_fragment_has_its_target(any_page: str) -> None:
    page = Page(any_page)
    wanted = {(a["href"] or "")[1:] for tag, a in page.tags if tag == "a"}
    assert wanted
    assert wanted <= set(page.ids())


def test_hostile_names_are_shown_and_do_nothing(crowded_page: str) -> None:
    assert "<script>alert" not in crowded_page
    assert "<img" not in crowded_page
    page = Page(crowded_page)
    assert any(HOSTILE in said for said in page.said)
    assert any(LONG in said for said in page.said)


def test_sixty_gaps_and_channels_are_all_there_and_mostly_folded(crowded_page: str) -> None:
    page = Page(crowded_page)
    assert {f"gap-{i}" for i in range(1, 61)} <= set(page.ids())
    text = "".join(page.said)
    for said in ("48 more gaps", "48 more channels", "30 more windows", "7 more"):
        assert said in text


def test_sections_stand_in_their_order(report: GapReport) -> None:
    sections = [a["id"] for tag, a in Page(report.to_html()).tags if tag == "section"]
    assert sections == [
        "attribution",
        "timeline",
        "gaps",
        "latents",
        "roles",
        "not-tested",
        "model",
        "methods",
    ]


def test_the_page_says_what_was_found(report: GapReport) -> None:
    text = " ".join("".join(Page(report.to_html()).said).split())
    assert report.verdict in text
    assert "▲ Critical" in text
    assert "57% follows from history, 17% from logged actions" in text
    for gap in report.gaps:
        assert gap.recommendation in text
    for question in report.findings.not_tested:
        assert question.reason in text
    for sentence in report.model.trace:
        assert sentence in text
    assert "bypass_valve suggested name; carries 62% of the explained transitions" in text
    assert "2024-03-31 01:02 → 10:18" in text, (
        "times are shown in the contract's zone, across its change of clocks"
    )
    assert report.data.digest in text


def test_nothing_found_and_nothing_asked_are_said_politely(clean: GapReport, untested: GapReport) -> None:
    said = " ".join("".join(Page(clean.to_html()).said).split())
    assert "✓ Clean" in said
    assert "No gap was found." in said
    said = " ".join("".join(Page(untested.to_html()).said).split())
    assert "○ Not tested" in said
    assert "Nothing could be tested, so no gap could be found." in said
    assert "No question was asked." in said


def test_drawings_have_a_title_and_a_description(report: GapReport) -> None:
    text = report.to_html()
    drawings = re.findall(r"<svg [^>]*>(.*?)</svg>", text, re.DOTALL)
    assert len(drawings) >= 11 + 4 + 11
    assert all(d.startswith("<title>") for d in drawings)
    assert "<desc>History 57%, Logged actions 17%, Exogenous 5%, Latents 11%, unexplained 10%</desc>" in text


def test_bars_keep_to_their_axis(any_report: GapReport, any_page: str) -> None:
    bars = re.findall(r'<svg class="shares".*?</svg>', any_page, re.DOTALL)
    assert len(bars) == len(any_report.attribution)
    for at, width in re.findall(r'<rect [^>]*x="([\d.]+)%"[^>]* width="([\d.]+)%"', "".join(bars)):
        assert 0 <= float(at) <= float(at) + float(width) <= 100.01


def test_what_reaches_beyond_the_axis_ends_there(report: GapReport) -> None:
    far = Share(value=4.4, low=3.9, high=5.0)
    row = report.attribution[0].model_copy(update={"latents": far})
    scale = share_scale([row])
    bar = share_bar(row, scale)
    for at, width in re.findall(r'<rect [^>]*x="([\d.]+)%"[^>]* width="([\d.]+)%"', bar):
        assert float(at) + float(width) <= 100.01
    assert max(float(x) for x in re.findall(r' x[12]="([\d.]+)%"', bar)) <= 100.0
    assert scale == 1.5


def test_a_part_after_one_that_did_harm_begins_further_left(report: GapReport) -> None:
    harm, help_ = Share(value=-1.5, low=-1.6, high=-1.4), Share(value=2.3, low=2.2, high=2.4)
    none = Share(value=0.0, low=0.0, high=0.0)
    row = report.attribution[0].model_copy(
        update={"history": harm, "actions": help_, "exogenous": none, "latents": none}
    )
    drawn = re.findall(r'<rect class="(\w+)" x="([\d.]+)%"[^>]* width="([\d.]+)%"', share_bar(row))
    assert drawn == [("actions", "0", "80"), ("rest", "80", "20")]


def test_the_axis_of_bars_reaches_as_far_as_the_intervals(report: GapReport, crowded: GapReport) -> None:
    assert share_scale(report.attribution) == pytest.approx(1.0, abs=0.06)
    assert share_scale(crowded.attribution) == 1.0
    wide = report.attribution[0].model_copy(update={"latents": Share(value=0.2, low=0.1, high=0.6)})
    assert share_scale([wide]) == pytest.approx(0.57 + 0.17 + 0.05 + 0.6)


def test_the_notebook_cell_is_a_frame_with_the_whole_page_in_it(report: GapReport) -> None:
    cell = report._repr_html_()
    page = Page(cell)
    assert [tag for tag, _ in page.tags] == ["iframe"]
    inner = page.tags[0][1]["srcdoc"] or ""
    assert unescape(inner) == inner or "&" in inner
    framed = Page(inner)
    assert framed.open == []
    assert ("base", {"href": "about:srcdoc"}) in framed.tags
    assert "".join(Page(report.to_html()).said).split() == "".join(framed.said).split()


def test_the_same_report_gives_the_same_page(report: GapReport) -> None:
    assert report.to_html() == GapReport.from_json(report.to_json()).to_html()
