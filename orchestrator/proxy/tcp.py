"""One TCP portal: accepts, connects to an endpoint that answers, and copies both ways until both sides are done."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from orchestrator.proxy.balancer import Balancer
from orchestrator.proxy.portals import Endpoint, Portal

MAX_CONNECTIONS = 4096
"""Connections of one portal at once; one more is reset at once, so that the client may retry elsewhere."""
BACKLOG = 1024
CONNECT_SECONDS = 5.0
"""An endpoint that does not answer by then is given up for the next one."""
MAX_ENDPOINTS_TRIED = 5
COPY_BYTES = 64 * 1024
"""Read at once. A reader waits while the other side has not taken what was read: nothing piles up."""
CLOSE_SECONDS = 1.0


class TcpPortal:
    """Closing it stops accepting; connections that are open go on until their ends close them."""

    def __init__(self, balancer: Balancer, now: Callable[[], float]) -> None:
        self.balancer = balancer
        self.accepted = 0
        self.refused = 0
        self._now = now
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def open(self) -> None:
        """Raises ``OSError`` when the address is not ours or the port is taken."""
        front = self.balancer.portal.front
        self._server = await asyncio.start_server(
            self._accept, front.address, front.port, backlog=BACKLOG, limit=COPY_BYTES
        )

    def update(self, portal: Portal) -> None:
        self.balancer.portal = portal

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def abort(self) -> None:
        """Close and end the connections too."""
        self.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=CLOSE_SECONDS)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            self.refused += 1
            _reset(writer)
            return
        self.accepted += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer), name="proxy-connection")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await self._connect(_address(writer))
            if upstream is None:
                self.refused += 1
                _reset(writer)
                return
            try:
                await _copy_both(reader, writer, *upstream)
            finally:
                upstream[1].close()
        finally:
            writer.close()

    async def _connect(self, client: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection to the first endpoint that takes one: one that refuses is on its way out of the Service."""
        tried: set[Endpoint] = set()
        while len(tried) < MAX_ENDPOINTS_TRIED:
            endpoint = self.balancer.pick(client, self._now(), tried)
            if endpoint is None:
                return None
            tried.add(endpoint)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(endpoint.address, endpoint.port, limit=COPY_BYTES)
            except (OSError, TimeoutError):
                continue
        return None


async def _copy_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    upstream_reader: asyncio.StreamReader,
    upstream_writer: asyncio.StreamWriter,
) -> None:
    """Until both directions have ended; a broken one ends the other."""
    loop = asyncio.get_running_loop()
    both = {
        loop.create_task(_copy(reader, upstream_writer), name="proxy-up"),
        loop.create_task(_copy(upstream_reader, writer), name="proxy-down"),
    }
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction, then its end: the other side may still have much to say (half-close)."""
    while data := await reader.read(COPY_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """The client sees a refusal, not an empty answer: without lingering the kernel sends RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _address(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if peer else ""
