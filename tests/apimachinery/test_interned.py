"""Equal parts are one object, whoever decoded them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.apimachinery import interned
from orchestrator.apimachinery.interned import MAX_REVISIONS, MIN_BYTES, interned_at


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    interned.forget()
    yield
    interned.forget()


def parts(*words: str) -> tuple[bytes, ...]:
    """Bytes of their own at each call, long enough to be shared."""
    return tuple([word.encode() * MIN_BYTES for word in words])


def same(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> list[bool]:
    return [a is b for a, b in zip(one, other, strict=True)]


def test_who_comes_second_to_a_revision_has_the_very_parts_of_the_first() -> None:
    first = interned_at(7, parts("m", "s", "r"))
    assert interned_at(7, parts("m", "s", "r")) is first


def test_equal_parts_of_other_revisions_are_shared_one_by_one() -> None:
    first = interned_at(7, parts("m", "s", "r"))
    assert same(interned_at(8, parts("m2", "s", "r")), first) == [False, True, True]


def test_what_another_cluster_has_at_the_same_revision_is_not_taken_for_it() -> None:
    ours = interned_at(7, parts("m", "s", "r"))
    theirs = interned_at(7, parts("m", "other", "r"))
    assert theirs == parts("m", "other", "r")
    assert same(theirs, ours) == [True, False, True]


def test_parts_that_stand_are_those_of_the_revision_before() -> None:
    before = parts("m", "s", "r")
    assert same(interned_at(8, parts("m2", "s", "r"), before), before) == [False, True, True]


def test_a_short_part_is_not_looked_for() -> None:
    short = b"x" * (MIN_BYTES - 1)
    assert interned_at(1, (short,))[0] is short


def test_what_came_long_ago_is_found_by_its_parts_alone() -> None:
    first = interned_at(1, parts("m"))
    for revision in range(2, 2 * MAX_REVISIONS + 2):
        interned_at(revision, (b"",))
    again = interned_at(1, parts("m"))
    assert again is not first
    assert same(again, first) == [True]
