"""SQLite over a disk that forgets: the operating system's files, with every write and sync told to the ``Disk``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import apsw

from tests.powercut.disk import Disk, PowerCut

NAME = "powercut"


class Vfs(apsw.VFS):
    """One for the process; ``disk`` is the one of the run under way."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        super().__init__(NAME, "unix")

    def xOpen(self, name: Any, flags: Any) -> Any:
        if name is None:  # a temporary file, which nobody looks for after a cut
            return apsw.VFSFile("unix", name, flags)
        return _File(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        _told(self.disk.delete, filename, syncdir)
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: Any) -> None:
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("unix", name, flags)
        disk.opened(self._path)

    def xWrite(self, data: bytes, offset: int) -> None:
        _told(self._disk.write, self._path, offset, data)
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        _told(self._disk.truncate, self._path, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        # The real file need not be synced: this process outlives the cut.
        _told(self._disk.sync, self._path)


def _told(tell: Any, *arguments: Any) -> None:
    try:
        tell(*arguments)
    except PowerCut:
        raise apsw.IOError("the power is gone") from None


class Connection:
    """What the log wants of aiosqlite, done at once."""

    def __init__(self, path: str) -> None:
        self._connection = apsw.Connection(path, vfs=NAME)

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] | None = None) -> Iterable[Any]:
        try:
            return self._connection.execute(sql, tuple(parameters or ())).fetchall()
        except apsw.CorruptError as error:
            raise sqlite3.DatabaseError(f"database disk image is malformed: {error}") from None
        except apsw.NotADBError as error:
            raise sqlite3.DatabaseError(f"file is not a database: {error}") from None
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from None

    async def close(self) -> None:
        try:
            self._connection.close()
        except apsw.Error:
            self._connection.close(True)


async def connect(path: str) -> Connection:
    return Connection(path)
