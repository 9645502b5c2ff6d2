"""Small pages that are in use are joined to large ones, in place; others stay as they are."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Iterator

import pytest

from orchestrator.large_pages import GROWN_BYTES, LARGE_BYTES, PAGE_BYTES, LargePages, resident_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="large pages are asked for on Linux only")
PAGES = 24
FILLED = bytes(range(256)) * (PAGE_BYTES // 256)


@pytest.fixture
def memory() -> Iterator[mmap.mmap]:
    with mmap.mmap(-1, PAGES * LARGE_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        yield memory


def joined(pages: LargePages) -> int:
    """All that there is to join in this process. How many pages were looked at."""
    total = 0
    while found := pages.join():
        total += found
    return total


def test_what_is_in_use_is_joined_once_and_keeps_what_it_holds(memory: mmap.mmap) -> None:
    pages = LargePages()
    joined(pages)
    for start in range(0, len(memory), PAGE_BYTES):
        memory[start : start + PAGE_BYTES] = FILLED
    assert joined(pages) >= PAGES - 1, "all but what is not aligned"
    assert joined(pages) == 0
    assert all(memory[start : start + PAGE_BYTES] == FILLED for start in range(0, len(memory), PAGE_BYTES))
    pages.forget()
    assert joined(pages) >= PAGES - 1


def test_what_is_used_in_part_takes_no_more_memory(memory: mmap.mmap) -> None:
    pages = LargePages()
    for start in range(0, len(memory), 2 * PAGE_BYTES):
        memory[start] = 1
    joined(pages)
    before = resident_bytes()
    pages.forget()
    joined(pages)
    assert resident_bytes() - before < LARGE_BYTES


def test_a_join_is_due_when_the_process_has_grown_and_does_so_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = LargePages()
    resident = 100 << 20
    monkeypatch.setattr("orchestrator.large_pages.resident_bytes", lambda: resident)
    assert not pages.due()
    assert not pages.due(), "it is small"
    for _ in range(3):
        resident += 200 << 20
        assert not pages.due(), "it grows"
    assert pages.due()
    joined(pages)
    assert not pages.due(), "all is joined"
    resident += GROWN_BYTES
    assert not pages.due(), "it grows"
    assert pages.due()
