"""Where connections come from: sockets, or in tests ``actors.testing.MemoryNetwork``."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

Make = Callable[[], asyncio.Protocol]
BACKLOG = 128
"""Connections that wait to be accepted."""
TLS_SECONDS = 5.0
"""For TLS' own handshake, before ours begins."""


class Listener(Protocol):
    """Something that takes connections until it is closed."""

    address: str

    def close(self) -> None: ...


class Network(Protocol):
    """Makes connections: bytes in order, until one side closes or they are lost."""

    async def listen(self, address: str, make: Make, tls: ssl.SSLContext | None) -> Listener:
        """Call ``make`` for each connection to ``address``. Raises ``OSError``."""
        ...

    async def connect(self, address: str, make: Make, tls: ssl.SSLContext | None) -> None:
        """Connect a protocol that ``make`` gives to ``address``. Raises ``OSError``."""
        ...


def split(address: str) -> tuple[str, int] | str:
    """Host and port of ``tcp://host:port`` (a host with colons in brackets), the path of ``unix:///path``."""
    parts = urlsplit(address)
    if parts.scheme == "tcp" and parts.hostname and parts.port is not None and not parts.path:
        return parts.hostname, parts.port
    if parts.scheme == "unix" and parts.path and not parts.netloc:
        return parts.path
    raise ValueError(f"expected tcp://host:port or unix:///path, found {address!r}")


class SocketListener:
    def __init__(self, server: asyncio.Server, address: str) -> None:
        self._server = server
        self.address = address

    def close(self) -> None:
        self._server.close()


class SocketNetwork:
    """TCP and Unix sockets of the running loop."""

    async def listen(self, address: str, make: Make, tls: ssl.SSLContext | None) -> Listener:
        place = split(address)
        loop = asyncio.get_running_loop()
        if isinstance(place, str):
            server = await loop.create_unix_server(
                make, place, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=_seconds(tls)
            )
            os.chmod(place, 0o600)
            return SocketListener(server, address)
        host, port = place
        server = await loop.create_server(
            make, host, port, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=_seconds(tls)
        )
        port = server.sockets[0].getsockname()[1]
        return SocketListener(server, f"tcp://{f'[{host}]' if ':' in host else host}:{port}")

    async def connect(self, address: str, make: Make, tls: ssl.SSLContext | None) -> None:
        place = split(address)
        loop = asyncio.get_running_loop()
        name = "" if tls is not None else None  # the handshake checks names, not TLS
        if isinstance(place, str):
            await loop.create_unix_connection(make, place, ssl=tls, server_hostname=name)
        else:
            await loop.create_connection(make, *place, ssl=tls, server_hostname=name)


def _seconds(tls: ssl.SSLContext | None) -> float | None:
    return None if tls is None else TLS_SECONDS
