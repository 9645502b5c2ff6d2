"""The file of an SQLite log: its mark, its format, its tables, and the settings without which nothing is durable."""

from __future__ import annotations

import sqlite3

from orchestrator.store.batch import Damaged
from orchestrator.store.errors import ForeignLog, LogCorrupt, LogFailed, UnknownFormat
from orchestrator.store.upgrade import Query, upgrade

APPLICATION_ID = 0x506F6469
"""``Podi``: SQLite's mark of whose file it is."""
FORMAT = 3
"""What older ones were ``upgrade`` says. 0: the file has no format yet."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, data BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS chunks (id INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL, number INTEGER NOT NULL,"
    " seal INTEGER NOT NULL, data BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS chunks_by_snapshot ON chunks (snapshot, number)",
    "CREATE TABLE IF NOT EXISTS snapshots (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, term INTEGER NOT NULL,"
    " chunks INTEGER NOT NULL, seal INTEGER NOT NULL DEFAULT 0)",
)


async def prepare(path: str, query: Query, *, keep: bool) -> int:
    """Check that the file is ours (or new), set the durability and read it back, bring the file to this format.

    The format that it had. ``keep``: what that changes stays in an open transaction, and is gone with the connection.
    """
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
    # Else each row that is removed is written once more, as zeros (Debian's default).
    await query("PRAGMA secure_delete = FAST")
    if application != APPLICATION_ID or found != FORMAT:
        await _bring_up(path, query, found)
        if not keep:
            await query("COMMIT")
    return found


async def _bring_up(path: str, query: Query, found: int) -> None:
    """All of it in one transaction: a power cut leaves the file in the one format or in the other."""
    await query("BEGIN IMMEDIATE")
    await query(f"PRAGMA application_id = {APPLICATION_ID}")
    for table in TABLES:
        await query(table)
    try:
        await upgrade(found, query)
    except Damaged as error:
        raise LogCorrupt(path, error.where, error.expected, error.found) from error
    await query(f"PRAGMA user_version = {FORMAT}")


async def _set(path: str, query: Query, name: str, value: str, expected: str) -> None:
    await query(f"PRAGMA {name} = {value}")
    found = str((await query(f"PRAGMA {name}"))[0][0])
    if found != expected:
        raise LogFailed(path, f"PRAGMA {name} = {value}", f"it reads back as {found}")


COMPLAINTS = (sqlite3.Error, UnicodeDecodeError)
"""What the driver raises: SQLite quotes what it found in a damaged file, and the driver takes that for UTF-8."""


def translate(path: str, operation: str, error: Exception) -> ForeignLog | LogCorrupt | LogFailed:
    """What SQLite's complaint means here."""
    text = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
    if "not a database" in text:
        return ForeignLog(path, "not an SQLite file")
    if "malformed" in text or "corrupt" in text:
        return LogCorrupt(path, operation, "a sound SQLite file", text)
    return LogFailed(path, operation, text)
