"""The one connection to an SQLite file: on a thread of its own, or, for a small write to a quick disk, on the caller's.

A hop to a thread and back takes two wake-ups: as long as a quick disk's fsync. A process that has nothing to do but to
answer one client at a time is better off waiting for the disk itself (``Prompt``); one with other work on its loop is
not.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import aiosqlite

PROMPT_BYTES = 16 << 10
"""A write up to here is a few clients' at most; while a larger one is on the disk there are requests to be read."""
SLOW_SECONDS = 0.01
"""A write that takes longer held up the loop: the disk is not quick now."""
REST_WRITES = 64
"""Writes that go to the thread after a slow one; after another slow one twice as many, and so on."""
MAX_REST_WRITES = 65_536
"""On a slow disk one in so many holds up the loop."""


class Connection(Protocol):
    """The part of an aiosqlite connection in autocommit mode that the log uses. Raises ``sqlite3.Error``."""

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] | None = None) -> Iterable[Any]: ...

    async def close(self) -> None: ...


Connect = Callable[[str], Awaitable[Connection]]


async def connect(path: str) -> Connection:
    return await aiosqlite.connect(path, isolation_level=None)


async def connect_prompt(path: str) -> Connection:
    """For a process that does little beside the log."""
    return Prompt(await aiosqlite.connect(path, isolation_level=None, check_same_thread=False))


class Prompt:
    """See the module. ``execute_here`` only while no call of ``execute_fetchall`` is under way."""

    def __init__(self, connection: aiosqlite.Connection, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._rest = 0
        self._next_rest = REST_WRITES
        self.execute_fetchall = connection.execute_fetchall
        self.close = connection.close

    def willing(self, size: int) -> bool:
        """Whether a write of ``size`` bytes is best done here. Ask once for each write."""
        if self._rest:
            self._rest -= 1
            return False
        return size <= PROMPT_BYTES

    def execute_here(self, sql: str, parameters: tuple[Any, ...]) -> None:
        """Raises ``sqlite3.Error``."""
        begun = self._monotonic()
        self._connection._conn.execute(sql, parameters).close()
        if self._monotonic() - begun > SLOW_SECONDS:
            self._rest = self._next_rest
            self._next_rest = min(2 * self._next_rest, MAX_REST_WRITES)
        else:
            self._next_rest = REST_WRITES
