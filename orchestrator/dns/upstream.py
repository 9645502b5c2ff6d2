"""Names that are not the cluster's: asked of the servers that the machine itself asks, over UDP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

TIMEOUT_SECONDS = 2.0
"""For each server in turn."""
MAX_IN_FLIGHT = 256
"""Questions waiting for upstream; more are refused at once."""


class Upstream:
    """``servers`` are addresses, port 53 unless ``address:port``. Without servers nothing outside is known."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = [_split(server) for server in servers]
        self._in_flight = 0

    async def ask(self, query: bytes) -> bytes | None:
        """The reply of the first server that gives one, None when none did."""
        if self._in_flight >= MAX_IN_FLIGHT:
            return None
        self._in_flight += 1
        try:
            for host, port in self._servers:
                reply = await _exchange(host, port, query)
                if reply is not None:
                    return reply
            return None
        finally:
            self._in_flight -= 1


class _Exchange(asyncio.DatagramProtocol):
    """Takes the one reply that bears the question's identity."""

    def __init__(self, query: bytes) -> None:
        self._query = query
        self.reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.DatagramTransport, transport).sendto(self._query)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[:2] == self._query[:2] and not self.reply.done():
            self.reply.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(exc)


async def _exchange(host: str, port: int, query: bytes) -> bytes | None:
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.create_datagram_endpoint(lambda: _Exchange(query), remote_addr=(host, port))
    except OSError:
        return None
    try:
        return await asyncio.wait_for(protocol.reply, TIMEOUT_SECONDS)
    except (TimeoutError, OSError):
        return None
    finally:
        transport.close()


def _split(server: str) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    return (host, int(port)) if colon and ":" not in host else (server, 53)
