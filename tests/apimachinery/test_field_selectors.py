"""Field selectors match and fail as those of Kubernetes."""

from __future__ import annotations

import pytest

from orchestrator.apimachinery.field_selectors import parse_fields
from orchestrator.apimachinery.selectors import SelectorError


def test_field_selectors_compare_text() -> None:
    selector = parse_fields("status.phase!=Failed,spec.nodeName=n\\,1")
    assert selector.matches({"status.phase": "Running", "spec.nodeName": "n,1"})
    assert selector.exact() == {"spec.nodeName": "n,1"}


def test_a_field_selector_without_operator_is_refused() -> None:
    with pytest.raises(SelectorError, match="can't understand 'a'"):
        parse_fields("a")


def test_what_a_field_selector_says_of_itself_is_read_again() -> None:
    text = "metadata.name=a\\=b,spec.nodeName!=n\\\\1"
    assert str(parse_fields(text)) == text
    assert parse_fields(text).matches({"metadata.name": "a=b"})


@pytest.mark.parametrize(("text", "found"), [("a=b=c", "unescaped character"), ("a=b\\c", "invalid escape sequence")])
def test_a_value_that_is_not_escaped_is_refused(text: str, found: str) -> None:
    with pytest.raises(SelectorError, match=found):
        parse_fields(text)
