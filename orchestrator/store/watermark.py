"""The last row that was acknowledged, beside the log: what lets a log that lost its end without a trace be refused.

It is written after an append is durable and is not synced itself: it survives the death of the process, and after a
power cut it may lag behind. It is never ahead.
"""

from __future__ import annotations

import mmap
import os
from struct import Struct
from zlib import crc32

_MARK = Struct("<QI")
"""The row and its checksum: within a disk's sector, so torn never, damaged perhaps."""


class Watermark:
    def __init__(self, path: str) -> None:
        self._path = path
        self._map: mmap.mmap | None = None

    def open(self) -> int:
        """The row that was marked last; 0 when there is none, or none that can be read."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, mmap.PAGESIZE)
            self._map = mmap.mmap(descriptor, mmap.PAGESIZE)
        finally:
            os.close(descriptor)
        row, seal = _MARK.unpack_from(self._map)
        return row if _seal(row) == seal else 0

    def set(self, row: int) -> None:
        if self._map is not None:
            _MARK.pack_into(self._map, 0, row, _seal(row))

    def close(self) -> None:
        """Safe to call twice."""
        if self._map is not None:
            self._map.close()
            self._map = None


def _seal(row: int) -> int:
    return crc32(row.to_bytes(8, "little"))
