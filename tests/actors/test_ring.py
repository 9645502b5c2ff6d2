"""Consistent hashing."""

from __future__ import annotations

import pytest

from actors.ring import Ring

KEYS = [f"key-{number}" for number in range(10_000)]


def test_a_key_is_always_answered_for_by_the_same_name_in_any_process() -> None:
    """SEMANTICS 19.2"""
    names = [f"worker-{number}" for number in range(5)]
    assert [Ring(names).find(key) for key in ("a", b"b", 17)] == ["worker-0", "worker-2", "worker-3"]
    assert Ring(names).find("a") == Ring(reversed(names)).find("a")


def test_a_name_that_goes_moves_only_its_own_keys() -> None:
    """SEMANTICS 19.2"""
    names = [f"worker-{number}" for number in range(10)]
    before, after = Ring(names), Ring(names[:-1])
    moved = [key for key in KEYS if before.find(key) != after.find(key)]
    assert all(before.find(key) == names[-1] for key in moved)
    assert 500 < len(moved) < 1500


def test_no_name_has_more_than_twice_its_share() -> None:
    ring = Ring(f"worker-{number}" for number in range(10))
    counts: dict[str, int] = {}
    for key in KEYS:
        counts[ring.find(key)] = counts.get(ring.find(key), 0) + 1
    assert max(counts.values()) < 2000


def test_an_empty_ring_has_nobody() -> None:
    with pytest.raises(LookupError, match="at least one name"):
        Ring(()).find("a")
