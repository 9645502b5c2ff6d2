"""The log in an SQLite file, through aiosqlite: one connection, one statement and one fsync for each append.

A group commit is one row of ``batches`` (see ``batch``), written by one statement in autocommit mode: the statement is
the transaction, and the call is one hop to the connection's thread, shielded, so that a cancelled caller leaves no
transaction open. The WAL is checkpointed by ``tidy``, never inside an append. The file never has a second connection.

Beside the file stand its lock (``.lock``) and the last acknowledged row (``.mark``, see ``watermark``).
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import suppress
from typing import Any, TypeVar
from zlib import crc32

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.batch import Batch, Damaged, decode_batch, encode_batch
from orchestrator.store.connection import Connect, Connection, Prompt, connect
from orchestrator.store.errors import LogCorrupt, LogFailed
from orchestrator.store.file_lock import FileLock
from orchestrator.store.log import LogStatistics, Recovered
from orchestrator.store.schema import COMPLAINTS, FORMAT, prepare, translate
from orchestrator.store.upgrade import snapshot_seal
from orchestrator.store.wal import Tail, inspect
from orchestrator.store.watermark import Watermark

CHECKPOINT_IDLE_BYTES = 4 << 20
"""Of the write-ahead log since the last checkpoint: from here on an idle moment is used for the next, which takes some
4 ms; one of three times as much 10 ms, for which all that comes meanwhile waits."""
CHECKPOINT_BYTES = 8 << 20
"""Beyond this a checkpoint is made between two appends even when there is no idle moment."""
RESERVED_BYTES = 16 << 20
"""Of the write-ahead log, where they are reserved: more than it takes while there are idle moments for checkpoints."""
FRAME_BYTES = 4096 + 24
"""A page in the write-ahead log."""
STEP_BYTES = 1 << 20
"""Of the log that are removed by one statement, which keeps the next append waiting for some milliseconds."""
STEP_CHUNKS = 2
"""Of a snapshot: as many bytes."""
ROW_BYTES = 1 << 10
"""What it takes to remove a small row, in bytes."""
LARGE = 1 << 62
"""More bytes than any write is done with on the caller's thread."""
READ_ROWS = 256
"""Batches read at once when the log is opened."""

T = TypeVar("T")


