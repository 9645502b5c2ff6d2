"""What older versions wrote in the log's file, and how it becomes what this one writes.

Format 1 had no checksum in a snapshot's row. Up to format 2 each entry stood under a checksum that knew nothing of the
others: header ``term vote commit first count crc`` (little endian, 8 8 8 8 4 4), each entry ``index term length crc``
(8 8 4 4) and its payload. A row from another time of the log, as a file and a ``-wal`` of different days bring
together, was taken for one of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from struct import Struct, pack
from typing import Any
from zlib import crc32

from orchestrator.raft.entry import Entry, HardState
from orchestrator.store.batch import Damaged, encode_batch

_HEADER = Struct("<QQQQI")
_ENTRY = Struct("<QQI")
_SEAL = Struct("<I")

UPGRADED_ROWS = 256
"""Rows rewritten by one statement: three parameters each, of which SQLite takes 999 in its oldest builds."""

Query = Callable[..., Awaitable[list[Any]]]
"""An SQL statement and its parameters: the rows."""


async def upgrade(found: int, query: Query) -> None:
    """Rewrite a file of format ``found``, in the caller's transaction. Raises ``Damaged`` for what was not sound."""
    if found == 1:
        await _seal_snapshots(query)
    if found in (1, 2):
        await _chain_batches(query)


async def _seal_snapshots(query: Query) -> None:
    await query("ALTER TABLE snapshots ADD COLUMN seal INTEGER NOT NULL DEFAULT 0")
    for row, at, term, chunks in await query("SELECT id, at, term, chunks FROM snapshots"):
        if not all(isinstance(number, int) for number in (at, term, chunks)):
            raise Damaged(f"snapshot {row}", "three numbers", f"{(at, term, chunks)}")
        await query("UPDATE snapshots SET seal = ? WHERE id = ?", (snapshot_seal(row, at, term, chunks), row))


def snapshot_seal(row: int, at: int, term: int, chunks: int) -> int:
    """The checksum of a row of ``snapshots``."""
    return crc32(pack("<qqqq", row, at, term, chunks))


async def _chain_batches(query: Query) -> None:
    after = seal = 0
    select = "SELECT id, last, data FROM batches WHERE id > ? ORDER BY id LIMIT ?"
    while rows := await query(select, (after, UPGRADED_ROWS)):
        fields: list[Any] = []
        for row, last, data in rows:
            try:
                chained, seal = rewrite(data, seal)
            except Damaged as error:
                raise Damaged(f"row {row}, {error.where}", error.expected, error.found) from error
            fields += (row, last, chained)
            after = row
        await query(f"REPLACE INTO batches (id, last, data) VALUES {', '.join(['(?, ?, ?)'] * len(rows))}", fields)


def rewrite(data: bytes, previous: int) -> tuple[bytes, int]:
    """A batch of format 2 as one of this format that follows ``previous``, and its seal. Raises ``Damaged``."""
    state, entries = decode_batch_2(data)
    return encode_batch(state, entries, previous)


def decode_batch_2(data: bytes) -> tuple[HardState, list[Entry]]:
    """A batch of formats 1 and 2. Raises ``Damaged``."""
    if not isinstance(data, bytes) or len(data) < _HEADER.size + _SEAL.size:
        raise Damaged("the batch's header", f"{_HEADER.size + _SEAL.size} bytes", f"{data!r:.80}")
    _verify("the batch's header", crc32(data[: _HEADER.size]), data, _HEADER.size)
    term, vote, commit, first, count = _HEADER.unpack_from(data)
    entries = []
    position = _HEADER.size + _SEAL.size
    for index in range(first, first + count):
        entry, position = _entry(data, position, index)
        entries.append(entry)
    if position != len(data):
        raise Damaged("the batch's end", f"{position} bytes", f"{len(data)}")
    return HardState(term, vote, commit), entries


def _entry(data: bytes, position: int, expected: int) -> tuple[Entry, int]:
    where = f"entry {expected}"
    start = position + _ENTRY.size + _SEAL.size
    if start > len(data):
        raise Damaged(where, f"{_ENTRY.size + _SEAL.size} bytes of header", f"{len(data) - position}")
    head = data[position : position + _ENTRY.size]
    index, term, length = _ENTRY.unpack(head)
    payload = data[start : start + length]
    if len(payload) < length:
        raise Damaged(where, f"a payload of {length} bytes", f"{len(payload)}")
    _verify(where, crc32(payload, crc32(head)), data, position + _ENTRY.size)
    if index != expected:
        raise Damaged(where, f"index {expected}", f"{index}")
    return Entry(index, term, payload), start + length


def _verify(where: str, computed: int, data: bytes, position: int) -> None:
    (written,) = _SEAL.unpack_from(data, position)
    if computed != written:
        raise Damaged(where, f"checksum {written:08x}", f"{computed:08x}")
