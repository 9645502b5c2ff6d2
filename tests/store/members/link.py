"""The way between two members: a TCP proxy that can hold back bytes in each direction, or break connections."""

from __future__ import annotations

import asyncio
from typing import Any


class _End(asyncio.Protocol):
    """One end of a connection through the proxy. ``forth``: what it says goes from the dialler to the listener."""

    def __init__(self, link: Link, *, forth: bool) -> None:
        self._link = link
        self.forth = forth
        self.other: _End | None = None
        self.transport: Any = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._link.ends.add(self)
        self.look()

    def data_received(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            self._early.append(data)
        else:
            self.other.transport.write(data)

    def joined(self, other: _End) -> None:
        self.other = other
        for data in self._early:
            other.transport.write(data)
        self._early.clear()

    def look(self) -> None:
        """Read, or leave the bytes where they are: nothing is lost, as with a network that is cut for a while."""
        held = self._link.held_forth if self.forth else self._link.held_back
        (self.transport.pause_reading if held else self.transport.resume_reading)()

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.transport.is_closing():
            self.other.look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.ends.discard(self)
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.close()


class Link:
    """From the member that dials (``source``) to the one that listens (``target``)."""

    def __init__(self, source: int, target: int, address: tuple[str, int]) -> None:
        self.source = source
        self.target = target
        self._address = address
        self.held_forth = False
        self.held_back = False
        self.broken = False
        self.ends: set[_End] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._server.close()
        self.break_off()

    def hold(self, *, forth: bool, back: bool) -> None:
        self.held_forth, self.held_back = forth, back
        for end in self.ends:
            end.look()

    def break_off(self) -> None:
        """Every connection is reset; the next ones too, until ``heal``."""
        self.broken = True
        for end in list(self.ends):
            end.transport.abort()

    def heal(self) -> None:
        self.broken = False
        self.hold(forth=False, back=False)

    def _accept(self) -> _End:
        end = _End(self, forth=True)
        task = asyncio.get_running_loop().create_task(self._join(end))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return end

    async def _join(self, end: _End) -> None:
        await asyncio.sleep(0)  # the protocol is given its transport first
        if self.broken:
            end.transport.abort()
            return
        other = _End(self, forth=False)
        try:
            await asyncio.get_running_loop().create_connection(lambda: other, *self._address)
        except OSError:
            end.transport.abort()
            return
        if end.transport.is_closing():
            other.transport.abort()
            return
        other.joined(end)
        end.joined(other)