class SqliteLog:
    """A ``Log`` in the file ``path``; the directory is made when it is missing.

    ``read_only``: the file stays as it is, in an older format too, and nothing is appended. ``reserved_bytes``: what
    the write-ahead log has from the start (a file that grows takes nearly twice as long to sync).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        read_only: bool = False,
        checkpoint_idle_bytes: int = CHECKPOINT_IDLE_BYTES,
        reserved_bytes: int = 0,
        connect: Connect = connect,
    ) -> None:
        self.path = os.fspath(path)
        self.format = FORMAT
        """That the file had when it was opened. It is brought to this version's."""
        self._read_only = read_only
        self._checkpoint_idle_bytes = checkpoint_idle_bytes
        self._reserved_bytes = reserved_bytes
        self._connect = connect
        self._lock = FileLock(self.path + ".lock")
        self._watermark = Watermark(self.path + ".mark")
        self._connection: Connection | None = None
        self._running: set[asyncio.Future[Any]] = set()
        self._failed: LogFailed | None = None
        self._reset()

    def _reset(self) -> None:
        self._rows: deque[tuple[int, int, int, int]] = deque()
        # Of each batch: row id, index of its last entry (of the last before it, when it has none), entries, bytes.
        self._entries = 0
        self._bytes = 0
        self._appends = 0
        self._snapshot = (0, 0)
        # Row id and number of chunks of the snapshot that counts.
        self._unchecked = 0
        self._seal: int | None = None
        # What the last row ends with, None for no row.

    async def open(self) -> Recovered:
        """Raises ``LogLocked``, ``ForeignLog``, ``UnknownFormat``, ``LogCorrupt``, ``LogFailed``."""
        self._failed = None
        self._reset()
        try:
            await asyncio.to_thread(_make_room, self.path, self._lock)
            acknowledged = await asyncio.to_thread(self._watermark.open)
            tail = await asyncio.to_thread(_torn_tail, self.path)
            self._connection = await self._connect(self.path)
            self.format = await prepare(self.path, self._query, keep=self._read_only)
            recovered = await self._recover(_words(tail))
            last = self._rows[-1][0] if self._rows else 0
            if last < acknowledged:
                expected = f"row {acknowledged}, which was acknowledged"
                raise LogCorrupt(self.path, "the log's end", expected, f"row {last} as the last")
            if self._reserved_bytes and not self._read_only:
                await asyncio.to_thread(_reserve, self.path + "-wal", self._reserved_bytes)
            return recovered
        except OSError as error:
            await self.close()
            raise LogFailed(self.path, "opening the log", str(error)) from error
        except COMPLAINTS as error:
            await self.close()
            raise translate(self.path, "opening the log", error) from error
        except BaseException:
            await self.close()
            raise

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        data, seal = encode_batch(state, entries, self._seal or 0)
        last = entries[-1].index if entries else (self._rows[-1][1] if self._rows else 0)
        row = self._rows[-1][0] + 1 if self._rows else 1
        insert = "INSERT INTO batches (id, last, data) VALUES (?, ?, ?)"
        await self._write("append", insert, (row, last, data), size=len(data))
        self._seal = seal
        self._watermark.set(row)
        self._rows.append((row, last, len(entries), len(data)))
        self._entries += len(entries)
        self._bytes += len(data)
        self._appends += 1
        self._unchecked += _frames_bytes(len(data))

    async def save_snapshot(self, mark: Mark, chunks: Iterable[bytes]) -> None:
        row, number = self._snapshot[0] + 1, 0
        await self._write("clearing an unfinished snapshot", "DELETE FROM chunks WHERE snapshot = ?", (row,))
        insert = "INSERT INTO chunks (snapshot, number, seal, data) VALUES (?, ?, ?, ?)"
        making = iter(chunks)
        # On a thread: the first takes as long as the history is, and nothing that it looks at is ever changed.
        while (chunk := await asyncio.to_thread(next, making, None)) is not None:
            number += 1
            await self._write("writing a snapshot", insert, (row, number, crc32(chunk), chunk))
            self._unchecked += _frames_bytes(len(chunk))
        complete = "INSERT INTO snapshots (id, at, term, chunks, seal) VALUES (?, ?, ?, ?, ?)"
        fields = (row, mark.index, mark.term, number)
        await self._write("completing a snapshot", complete, (*fields, snapshot_seal(*fields)))
        before, self._snapshot = self._snapshot[1], (row, number)
        await self._write("removing the old snapshot", "DELETE FROM snapshots WHERE id < ?", (row,))
        for last in range(STEP_CHUNKS, before + STEP_CHUNKS, STEP_CHUNKS):
            step = "DELETE FROM chunks WHERE snapshot = ? AND number <= ?"
            await self._write("removing the old snapshot", step, (row - 1, last))
        await self._write("removing the old snapshot", "DELETE FROM chunks WHERE snapshot < ?", (row,))

    async def read_snapshot(self) -> AsyncIterator[bytes]:
        row, count = self._snapshot
        for number in range(1, count + 1):
            where = f"chunk {number} of {count} of the snapshot"
            sql = "SELECT seal, data FROM chunks WHERE snapshot = ? AND number = ?"
            try:
                found = await self._query(sql, (row, number))
            except COMPLAINTS as error:
                raise translate(self.path, f"reading {where}", error) from error
            if not found:
                raise LogCorrupt(self.path, where, "a row", "none")
            seal, data = found[0]
            if not isinstance(data, bytes):
                raise LogCorrupt(self.path, where, "bytes", type(data).__name__)
            if crc32(data) != seal:
                raise LogCorrupt(self.path, where, f"checksum {seal:08x}", f"{crc32(data):08x}")
            yield data

    async def truncate(self, through: int) -> None:
        """The newest batch stays: the hard state is in it. Removed step by step: appends come in between."""
        row = step = 0
        while len(self._rows) > 1 and self._rows[0][1] <= through:
            row, _, entries, size = self._rows.popleft()
            self._entries -= entries
            self._bytes -= size
            step += size + ROW_BYTES
            if step >= STEP_BYTES:
                await self._remove(row)
                step = 0
        if step:
            await self._remove(row)

    async def _remove(self, row: int) -> None:
        await self._write("truncating the log", "DELETE FROM batches WHERE id <= ?", (row,))

    async def tidy(self) -> None:
        if self._unchecked >= self._checkpoint_idle_bytes:
            self._unchecked = 0
            await self._write("checkpoint", "PRAGMA wal_checkpoint(PASSIVE)", ())

    @property
    def untidy(self) -> bool:
        """Whether ``tidy`` should not wait for an idle moment any longer."""
        return self._unchecked >= CHECKPOINT_BYTES

    async def close(self) -> None:
        if self._running:
            await asyncio.wait(self._running)
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                await connection.close()
        finally:
            self._watermark.close()
            self._lock.release()

    def statistics(self) -> LogStatistics:
        return LogStatistics(self._entries, self._bytes, self._appends)

    async def _newest_snapshot(self) -> Mark:
        found = await self._query("SELECT id, at, term, chunks, seal FROM snapshots ORDER BY id DESC LIMIT 1")
        if not found:
            self._snapshot = (0, 0)
            return Mark()
        row, at, term, chunks, seal = found[0]
        if not all(isinstance(number, int) for number in found[0]) or snapshot_seal(row, at, term, chunks) != seal:
            raise LogCorrupt(self.path, f"snapshot {row}", "the checksum of its row", f"{found[0]}")
        self._snapshot = (row, chunks)
        return Mark(at, term)

    async def _recover(self, cut: str) -> Recovered:
        mark = await self._newest_snapshot()
        state, entries = HardState(), list[Entry]()
        while True:
            after = self._rows[-1][0] if self._rows else 0
            rows = await self._query(
                "SELECT id, data FROM batches WHERE id > ? ORDER BY id LIMIT ?", (after, READ_ROWS)
            )
            if not rows:
                break
            for row, data in rows:
                batch = self._read(row, data)
                state, self._seal = batch.state, batch.seal
                _splice(self.path, row, entries, batch, mark)
                last = entries[-1].index if entries else mark.index
                self._rows.append((row, last, len(batch.entries), len(data)))
                self._bytes += len(data)
        self._entries = len(entries)
        if state.commit > (entries[-1].index if entries else mark.index):
            found_last = entries[-1].index if entries else mark.index
            raise LogCorrupt(self.path, "the log's end", f"entry {state.commit}, which is committed", f"{found_last}")
        return Recovered(state, mark, entries, cut)

    def _read(self, row: int, data: bytes) -> Batch:
        if self._rows and row != self._rows[-1][0] + 1:
            raise LogCorrupt(self.path, "the rows of batches", f"row {self._rows[-1][0] + 1}", f"row {row}")
        if not isinstance(data, bytes):
            raise LogCorrupt(self.path, f"row {row}", "bytes", type(data).__name__)
        try:
            return decode_batch(data, self._seal)
        except Damaged as error:
            raise LogCorrupt(self.path, f"row {row}, {error.where}", error.expected, error.found) from error

    async def _query(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        if self._failed is not None:
            raise self._failed
        if self._connection is None:
            raise LogFailed(self.path, sql, "the log is closed")
        return list(await self._shielded(self._connection.execute_fetchall(sql, parameters)))

    async def _write(self, operation: str, sql: str, parameters: tuple[Any, ...], *, size: int = LARGE) -> None:
        """``size``: of a write that may be done here and now, if the connection sees to that."""
        if self._read_only:
            raise LogFailed(self.path, operation, "it is open to be read only")
        try:
            if not await self._written_here(sql, parameters, size):
                await self._query(sql, parameters)
        except COMPLAINTS as error:
            failure = translate(self.path, operation, error)
            self._failed = failure if isinstance(failure, LogFailed) else LogFailed(self.path, operation, str(error))
            raise failure from error

    async def _written_here(self, sql: str, parameters: tuple[Any, ...], size: int) -> bool:
        """Whether it was done without a hop to the thread: only while that has nothing to do."""
        if not isinstance(self._connection, Prompt) or not self._connection.willing(size):
            return False
        await asyncio.sleep(0)  # what was sent to other members leaves before the loop waits for the disk
        prompt = self._connection
        if not isinstance(prompt, Prompt) or self._running or self._failed is not None:
            return False
        prompt.execute_here(sql, parameters)
        return True

    async def _shielded(self, call: Awaitable[T]) -> T:
        """What the thread has begun it ends, and ``close`` waits for it, whoever is cancelled here."""
        running = asyncio.ensure_future(call)
        self._running.add(running)
        running.add_done_callback(self._ended)
        return await asyncio.shield(running)

    def _ended(self, running: asyncio.Future[Any]) -> None:
        self._running.discard(running)
        if not running.cancelled():
            running.exception()


def _splice(path: str, row: int, entries: list[Entry], batch: Batch, mark: Mark) -> None:
    """Put a batch's entries behind those before it, or in place of them from its first index on."""
    if not batch.entries:
        return
    if entries and entries[-1].index <= mark.index and batch.first > entries[-1].index + 1:
        entries.clear()  # a snapshot from the leader took the place of entries that this member never had
    if entries and batch.first < entries[0].index:
        entries.clear()  # all of them were replaced; what stood before them the snapshot covers
    if not entries:
        if batch.first > mark.index + 1:
            raise LogCorrupt(path, f"row {row}", f"entry {mark.index + 1} or an older one", f"entry {batch.first}")
    elif batch.first > entries[-1].index + 1:
        raise LogCorrupt(path, f"row {row}", f"entry {entries[-1].index + 1}", f"entry {batch.first}")
    else:
        del entries[batch.first - entries[0].index :]
    entries.extend(batch.entries)


def _make_room(path: str, lock: FileLock) -> None:
    """The directory, synced so that it survives a power cut with the file in it, and the lock."""
    directory = os.path.dirname(os.path.abspath(path))
    os.makedirs(directory, mode=0o700, exist_ok=True)
    lock.take(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.close(descriptor)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reserve(path: str, size: int) -> None:
    """Fill a write-ahead log up with zeros, where SQLite finds no frame of its own. On a full disk it grows later."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        have = os.fstat(descriptor).st_size
        with suppress(OSError):
            while have < size:
                have += os.pwrite(descriptor, bytes(min(1 << 20, size - have)), have)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _frames_bytes(size: int) -> int:
    """What a row of ``size`` bytes takes of the write-ahead log, about: its pages, a page's part of the tree above."""
    return (size // 4096 + 2) * FRAME_BYTES


def _torn_tail(path: str) -> Tail:
    """What SQLite is going to leave out, looked at before it does. Raises ``LogCorrupt`` when it was acknowledged."""
    try:
        with open(path + "-wal", "rb") as file:
            return inspect(file.read())
    except FileNotFoundError:
        return Tail(0, 0, 0)
    except Damaged as error:
        raise LogCorrupt(path, error.where, error.expected, error.found) from error


def _words(tail: Tail) -> str:
    if not tail.frames:
        return ""
    return f"{tail.bytes} bytes of an append that was not completed, after {tail.transactions} that were"
