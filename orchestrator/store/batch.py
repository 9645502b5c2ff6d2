"""The bytes of one append: the hard state and the entries, each under a checksum of its own.

Header ``term vote commit first count crc`` (little endian, 8 8 8 8 4 4), then each entry as ``index term length crc``
(8 8 4 4) and its payload. A checksum covers everything before it in its header, an entry's also the payload.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

import msgspec

from orchestrator.raft.entry import Entry, HardState

_HEADER = Struct("<QQQQI")
_ENTRY = Struct("<QQI")
_SEAL = Struct("<I")
HEADER_BYTES = _HEADER.size + _SEAL.size
ENTRY_BYTES = _ENTRY.size + _SEAL.size


class Batch(msgspec.Struct, frozen=True):
    """One append. ``first`` is the index that its entries begin at, or would."""

    state: HardState
    first: int
    entries: list[Entry]


class Damaged(Exception):
    """Bytes that are no batch, or only the beginning of one."""

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(f"{where}: expected {expected}, found {found}")
        self.where = where
        self.expected = expected
        self.found = found


def encode_batch(state: HardState, entries: list[Entry]) -> bytes:
    first = entries[0].index if entries else 0
    header = _HEADER.pack(state.term, state.vote, state.commit, first, len(entries))
    pieces = [header, _SEAL.pack(crc32(header))]
    pack, seal = _ENTRY.pack, _SEAL.pack
    for entry in entries:
        head = pack(entry.index, entry.term, len(entry.payload))
        pieces += (head, seal(crc32(entry.payload, crc32(head))), entry.payload)
    return b"".join(pieces)


def decode_batch(data: bytes) -> Batch:
    """Raises ``Damaged``. Every entry's place in the batch is checked, and that nothing follows the last."""
    state, first, count = _header(data)
    entries = []
    position = HEADER_BYTES
    for number in range(count):
        entry, position = _entry(data, position, first + number)
        entries.append(entry)
    if position != len(data):
        raise Damaged("the batch's end", f"{position} bytes", f"{len(data)}")
    return Batch(state, first, entries)


def batch_bytes(data: bytes, start: int) -> int:
    """How long the batch is that begins at ``start``, by its headers. Raises ``Damaged`` when it is not all there."""
    _, _, count = _header(data, start)
    position = start + HEADER_BYTES
    for _ in range(count):
        if position + ENTRY_BYTES > len(data):
            raise Damaged(f"byte {position}", f"{ENTRY_BYTES} bytes of an entry's header", f"{len(data) - position}")
        position += ENTRY_BYTES + int(_ENTRY.unpack_from(data, position)[2])
    if position > len(data):
        raise Damaged(f"byte {start}", f"a batch of {position - start} bytes", f"{len(data) - start}")
    return position - start


def _header(data: bytes, start: int = 0) -> tuple[HardState, int, int]:
    if len(data) - start < HEADER_BYTES:
        raise Damaged("the batch's header", f"{HEADER_BYTES} bytes", f"{len(data) - start}")
    header = data[start : start + _HEADER.size]
    _verify("the batch's header", crc32(header), data, start + _HEADER.size)
    term, vote, commit, first, count = _HEADER.unpack(header)
    return HardState(term, vote, commit), first, count


def _entry(data: bytes, position: int, expected_index: int) -> tuple[Entry, int]:
    where = f"entry {expected_index}"
    if position + ENTRY_BYTES > len(data):
        raise Damaged(where, f"{ENTRY_BYTES} bytes of header", f"{len(data) - position}")
    head = data[position : position + _ENTRY.size]
    index, term, length = _ENTRY.unpack(head)
    end = position + ENTRY_BYTES + length
    if end > len(data):
        raise Damaged(where, f"a payload of {length} bytes", f"{len(data) - position - ENTRY_BYTES}")
    payload = data[position + ENTRY_BYTES : end]
    _verify(where, crc32(payload, crc32(head)), data, position + _ENTRY.size)
    if index != expected_index:
        raise Damaged(where, f"index {expected_index}", f"{index}")
    return Entry(index, term, payload), end


def _verify(where: str, computed: int, data: bytes, position: int) -> None:
    (written,) = _SEAL.unpack_from(data, position)
    if computed != written:
        raise Damaged(where, f"checksum {written:08x}", f"{computed:08x}")
