"""YAML as Kubernetes reads it."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.api.jsontext import TextError
from orchestrator.api.yamltext import documents, parse, parse_strict


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("off", False),
        ("y", True),
        ("'yes'", "yes"),
        ("~", None),
        ("", None),
        ("0777", 511),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", 1000),
        ("-12", -12),
        ("1.0", 1),
        ("1.5", 1.5),
        ("1e3", 1000),
        ("08", 8),
        ("12:30", "12:30"),
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("1.2.3", "1.2.3"),
        ("100m", "100m"),
        ("!!str 12", "12"),
        ("!!binary aGk=", "hi"),
        ("123456789012345678901234567890", 123456789012345677877719597056 * 1.0),
    ],
)
def test_scalars_follow_yaml_1_1_without_timestamps(text: str, value: Any) -> None:
    read = parse(f"a: {text}")["a"]
    assert read == value
    assert type(read) is type(value)


def test_keys_become_strings() -> None:
    assert parse("1: a\ntrue: b\nn: c\n1.5: d") == {"1": "a", "true": "b", "false": "c", "1.5": "d"}


def test_a_key_that_is_no_scalar_is_an_error() -> None:
    with pytest.raises(TextError, match="unsupported map key"):
        parse("? [a]\n: b")


def test_keys_given_twice_are_one_strict_error_with_their_lines() -> None:
    parsed = parse_strict("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert parsed.value == {"a": 3, "b": {"c": 2}}
    assert parsed.duplicates == [
        'yaml: unmarshal errors:\n  line 4: key "c" already set in map\n  line 5: key "a" already set in map'
    ]


def test_aliases_and_merges_are_resolved() -> None:
    text = "base: &base {a: 1, b: 2}\nmade:\n  <<: *base\n  b: 3\nsame: *base\n"
    assert parse(text) == {"base": {"a": 1, "b": 2}, "made": {"a": 1, "b": 3}, "same": {"a": 1, "b": 2}}


def test_json_is_yaml() -> None:
    assert parse('{"a": ["b", 1, null, true]}') == {"a": ["b", 1, None, True]}


def test_a_body_is_its_first_document() -> None:
    assert parse("---\na: 1\n---\na: 2\n") == {"a": 1}


def test_a_manifest_has_many_documents() -> None:
    assert list(documents("# nothing\n---\na: 1\n---\n---\na: 2\n")) == [{"a": 1}, {"a": 2}]


def test_an_empty_body_is_nothing() -> None:
    assert parse(b"") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "^yaml: mapping values are not allowed in this context"),
        ("a: [", "^yaml: line "),
        ("a: *b", "unknown anchor 'b' referenced"),
        ("a: &b [*b]", "unknown anchor 'b' referenced"),
        ("a: .nan", "unsupported value"),
        ("[" * 100_000, "exceeded max depth|yaml: line"),
        ("<<: 1", "map merge requires map"),
        ("!!binary '#'", "invalid base64"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        parse(text)


def test_bytes_that_are_no_text_are_an_error() -> None:
    with pytest.raises(TextError, match=r"^yaml: "):
        parse(b"a: \xff\xfe\x00")


def test_aliases_cannot_stand_for_billions_of_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 12)]
    with pytest.raises(TextError, match="excessive aliasing"):
        parse("\n".join(lines))
