"""Pages of 2 MiB in place of 4 KiB under the heap of a process that has grown large.

The objects of a large heap lie wide apart, and the processor translates the address of nearly each one it comes to: a
put among a million keys costs a sixth more for it, a deleted pod among 30,000 a tenth. The kernel joins small pages to
large ones where it is asked to. Only what is in use nearly whole is joined: a store of 1.5 GB takes 0.7 % more by it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import groupby, islice
from mmap import PAGESIZE
from pathlib import Path
from typing import Any

LARGE_BYTES = 2 << 20
LEAST_BYTES = 128 << 20
"""Resident. A smaller process gains little, and an idle cluster's memory is to stay what it is."""
GROWN_BYTES = 16 << 20
"""For another join to be of use. A heap that grew by as much since it was looked at last grows still: what it asks the
kernel for has to wait while pages are joined."""
MOST_PAGES = 128
"""Joined in one call, which takes up to half a second of another core's time."""
FULL_SHARE = 0.95
"""Of the small pages of a large one that are in use already. Whole ones alone would be two of five."""

MADV_COLLAPSE = 25
"""Of Linux 6.1 and later."""
OURS = Path("/proc/self")


class LargePages:
    """The large pages of this process. On other systems, and where they are not to be had, nothing happens."""

    def __init__(self) -> None:
        self._asked: set[int] = set()
        # Addresses that were joined or refused.
        self._joined_bytes = LEAST_BYTES
        self._seen_bytes = 0
        self._libc: Any = None
        if (OURS / "maps").exists():
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
            self._libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)

    def due(self) -> bool:
        """Whether the process has grown since nothing was left to join, and does so no more. To be asked regularly."""
        if self._libc is None:
            return False
        before, self._seen_bytes = self._seen_bytes, resident_bytes()
        return self._joined_bytes + GROWN_BYTES <= self._seen_bytes < before + GROWN_BYTES

    def join(self) -> int:
        """Join up to ``MOST_PAGES`` and return how many were looked at; blocks, so call it in a thread.

        Older kernels refuse, and those where large pages are switched off: then all stays as it is.
        """
        found = list(islice(self._full(), MOST_PAGES))
        for first, pages in _runs(found):
            self._libc.madvise(first, pages * LARGE_BYTES, MADV_COLLAPSE)
        self._asked.update(found)
        if len(found) < MOST_PAGES:
            self._joined_bytes = max(resident_bytes(), LEAST_BYTES)
        return len(found)

    def forget(self) -> None:
        """Memory was given back: what stands at an address now may be new."""
        self._asked.clear()
        self._joined_bytes = LEAST_BYTES

    def _full(self) -> Iterator[int]:
        """The addresses of what can be joined, in order."""
        used = ctypes.create_string_buffer(LARGE_BYTES // PAGESIZE)
        for start, end in _heap():
            for address in range(-(-start // LARGE_BYTES) * LARGE_BYTES, end - LARGE_BYTES + 1, LARGE_BYTES):
                if address in self._asked or self._libc.mincore(address, LARGE_BYTES, used) != 0:
                    continue
                if sum(used.raw) >= FULL_SHARE * len(used.raw):
                    yield address


def _heap() -> list[tuple[int, int]]:
    """Where the process's own memory lies."""
    found = []
    for line in (OURS / "maps").read_text().splitlines():
        span, access, _, _, inode, *name = line.split(maxsplit=5)
        if access == "rw-p" and inode == "0" and (not name or name[0] == "[heap]"):
            start, end = span.split("-")
            found.append((int(start, 16), int(end, 16)))
    return found


def _runs(addresses: list[int]) -> Iterator[tuple[int, int]]:
    """Neighbours as one: the first address, and how many pages."""
    for _, group in groupby(enumerate(addresses), key=lambda each: each[1] - each[0] * LARGE_BYTES):
        run = [address for _, address in group]
        yield run[0], len(run)


def resident_bytes() -> int:
    """What this process has in memory now."""
    return int((OURS / "statm").read_text().split()[1]) * PAGESIZE
