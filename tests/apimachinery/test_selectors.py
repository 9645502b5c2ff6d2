"""Selectors match and fail as those of Kubernetes."""

from __future__ import annotations

import pytest

from orchestrator.apimachinery.selectors import NOTHING, SelectorError, from_label_selector, parse_labels

LABELS = {"app": "web", "tier": "a", "n": "5"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier!=b", True),
        ("app in (web,api)", True),
        ("app notin (web)", False),
        ("missing notin (a)", True),
        ("app", True),
        ("!app", False),
        ("n>4,n<6", True),
        ("n>5", False),
        ("missing=", False),
    ],
)
def test_a_selector_matches(text: str, matches: bool) -> None:
    assert parse_labels(text).matches(LABELS) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
    ],
)
def test_what_cannot_be_parsed_says_why(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_labels(text)
    assert str(caught.value) == message


def test_no_label_selector_selects_nothing_and_an_empty_one_everything() -> None:
    assert from_label_selector(None) == NOTHING
    assert from_label_selector({}).matches({})


def test_a_label_selector_is_shown_in_the_order_of_keys() -> None:
    expression = {"key": "b", "operator": "In", "values": ["y", "x"]}
    selector = from_label_selector({"matchLabels": {"c": "1"}, "matchExpressions": [expression]})
    assert str(selector) == "b in (x,y),c=1"
