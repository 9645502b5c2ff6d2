"""One UDP portal: a session for each client address, so that answers find their way back."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, cast

from orchestrator.proxy.balancer import Balancer
from orchestrator.proxy.portals import Endpoint, Portal

MAX_SESSIONS = 1024
"""Clients of one portal at once, a socket each; the one silent for longest goes first."""
MAX_WAITING = 16
"""Datagrams that wait while the session's socket is made; more are dropped, as UDP may."""
IDLE_SECONDS = 60.0
"""A session without traffic is over (a little more than kernels remember UDP flows)."""

Client = tuple[Any, ...]


class UdpPortal(asyncio.DatagramProtocol):
    """Sessions to an endpoint that left the Service end at once: nothing would answer them."""

    def __init__(self, balancer: Balancer, now: Callable[[], float]) -> None:
        self.balancer = balancer
        self.accepted = 0
        self.refused = 0
        self._now = now
        self._transport: asyncio.DatagramTransport | None = None
        self._sessions: OrderedDict[Client, _Session] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        return len(self._sessions)

    async def open(self) -> None:
        front = self.balancer.portal.front
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(front.address, front.port))

    def update(self, portal: Portal) -> None:
        self.balancer.portal = portal
        for client, session in list(self._sessions.items()):
            if session.endpoint not in portal.endpoints:
                self._end(client)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        for client in list(self._sessions):
            self._end(client)

    async def abort(self) -> None:
        self.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Client) -> None:
        now = self._now()
        self._expire(now)
        session = self._sessions.get(addr)
        if session is None:
            endpoint = self.balancer.pick(str(addr[0]), now)
            if endpoint is None:
                self.refused += 1
                return
            session = self._begin(addr, endpoint)
        session.seen = now
        self._sessions.move_to_end(addr)
        session.send(data)

    def error_received(self, exc: Exception) -> None:
        """An answer could not be delivered: its client is gone."""

    def _begin(self, client: Client, endpoint: Endpoint) -> _Session:
        self.accepted += 1
        while len(self._sessions) >= MAX_SESSIONS:
            self._end(next(iter(self._sessions)))
        session = self._sessions[client] = _Session(endpoint, lambda data: self._answer(client, data))
        task = asyncio.get_running_loop().create_task(session.open(), name="proxy-udp")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return session

    def _answer(self, client: Client, data: bytes) -> None:
        session = self._sessions.get(client)
        if self._transport is not None and session is not None:
            session.seen = self._now()
            self._sessions.move_to_end(client)
            self._transport.sendto(data, client)

    def _expire(self, now: float) -> None:
        """The least recently used come first, so that the first one that is fresh ends the search."""
        while self._sessions:
            client, session = next(iter(self._sessions.items()))
            if now - session.seen < IDLE_SECONDS:
                return
            self._end(client)

    def _end(self, client: Client) -> None:
        self._sessions.pop(client).close()


class _Session(asyncio.DatagramProtocol):
    """The socket towards the endpoint."""

    def __init__(self, endpoint: Endpoint, answer: Callable[[bytes], None]) -> None:
        self.endpoint = endpoint
        self.seen = 0.0
        self._answer = answer
        self._waiting: list[bytes] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = False

    async def open(self) -> None:
        remote = (self.endpoint.address, self.endpoint.port)
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, remote_addr=remote)
        except OSError:
            self._waiting.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast(asyncio.DatagramTransport, transport)
        if self._closed:
            made.close()
            return
        self._transport = made
        for data in self._waiting:
            made.sendto(data)
        self._waiting.clear()

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append(data)

    def datagram_received(self, data: bytes, addr: Client) -> None:
        self._answer(data)

    def error_received(self, exc: Exception) -> None:
        """The endpoint refuses: the client's own timeout deals with it."""

    def close(self) -> None:
        self._closed = True
        if self._transport is not None:
            self._transport.close()
