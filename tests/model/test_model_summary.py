"""What a fitted model says of itself, as text and as HTML."""

import re
from html.parser import HTMLParser

import polars as pl
import pytest
from model_cases import fleet_model, model, record

import tslam
from tslam.summary import Summary


class Page(HTMLParser):
    """Cells by table, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"src", "href"}]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.open and self.open[-1] in {"td", "th"}:
            self.tables[-1][-1][-1] += data


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


MODELS = {
    "linear": model,
    "held": lambda: model("held"),
    "fleet": fleet_model,
    "per series": lambda: fleet_model(per_series=True),
}


@pytest.mark.parametrize("case", MODELS)
def test_text_and_html_tell_the_same(case: str) -> None:
    summary = MODELS[case]().summary()
    page, text = read(summary.to_html()), str(summary)
    assert summary.title in page.text
    assert text.startswith(summary.title)
    assert [[tuple(row) for row in table] for table in page.tables] == [
        [header, *rows] for _, header, rows in summary.tables
    ]
    for heading, header, rows in summary.tables:
        assert heading in page.text
        for row in (header, *rows):
            cells = r"\s+".join(re.escape(cell) for cell in row if cell)
            assert re.search(rf"^  {cells}$", text, re.MULTILINE)
    for sentence in summary.sentences:
        assert f"  {sentence}" in text.splitlines()
        assert sentence in page.text


@pytest.mark.parametrize("case", MODELS)
def test_a_model_shows_its_summary(case: str) -> None:
    m = MODELS[case]()
    assert repr(m) == str(m) == str(m.summary())
    assert m._repr_html_() == m.summary().to_html() == m.summary()._repr_html_()


def test_roles_skill_and_latents_are_those_of_the_model() -> None:
    m, plant = model("held"), record()
    roles, skill, latents = (rows for _, _, rows in m.summary().tables)
    assert dict(roles) == {
        "observation": ", ".join(plant.observations),
        "action": "action_0, action_2",
        "exogenous": "exog_0",
        "time": "time",
    }
    assert [row[0] for row in skill] == list(plant.observations)
    table = m.score(plant.frame, 1)
    assert [float(row[1]) for row in skill] == pytest.approx(table["skill"].to_list(), abs=6e-4)
    assert all(float(row[2]) < float(row[1]) + 0.02 for row in skill)
    for row, info in zip(latents, m.latents, strict=True):
        assert row[:3] == (info.name, "earned" if info.earned else "only there", f"{info.gain:+.1f}")
    assert set(m.trace) | set(m.notes) == set(m.summary().sentences)


def test_the_title_is_the_sentence_to_take_away() -> None:
    title = model().summary().title
    middle = pl.Series(s.skill for s in model()._fitted.parts[0].skill).median()
    assert title == (
        f"tslam linear model, 1 lag: held-out one-step skill {middle:.3f} "
        "(median channel, against persistence)"
    )
    assert ", 3 lags: " in model("linear", 3).summary().title


def test_each_series_fitted_alone_stands_by_itself() -> None:
    summary = fleet_model(per_series=True).summary()
    assert "linear model for each of 2 series, 1 lag" in summary.title
    _, skill, latents = summary.tables
    assert skill[1][0] == latents[1][0] == "series"
    assert [row[0] for row in skill[2]] == ["north"] * 4 + ["south"] * 4
    assert [row[0] for row in latents[2]] == ["north", "south"]
    assert any(sentence.startswith("north: ") for sentence in summary.sentences)


def test_where_nothing_was_logged_it_says_so() -> None:
    plant = record().drop("action_0", "action_2", "exog_0")
    summary = tslam.fit(plant.frame, **plant.roles(), config="linear", progress=False).summary()
    roles, skill, _ = (rows for _, _, rows in summary.tables)
    assert dict(roles)["action"] == "none logged"
    assert dict(roles)["exogenous"] == "none measured"
    assert {row[2] for row in skill} == {""}


def test_names_are_text_and_never_markup() -> None:
    plant = record()
    wicked = "<script>alert('&\"')</script>"
    frame = plant.frame.rename({plant.observations[0]: wicked})
    m = tslam.fit(frame, **plant.roles(), config="linear", progress=False)
    page = read(m._repr_html_())
    assert "script" not in page.tags
    assert wicked in [row[0] for row in page.tables[1]]
    assert wicked in str(m)


def test_a_summary_without_rows_still_reads() -> None:
    empty = Summary("title", (("Latents", ("latent", "place"), ()),), ())
    assert str(empty) == "title\n\nLatents\n  latent  place"
    assert read(empty.to_html()).tables == [[["latent", "place"]]]
