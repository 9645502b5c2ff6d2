"""The file of an SQLite log: its mark, its format, its tables, and the settings without which nothing is durable."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from struct import pack
from typing import Any
from zlib import crc32

from orchestrator.store.errors import ForeignLog, LogCorrupt, LogFailed, UnknownFormat

APPLICATION_ID = 0x506F6469
"""``Podi``: SQLite's mark of whose file it is."""
FORMAT = 2
"""1: a snapshot's row had no checksum. Before 1 the file is only marked as ours."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, data BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS chunks (id INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL, number INTEGER NOT NULL,"
    " seal INTEGER NOT NULL, data BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS chunks_by_snapshot ON chunks (snapshot, number)",
    "CREATE TABLE IF NOT EXISTS snapshots (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, term INTEGER NOT NULL,"
    " chunks INTEGER NOT NULL, seal INTEGER NOT NULL DEFAULT 0)",
)

Query = Callable[[str], Awaitable[list[Any]]]


async def prepare(path: str, query: Query) -> None:
    """Check that the file is ours (or new), bring it to this format, set the durability and read it back."""
    application = int((await query("PRAGMA application_id"))[0][0])
    tables = int((await query("SELECT count(*) FROM sqlite_master"))[0][0])
    if application != APPLICATION_ID and (application or tables):
        raise ForeignLog(path, f"an SQLite file of another application, {application:#x}, {tables} tables")
    found = int((await query("PRAGMA user_version"))[0][0])
    if found > FORMAT:
        raise UnknownFormat(path, found, FORMAT)
    # EXTRA is FULL in WAL mode. Before it the file is made under a rollback journal, whose removal only EXTRA syncs: a
    # power cut could bring that journal back, and SQLite would roll the file back to nothing.
    await _set(path, query, "synchronous", "EXTRA", "3")
    await _set(path, query, "journal_mode", "WAL", "wal")
    await query("PRAGMA wal_autocheckpoint = 0")
    if application == APPLICATION_ID and found == FORMAT:
        return
    # The mark first and the format last: a power cut in between leaves a file that is known as ours and finished later.
    await query(f"PRAGMA application_id = {APPLICATION_ID}")
    for table in TABLES:
        await query(table)
    if found == 1:
        await _seal_snapshots(query)
    await query(f"PRAGMA user_version = {FORMAT}")


async def _seal_snapshots(query: Query) -> None:
    """From format 1 to 2. Each step may be the last before a power cut: then all of them are done again."""
    columns = [column[1] for column in await query("PRAGMA table_info(snapshots)")]
    if "seal" not in columns:
        await query("ALTER TABLE snapshots ADD COLUMN seal INTEGER NOT NULL DEFAULT 0")
    for row, at, term, chunks in await query("SELECT id, at, term, chunks FROM snapshots"):
        await query(f"UPDATE snapshots SET seal = {snapshot_seal(row, at, term, chunks)} WHERE id = {row}")


def snapshot_seal(row: int, at: int, term: int, chunks: int) -> int:
    """The checksum of a row of ``snapshots``."""
    return crc32(pack("<qqqq", row, at, term, chunks))


async def _set(path: str, query: Query, name: str, value: str, expected: str) -> None:
    await query(f"PRAGMA {name} = {value}")
    found = str((await query(f"PRAGMA {name}"))[0][0])
    if found != expected:
        raise LogFailed(path, f"PRAGMA {name} = {value}", f"it reads back as {found}")


def translate(path: str, operation: str, error: sqlite3.Error) -> ForeignLog | LogCorrupt | LogFailed:
    """What SQLite's complaint means here."""
    text = str(error)
    if "not a database" in text:
        return ForeignLog(path, "not an SQLite file")
    if "malformed" in text or "corrupt" in text:
        return LogCorrupt(path, operation, "a sound SQLite file", text)
    return LogFailed(path, operation, text)
