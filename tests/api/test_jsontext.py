"""JSON bodies, with duplicate keys found."""

from __future__ import annotations

import pytest

from orchestrator.api.jsontext import TextError, duplicates, parse, parse_strict


def test_the_last_of_two_equal_keys_counts() -> None:
    assert parse(b'{"a": 1, "a": 2}') == {"a": 2}


def test_duplicates_are_named_with_their_path() -> None:
    body = (
        b'{"metadata": {"labels": {"a": "1", "a": "2"}}, "spec": {"ports": [{}, {"port": 1, "port": 2}]}, "spec": {}}'
    )
    assert parse_strict(body).duplicates == [
        'duplicate field "metadata.labels.a"',
        'duplicate field "spec.ports[1].port"',
        'duplicate field "spec"',
    ]


def test_a_text_without_duplicates_has_none() -> None:
    assert parse_strict(b'{"a": {"b": 1}, "c": {"b": 1}}') == ({"a": {"b": 1}, "c": {"b": 1}}, [])


def test_the_same_duplicate_is_reported_once() -> None:
    assert duplicates(b'{"a": 1, "a": 2, "a": 3}') == ['duplicate field "a"']


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b'{"a": NaN}', b"\xff", b"[" * 5000])
def test_what_is_no_json_is_an_error_that_says_so(body: bytes) -> None:
    with pytest.raises(TextError, match=r"^json: "):
        parse_strict(body)
