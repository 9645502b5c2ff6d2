"""A log looked at and mended while no store has it open.

``check`` reads everything that a store would read, and what SQLite itself knows of its file. ``repair`` carries what is
sound into a new file: the snapshot, and the entries up to the first that is damaged or missing. What comes after is
lost, though it was acknowledged; the damaged files stay beside the new one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from zlib import crc32

import msgspec

from orchestrator.raft.config import MARKER
from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.batch import Damaged, decode_batch
from orchestrator.store.commands import decode_command
from orchestrator.store.errors import LogCorrupt, LogFailed
from orchestrator.store.file_lock import FileLock
from orchestrator.store.machine import Machine
from orchestrator.store.schema import COMPLAINTS, FORMAT
from orchestrator.store.sealing import Keyring, SealedLog
from orchestrator.store.snapshot import Loading, Unreadable
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.upgrade import rewrite, snapshot_seal

SUFFIXES = ("", "-wal", ".mark")
"""The files of a log, by what is added to its path. The rest is made anew."""
DAMAGE_SHOWN = 10
"""Lines of SQLite's own check that are shown."""


class Checked(msgspec.Struct, frozen=True):
    """What a log has. ``damage`` is empty for a sound one."""

    entries: int
    last: int
    snapshot: Mark
    revision: int
    keys: int
    cut: str
    damage: list[str]
    format: int = FORMAT
    """Of the file. An older one is brought to this version's when a store opens it."""


class Repaired(msgspec.Struct, frozen=True):
    """``kept`` entries up to index ``last``; ``dropped`` rows behind them; ``saved`` is where the old files are."""

    kept: int
    last: int
    dropped: int
    reason: str
    saved: str


async def check(path: str, keys: Keyring | None = None) -> Checked:
    """Raises ``LogLocked``, ``ForeignLog``, ``UnknownFormat``, ``KeyMissing``; all other damage is in the answer."""
    file = SqliteLog(path, read_only=True)
    log = SealedLog(file, keys)
    entries, mark, cut, damage = list[Entry](), Mark(), "", list[str]()
    revision = count = 0
    try:
        try:
            found = await log.open()
            entries, mark, cut = found.entries, found.snapshot, found.cut
            revision, count = await _state(log, mark, entries)
        except (LogCorrupt, LogFailed, Unreadable) as error:
            damage.append(str(error))
    finally:
        await log.close()
    damage += _integrity(path)
    last = entries[-1].index if entries else mark.index
    return Checked(len(entries), last, mark, revision, count, cut, damage, file.format)


async def _state(log: SealedLog, mark: Mark, entries: list[Entry]) -> tuple[int, int]:
    """The revision and the number of keys that the log leads to."""
    loading = Loading()
    if mark.index:
        async for chunk in log.read_snapshot():
            loading.add(chunk)
    machine = loading.finish() if mark.index else Machine()
    for entry in entries:
        if entry.index <= mark.index or entry.payload[:1] in (b"", MARKER):
            continue
        try:
            machine.apply(decode_command(entry.payload))
        except msgspec.MsgspecError as error:
            raise Unreadable(f"entry {entry.index}: expected a command, found {error}") from error
    return machine.revision, len(machine.live)


def _integrity(path: str) -> list[str]:
    with _locked(path), closing(sqlite3.connect(path)) as connection:
        try:
            lines = [row[0] for row in connection.execute(f"PRAGMA integrity_check({DAMAGE_SHOWN})")]
        except COMPLAINTS as error:
            lines = [str(error)]
    return [] if lines == ["ok"] else [f"SQLite: {line}" for line in lines]


async def repair(path: str) -> Repaired:
    """Raises ``LogCorrupt`` when not even a beginning can be kept: the snapshot that the entries follow is gone."""
    with _locked(path):
        saved = _copy(path)
        sound = _Sound(path)
        fresh = path + ".repaired"
        _remove(fresh)
    log = SqliteLog(fresh)
    try:
        await log.open()
        if sound.mark.index:
            await log.save_snapshot(sound.mark, sound.chunks)
        last = sound.entries[-1].index if sound.entries else sound.mark.index
        state = HardState(sound.state.term, sound.state.vote, min(sound.state.commit, last))
        await log.append(state, sound.entries)
    finally:
        await log.close()
    with _locked(path):
        _remove(path)
        os.replace(fresh, path)
        os.replace(fresh + ".mark", path + ".mark")
        _remove(fresh)
        _sync_directory(path)
    return Repaired(len(sound.entries), last, sound.dropped, sound.reason, saved)


