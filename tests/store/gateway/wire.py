"""A connection's other end: what was written to it, and whether it is open."""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast

from orchestrator.store.gateway.http import Connection

ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Za-z ]+\r\n(?:[^\r\n]+\r\n)*\r\n")


class Wire:
    def __init__(self, connection: Connection) -> None:
        self.written = b""
        self.closed = False
        self.reading = True
        self._connection = connection
        connection.connection_made(cast("asyncio.Transport", _Transport(self)))

    def feed(self, data: bytes) -> None:
        self._connection.data_received(data)

    def statuses(self) -> list[int]:
        return [status for status, _ in self.answers()]

    def bodies(self) -> list[bytes]:
        return [body for _, body in self.answers()]

    def answers(self) -> list[tuple[int, bytes]]:
        """Every answer, by its own length. Raises ``AssertionError`` for bytes that are none."""
        found, position = [], 0
        while position < len(self.written):
            head = ANSWER.match(self.written, position)
            assert head is not None, f"no answer begins at {self.written[position : position + 80]!r}"
            length = re.search(rb"Content-Length: (\d+)", head[0])
            size = int(length[1]) if length else 0
            found.append((int(head[1]), self.written[head.end() : head.end() + size]))
            position = head.end() + size
        return found


class _Transport:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def write(self, data: bytes) -> None:
        assert not self._wire.closed, "nothing is written after the end"
        self._wire.written += data

    def close(self) -> None:
        self._wire.closed = True

    def pause_reading(self) -> None:
        self._wire.reading = False

    def resume_reading(self) -> None:
        self._wire.reading = True

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a connection has no use for {name}")
