from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.store.commands import Write
from orchestrator.store.directory import KeyTree
from orchestrator.store.gateway.errors import GatewayError
from orchestrator.store.gateway.ranges import EVERYTHING, span
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change, Range
from orchestrator.store.reading import read

KEYS = st.text(st.sampled_from("ab/é\x00\U0001f600\x7f"), min_size=1, max_size=5)


@settings(deadline=None)
@given(st.sets(KEYS, max_size=12), KEYS, st.one_of(KEYS.map(str.encode), st.binary(min_size=1, max_size=4)))
def test_a_range_of_the_store_is_etcds_range(keys: set[str], start: str, end: bytes) -> None:
    machine = Machine()
    machine.apply(Write(0, [Change(key, (b"",)) for key in sorted(keys)]))
    wanted = span(start.encode(), end)
    reply = read(machine, Range(wanted.prefix, wanted.after, before=wanted.before))
    found = [value.key for value in reply.values if value.key >= wanted.start]
    sorts_before = [key for key in sorted(keys) if key.encode() >= start.encode() and key.encode() < end]
    expected = sorted(key for key in keys if key >= start) if end == EVERYTHING else sorts_before
    assert found == expected
    assert all(wanted.holds(key) for key in found)


def test_a_prefix_is_read_as_one() -> None:
    wanted = span(b"pods/", b"pods0")
    assert (wanted.prefix, wanted.after, wanted.before) == ("pods/", "", "")


def test_a_page_begins_after_the_last_key() -> None:
    wanted = span(b"pods/a\x00", b"pods0")
    assert (wanted.prefix, wanted.after) == ("pods/", "pods/a")


def test_all_keys_are_asked_for_by_two_zeros() -> None:
    wanted = span(EVERYTHING, EVERYTHING)
    assert (wanted.prefix, wanted.after, wanted.before) == ("", "", "")
    tree = KeyTree()
    assert tree.keys(wanted.prefix, wanted.after) == []


@pytest.mark.parametrize("key", [b"", b"\xff\xfe", "a\U0010ffff".encode()])
def test_what_is_no_key_is_refused(key: bytes) -> None:
    with pytest.raises(GatewayError):
        span(key, b"")
