"""What older versions of the store wrote in the log's file: this version only reads it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from struct import pack
from zlib import crc32

from orchestrator.raft.entry import Entry, HardState
from orchestrator.store.schema import APPLICATION_ID

Append = tuple[HardState, list[Entry]]


def encode_batch_2(state: HardState, entries: list[Entry]) -> bytes:
    """An append in formats 1 and 2."""
    header = pack("<QQQQI", state.term, state.vote, state.commit, entries[0].index if entries else 0, len(entries))
    pieces = [header, pack("<I", crc32(header))]
    for entry in entries:
        head = pack("<QQI", entry.index, entry.term, len(entry.payload))
        pieces += [head, pack("<I", crc32(entry.payload, crc32(head))), entry.payload]
    return b"".join(pieces)


def write_log(
    path: Path, found: int, appends: list[Append], snapshot: tuple[int, int, list[bytes]] | None = None
) -> None:
    """The file of a log of format ``found`` (1 or 2). ``snapshot``: index, term and chunks."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE batches (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, data BLOB NOT NULL)")
        connection.execute(
            "CREATE TABLE chunks (id INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL, number INTEGER NOT NULL,"
            " seal INTEGER NOT NULL, data BLOB NOT NULL)"
        )
        connection.execute("CREATE INDEX chunks_by_snapshot ON chunks (snapshot, number)")
        connection.execute(
            "CREATE TABLE snapshots (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, term INTEGER NOT NULL,"
            f" chunks INTEGER NOT NULL{', seal INTEGER NOT NULL DEFAULT 0' if found == 2 else ''})"
        )
        last = 0
        for row, (state, entries) in enumerate(appends, 1):
            last = entries[-1].index if entries else last
            connection.execute("INSERT INTO batches VALUES (?, ?, ?)", (row, last, encode_batch_2(state, entries)))
        if snapshot is not None:
            at, term, chunks = snapshot
            for number, chunk in enumerate(chunks, 1):
                connection.execute("INSERT INTO chunks VALUES (?, 1, ?, ?, ?)", (number, number, crc32(chunk), chunk))
            seal = [crc32(pack("<qqqq", 1, at, term, len(chunks)))] if found == 2 else []
            fields = [1, at, term, len(chunks), *seal]
            connection.execute(f"INSERT INTO snapshots VALUES ({', '.join('?' * len(fields))})", fields)
        connection.execute(f"PRAGMA user_version = {found}")
