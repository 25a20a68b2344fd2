"""YAML: bounded, positioned, and the same for readers of every version."""

import math
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from contract_strategies import texts
from hypothesis import example, given
from hypothesis import strategies as st

from tslam.contract.yaml_document import MAX_CHARACTERS, MAX_NODES, dump, load, text_of
from tslam.errors import ContractError

plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)


@given(
    st.dictionaries(
        texts, plain | st.lists(plain, max_size=3) | st.dictionaries(texts, plain, max_size=3), max_size=5
    )
)
@example({"a": 1e-05, "b": 1e16, "c": -0.0, "d": 5e-324})
def test_plain_data_is_read_alike_by_both_versions_of_yaml(data: dict[str, object]) -> None:
    text = dump(data)
    part = load(text, "it")
    assert {key: part.value(key) for key in part.data} == data
    assert yaml.safe_load(text) == data


@given(st.text(max_size=60) | st.text("[]{}&*!|>%@:- \n\t'\"#,?a1.", max_size=40))
@example("a: !!int abc")
@example("a: 2020-99-99")
@example("&a [*a]")
@example("!!omap [a]")
@example("a: \x00")
@example("%TAG ! x\n---\na: 1")
def test_any_text_is_a_mapping_or_a_contract_error(text: str) -> None:
    # Whatever else is raised fails the test.
    with suppress(ContractError):
        part = load(text, "it")
        for key in list(part.data):
            with suppress(ContractError):
                part.value(key)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "line 1, column 6: not YAML: expected ',' or ']'"),
        ("a: 1\nb: 2\na: 3", 'line 3, column 1: not YAML: found duplicate key "a"'),
        ("a: 1\n\tb: 2", "line 2, column 1: not YAML"),
        ("a: *b", "line 1, column 4: not YAML: found undefined alias 'b'"),
        ("- a", "line 1, column 1: found a list where a mapping was expected"),
        ("a", "found a single value where"),
        ("", "found nothing where"),
        ("--- {a: 1}\n--- {b: 1}", "not YAML"),
        ("a: 1\nb:\n  $ref: ../../secret.yaml", "line 3, column 3: '\\$ref' refers to a place outside"),
        ("a: !include /etc/passwd", "line 1, column 4: '!include' refers to a place outside"),
        ("a: &x [!import {b: 1}]", "line 1, column 8: '!import' refers"),
        ("[" * 60, "maximum depth"),
    ],
)
def test_what_is_no_mapping_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ContractError, match=f"^it.*{said.replace('[', chr(92) + '[')}"):
        load(text, "it")


def test_an_anchor_bomb_is_refused_before_it_goes_off() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    with pytest.raises(
        ContractError, match=rf"line 6, column 5: holds [0-9,]{{7,}} values .* at most {MAX_NODES:,}"
    ):
        load(bomb, "it")
    with pytest.raises(ContractError, match="line 1, column 4: an alias stands inside what it stands for"):
        load("a: &a {b: *a}", "it")


def test_aliases_that_save_typing_are_fine() -> None:
    part = load("base: &b {unit: m}\nother: *b\nmerged:\n  <<: *b\n  more: 1\n", "it")
    assert part.value("other") == {"unit": "m"}
    assert part.value("merged") == {"unit": "m", "more": 1}
    merged = part.part("merged")
    assert merged is not None
    assert "line 4" in str(merged.error("wrong", "unit"))
    assert part.value("base") == {"unit": "m"}
    assert load("a: &x true\nb: *x", "it").value("b") is True


def test_long_documents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"1,000,001 characters; at most 1,000,000"):
        load("#" * (MAX_CHARACTERS + 1), "it")
    path = tmp_path / "long.yaml"
    path.write_text("#" * (4 * MAX_CHARACTERS + 1))
    with pytest.raises(ContractError, match=r"long\.yaml' cannot be read: it has 4,000,001 bytes"):
        text_of(path)


def test_files_that_cannot_be_read_are_contract_errors(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"'nowhere\.yaml' cannot be read"):
        text_of("nowhere.yaml")
    with pytest.raises(
        ContractError, match=r"cannot be read: it is not a file\. Give the path of a contract\.$"
    ):
        text_of(tmp_path)
    with pytest.raises(ContractError, match="cannot be read"):
        text_of("a\0b")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(ContractError, match="line 1, column 10: not UTF-8 text"):
        text_of(tmp_path / "latin.yaml")


def test_floats_keep_every_bit() -> None:
    values = [0.1, 1 / 3, math.pi * 1e-300, 1.7976931348623157e308]
    assert load(dump({"a": values}), "it").value("a") == values


def test_line_ends_and_marks_of_windows_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb:\r\n  - |\r\n    x\r\n    y\r\n")
    text, source = text_of(path)
    assert load(text, source).value("b") == ["x\ny\n"]
