"""The bytes of one append: the hard state and the entries, each under a checksum of its own.

Header ``term vote commit first count previous crc`` (little endian, 8 8 8 8 4 4 4), then each entry as ``term length
crc`` (8 4 4) and its payload. A checksum goes on from the one before it, and ``previous`` is the one that the append
before ended with: what was damaged, lost, exchanged, or comes from another time of the log does not fit behind what
stands before it. The index of an entry is its place.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

import msgspec

from orchestrator.raft.entry import Entry, HardState

_HEADER = Struct("<QQQQII")
_ENTRY = Struct("<QI")
_SEAL = Struct("<I")
HEADER_BYTES = _HEADER.size + _SEAL.size
ENTRY_BYTES = _ENTRY.size + _SEAL.size


class Batch(msgspec.Struct, frozen=True):
    """One append. ``first`` is the index that its entries begin at, or 0; ``seal`` what the next one goes on from."""

    state: HardState
    first: int
    entries: list[Entry]
    seal: int


class Damaged(Exception):
    """Bytes that are no batch, or only the beginning of one, or do not follow what stands before them."""

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(f"{where}: expected {expected}, found {found}")
        self.where = where
        self.expected = expected
        self.found = found


def encode_batch(state: HardState, entries: list[Entry], previous: int = 0) -> tuple[bytes, int]:
    """The bytes, and the seal that they end with. ``previous``: that of the append before (0 for the first)."""
    first = entries[0].index if entries else 0
    header = _HEADER.pack(state.term, state.vote, state.commit, first, len(entries), previous)
    seal = crc32(header)
    pieces = [header, _SEAL.pack(seal)]
    pack, pack_seal = _ENTRY.pack, _SEAL.pack
    for entry in entries:
        head = pack(entry.term, len(entry.payload))
        seal = crc32(entry.payload, crc32(head, seal))
        pieces += (head, pack_seal(seal), entry.payload)
    return b"".join(pieces), seal


def decode_batch(data: bytes, previous: int | None = None) -> Batch:
    """Raises ``Damaged``, also when the batch does not follow ``previous`` (None: what it follows is not here)."""
    if len(data) < HEADER_BYTES:
        raise Damaged("the batch's header", f"{HEADER_BYTES} bytes", f"{len(data)}")
    seal = crc32(data[: _HEADER.size])
    _verify("the batch's header", seal, data, _HEADER.size)
    term, vote, commit, first, count, follows = _HEADER.unpack_from(data)
    if previous is not None and follows != previous:
        raise Damaged("the batch's header", f"one that follows the seal {previous:08x}", f"{follows:08x}")
    entries = []
    position = HEADER_BYTES
    for index in range(first, first + count):
        entry, seal = _entry(data, position, index, seal)
        entries.append(entry)
        position += ENTRY_BYTES + len(entry.payload)
    if position != len(data):
        raise Damaged("the batch's end", f"{position} bytes", f"{len(data)}")
    return Batch(HardState(term, vote, commit), first, entries, seal)


def _entry(data: bytes, position: int, index: int, seal: int) -> tuple[Entry, int]:
    """The entry that begins at ``position``, and its seal."""
    where = f"entry {index}"
    start = position + ENTRY_BYTES
    if start > len(data):
        raise Damaged(where, f"{ENTRY_BYTES} bytes of header", f"{len(data) - position}")
    term, length = _ENTRY.unpack_from(data, position)
    if start + length > len(data):
        raise Damaged(where, f"a payload of {length} bytes", f"{len(data) - start}")
    payload = data[start : start + length]
    seal = crc32(payload, crc32(data[position : position + _ENTRY.size], seal))
    _verify(where, seal, data, position + _ENTRY.size)
    return Entry(index, term, payload), seal


def _verify(where: str, computed: int, data: bytes, position: int) -> None:
    (written,) = _SEAL.unpack_from(data, position)
    if computed != written:
        raise Damaged(where, f"checksum {written:08x}", f"{computed:08x}")
