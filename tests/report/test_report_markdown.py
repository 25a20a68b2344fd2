"""Markdown whose tables hold together whatever the names are."""

import re

from crowded_report import HOSTILE

from tslam.report import GapReport

_BAR = re.compile(r"(?<!\\)\|")


def tables(text: str) -> list[list[str]]:
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


def test_every_row_of_a_table_has_as_many_cells_as_its_head(any_report: GapReport) -> None:
    found = tables(any_report.to_markdown())
    assert found
    for table in found:
        assert set(table[1]) <= set("|- ")
        assert len({len(_BAR.findall(line)) for line in table}) == 1
        assert len(table) > 2


def test_markup_in_names_is_text(crowded: GapReport) -> None:
    text = crowded.to_markdown()
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert "<script" not in outside_code.replace("\\<", "")
    assert "<img" not in outside_code.replace("\\<", "")
    assert HOSTILE.replace("|", "\\|") in text


def test_the_findings_are_there(report: GapReport) -> None:
    text = report.to_markdown()
    assert text.startswith(
        "# Gap report: district_heating 1.2.0\n\n**Critical:** Something acts on return_temp"
    )
    assert "| all | all rows | 57% (50% to 64%) | 17% (14% to 20%) |" in text
    assert "| `bypass_valve` (62%) |" in text
    for gap in report.gaps:
        assert gap.recommendation in text
    for question in report.findings.not_tested:
        assert question.reason in text


def test_long_tables_are_cut_and_say_so(crowded: GapReport) -> None:
    text = crowded.to_markdown()
    assert "30 more rows are in the JSON and HTML reports." in text
    assert max(len(table) for table in tables(text)) == 32


def test_nothing_found_is_said(clean: GapReport, untested: GapReport) -> None:
    assert "**Clean:** No gap was found in 12 questions" in clean.to_markdown()
    assert "**Not tested:** Nothing could be tested" in untested.to_markdown()
