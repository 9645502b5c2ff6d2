"""Paths and field errors read as Kubernetes writes them."""

from __future__ import annotations

import pytest

from orchestrator.apimachinery.field import (
    FieldError,
    Path,
    duplicate,
    forbidden,
    immutable,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
)


def test_a_path_shows_children_positions_and_keys() -> None:
    assert str(Path("spec").child("a", "b").index(0).key("k").child("c")) == "spec.a.b[0][k].c"


def test_the_same_place_is_the_same_path() -> None:
    path = Path("spec")
    assert path.child("a").index(1) is path.child("a").index(1)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (invalid("a", "x", "why"), 'a: Invalid value: "x": why'),
        (invalid("a", {"b": None}, "why"), 'a: Invalid value: {"b":null}: why'),
        (required("a", "why"), "a: Required value: why"),
        (duplicate("a", "x"), 'a: Duplicate value: "x"'),
        (forbidden("a", "why"), "a: Forbidden: why"),
        (not_supported("a", "x", ("y", "z")), 'a: Unsupported value: "x": supported values: "y", "z"'),
        (too_long("a", 3), "a: Too long: may not be more than 3 bytes"),
        (too_many("a", 5, 1), "a: Too many: 5: must have at most 1 item"),
    ],
)
def test_the_text_of_an_error(error: FieldError, text: str) -> None:
    assert str(error) == text


def test_absent_and_empty_count_as_unchanged() -> None:
    assert immutable("a", None, {}) == []
    assert str(immutable("a", False, True)[0]) == "a: Invalid value: false: field is immutable"