class _Sound:
    """What can be read and is proved by its checksums."""

    def __init__(self, path: str) -> None:
        self.state, self.mark = HardState(), Mark()
        self.chunks: list[bytes] = []
        self.entries: list[Entry] = []
        self.dropped = 0
        self.reason = ""
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            self._format = int(connection.execute("PRAGMA user_version").fetchone()[0])
            self._snapshot(connection)
            self._batches(connection)
        if self.entries and self.entries[0].index > self.mark.index + 1:
            first, wanted = self.entries[0].index, self.mark.index + 1
            raise LogCorrupt(path, "the snapshot", f"one that reaches entry {first - 1}", f"entries from {wanted} gone")

    def _snapshot(self, connection: sqlite3.Connection) -> None:
        """The newest one that is whole."""
        try:
            sealed = ", seal" if self._format > 1 else ""
            rows = list(connection.execute(f"SELECT id, at, term, chunks{sealed} FROM snapshots ORDER BY id DESC"))
            for row, at, term, count, *seal in rows:
                if sealed and seal != [snapshot_seal(row, at, term, count)]:
                    continue
                sql = "SELECT seal, data FROM chunks WHERE snapshot = ? ORDER BY number"
                found = list(connection.execute(sql, (row,)))
                if len(found) == count and all(crc32(data) == chunk_seal for chunk_seal, data in found):
                    self.mark, self.chunks = Mark(at, term), [data for _, data in found]
                    return
        except Exception as error:
            self.reason = f"the snapshot: {error}"

    def _batches(self, connection: sqlite3.Connection) -> None:
        rows, expected, chain = 0, 0, None
        try:
            total = int(connection.execute("SELECT count(*) FROM batches").fetchone()[0])
        except COMPLAINTS:
            total = 0
        try:
            for row, data in connection.execute("SELECT id, data FROM batches ORDER BY id"):
                if expected and row != expected:
                    raise Damaged("the rows of batches", f"row {expected}", f"row {row}")
                if self._format < FORMAT:
                    data, _ = rewrite(data, chain or 0)
                batch = decode_batch(data, chain)
                self._splice(row, batch.first, batch.entries)
                self.state, chain = batch.state, batch.seal
                rows, expected = rows + 1, row + 1
        except (Damaged, *COMPLAINTS, TypeError) as error:
            self.reason = str(error)
        self.dropped = max(0, total - rows)

    def _splice(self, row: int, first: int, entries: list[Entry]) -> None:
        if not entries:
            return
        if self.entries and first > self.entries[-1].index + 1:
            if self.entries[-1].index > self.mark.index:
                raise Damaged(f"row {row}", f"entry {self.entries[-1].index + 1}", f"entry {first}")
            self.entries.clear()
        self.entries = [entry for entry in self.entries if entry.index < first] + entries


def defragment(path: str) -> tuple[int, int]:
    """Rewrite the file to its least size; its bytes before and after. Raises ``LogLocked``, ``LogFailed``."""
    with _locked(path):
        before = _size(path)
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = EXTRA")
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except COMPLAINTS as error:
            raise LogFailed(path, "defrag", str(error)) from error
        return before, _size(path)


def _size(path: str) -> int:
    return sum(os.path.getsize(path + suffix) for suffix in ("", "-wal") if os.path.exists(path + suffix))


@contextmanager
def _locked(path: str) -> Iterator[None]:
    lock = FileLock(path + ".lock")
    lock.take(path)
    try:
        yield
    finally:
        lock.release()


def _copy(path: str) -> str:
    """The files as they are, under a name that is free."""
    number = 1
    while os.path.exists(f"{path}.damaged-{number}"):
        number += 1
    name = f"{path}.damaged-{number}"
    for suffix in SUFFIXES:
        if os.path.exists(path + suffix):
            shutil.copyfile(path + suffix, name + suffix)
    return name


def _remove(path: str) -> None:
    for suffix in (*SUFFIXES, "-shm", ".lock") if path.endswith(".repaired") else (*SUFFIXES, "-shm"):
        if os.path.exists(path + suffix):
            os.unlink(path + suffix)


def _sync_directory(path: str) -> None:
    descriptor = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
