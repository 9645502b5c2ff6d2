"""Small pages that are in use are joined to large ones, in place; others stay as they are."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.large_pages import GROWN_BYTES, LARGE_BYTES, MADV_COLLAPSE, LargePages, resident_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="large pages are asked for on Linux only")
PAGES = 24
FILLED = bytes(range(256)) * (mmap.PAGESIZE // 256)


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


def large_bytes() -> int:
    """What of this process's memory lies on large pages."""
    rows = dict(line.split(":") for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    return int(rows["AnonHugePages"].split()[0]) * 1024


def test_what_was_joined_lies_on_large_pages(memory: mmap.mmap) -> None:
    pages = LargePages()
    joined(pages)
    memory[:] = b"\1" * len(memory)
    before = large_bytes()
    found = joined(pages)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    aligned = -(-address // LARGE_BYTES) * LARGE_BYTES
    if pages._libc.madvise(aligned, LARGE_BYTES, MADV_COLLAPSE) != 0:
        pytest.skip("this kernel joins no pages")
    assert found >= PAGES - 1
    assert large_bytes() - before >= (PAGES - 1) * LARGE_BYTES


def test_what_is_in_use_is_joined_once_and_keeps_what_it_holds(memory: mmap.mmap) -> None:
    pages = LargePages()
    joined(pages)
    for start in range(0, len(memory), mmap.PAGESIZE):
        memory[start : start + mmap.PAGESIZE] = FILLED
    assert joined(pages) >= PAGES - 1, "all but what is not aligned"
    assert joined(pages) == 0
    assert all(memory[start : start + mmap.PAGESIZE] == FILLED for start in range(0, len(memory), mmap.PAGESIZE))
    pages.forget()
    assert joined(pages) >= PAGES - 1


def test_what_is_used_in_part_takes_no_more_memory(memory: mmap.mmap) -> None:
    pages = LargePages()
    joined(pages)
    for start in range(0, len(memory), 2 * mmap.PAGESIZE):
        memory[start] = 1
    before = resident_bytes()
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
