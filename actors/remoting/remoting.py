"""A system as a node among nodes: its listeners, dialers, connections and peers."""

from __future__ import annotations

import asyncio
import contextvars
import secrets
import socket
import ssl
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from actors.lifecycle import settled
from actors.remoting.connection import LINGER_SECONDS, Connection
from actors.remoting.dialer import Dialer
from actors.remoting.errors import PeerRefused, Unreachable, Violation
from actors.remoting.handshake import HIGHEST_VERSION, LOWEST_VERSION, MAGIC, NONCE_BYTES, Handshake, Hello, name_fits
from actors.remoting.limits import MAX_HANDSHAKES, MAX_PEERS, Limits
from actors.remoting.network import Listener, Network
from actors.remoting.security import CertificateProver, Prover, Secret, SecretProver, Security, dns_names
from actors.remoting.session import Session
from actors.remoting.statistics import RemotingStatistics

if TYPE_CHECKING:
    from actors.clock import Clock
    from actors.remoting.peer import Peer
    from actors.supervision import Backoff
    from actors.system import System

REFUSAL_WINDOW_SECONDS = 10.0
"""Each kind of refusal is logged once in it; the others are counted."""
log = structlog.get_logger("actors")


class Remoting:
    """Made with its system; costs nothing until it listens or connects."""

    def __init__(self, system: System, network: Network, limits: Limits) -> None:
        self.system = system
        self.network = network
        self.limits = limits
        self.peers: dict[str, Peer] = {}
        """By node: who is connected now."""
        self.refusals: Counter[str] = Counter()
        """Connections that did not come to be or were broken off, by code."""
        self.gateway: Peer | None = None
        """Who passes mail on to nodes that have no connection with this one: a worker process' parent."""
        self._connections: dict[Connection, None] = {}
        self._shaking: dict[Connection, None] = {}  # strangers in their handshake
        self._listeners: list[Listener] = []
        self._dialers: dict[Dialer, None] = {}
        self._waiters: dict[str, dict[asyncio.Future[None], None]] = {}
        self._incarnation = 0
        self._said: dict[str, float] = {}  # when a refusal of this code was logged

    @property
    def clock(self) -> Clock:
        return self.system.clock

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self.system.loop

    @property
    def context(self) -> contextvars.Context:
        return self.system.context

    async def listen(self, address: str, security: Security) -> str:
        listener = await self.network.listen(
            address, lambda: Connection(self, security, dialer=False), _tls(security, server=True)
        )
        self._listeners.append(listener)
        return listener.address

    async def connect(self, address: str, security: Security, seconds: float | None, backoff: Backoff) -> Dialer:
        dialer = Dialer(self, address, security, _tls(security, server=False), backoff)
        self._dialers[dialer] = None
        if seconds is not None:
            try:
                await dialer.connected(seconds)
            except (PeerRefused, Unreachable, asyncio.CancelledError):
                await dialer.close()
                raise
        return dialer

    async def adopt(
        self, wire: socket.socket, security: Security, *, dialer: bool, patience: float = 0.0
    ) -> Peer | None:
        """Speak over a stream that is connected already. None when the handshake failed; it is not dialled again.

        ``patience``: seconds for the handshake with a process that has yet to start (0: those of the limits).
        """
        connection = Connection(self, security, dialer=dialer, patience=patience)
        await self.loop.create_unix_connection(lambda: connection, sock=wire)
        outcomes: list[asyncio.Future[Any]] = [connection.opened, connection.ended]
        await asyncio.wait(outcomes, return_when=asyncio.FIRST_COMPLETED)
        return connection.peer

    async def wait_for(self, node: str, seconds: float) -> Peer:
        """The peer of that name, when it is there. Raises ``Unreachable``."""
        peer = self.peers.get(node)
        if peer is None:
            waiter: asyncio.Future[None] = self.loop.create_future()
            waiters = self._waiters.setdefault(node, {})
            waiters[waiter] = None
            try:
                if not await settled(self.clock, seconds, [waiter]):
                    raise Unreachable(node, seconds, "no node of that name is connected")
            finally:
                waiters.pop(waiter, None)
                if not waiters:
                    self._waiters.pop(node, None)
            peer = self.peers.get(node)
            if peer is None:
                raise Unreachable(node, seconds, "the connection was lost at once")
        return peer

    async def stop(self) -> None:
        """End all connections with a word of farewell."""
        for dialer in list(self._dialers):
            await dialer.close()
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        connections = list(self._connections)
        for connection in connections:
            connection.close(Violation("stopped", f"{self.system.name} stops"))
        if not await settled(self.clock, 2 * LINGER_SECONDS, [connection.gone for connection in connections]):
            log.error("connections do not end", count=len(connections))

    def statistics(self) -> RemotingStatistics:
        return RemotingStatistics(
            connections=len(self._connections),
            handshakes=len(self._shaking),
            peers=tuple(peer.statistics() for peer in self.peers.values()),
            refusals=dict(self.refusals),
        )

    def forget(self, dialer: Dialer) -> None:
        self._dialers.pop(dialer, None)

    # What connections need

    def new_session(
        self, security: Security, transport: asyncio.BaseTransport, *, dialer: bool, patience: float
    ) -> Session:
        limits = msgspec.structs.replace(self.limits, handshake_seconds=patience) if patience else self.limits
        if isinstance(security, Secret):
            prover: Prover = SecretProver(security)
        else:
            prover = CertificateProver(dns_names(transport.get_extra_info("peercert")))
        hello = self.new_hello(prover.method)
        return Session(Handshake(hello, prover, dialer=dialer), limits, self.clock.monotonic())

    def new_hello(self, method: str) -> Hello:
        """What this node says of itself in one handshake."""
        if not self._incarnation:
            self._incarnation = int.from_bytes(self._random_bytes(8)) >> 1
        return Hello(
            MAGIC,
            LOWEST_VERSION,
            HIGHEST_VERSION,
            self.system.name,
            self._incarnation,
            self._random_bytes(NONCE_BYTES),
            method,
            self.limits.window_bytes,
            self.limits.frame_bytes,
        )

    def admit(self, connection: Connection) -> bool:
        """Whether one more may begin its handshake."""
        self._connections[connection] = None
        if connection.dialer:
            return True
        if len(self._shaking) >= MAX_HANDSHAKES:
            return False
        self._shaking[connection] = None
        return True

    def opened(self, peer: Peer) -> bool:
        """A handshake is done. Of two connections with one node one stays, and both nodes choose the same."""
        self._shaking.pop(peer.connection, None)
        old = self.peers.get(peer.node)
        if old is None and len(self.peers) >= MAX_PEERS:
            peer.connection.close(Violation("busy", f"the node is connected to {MAX_PEERS} others already"))
            return False
        if old is not None:
            if not self._prefers(peer, old):
                peer.connection.close(
                    Violation("duplicate", f"there is a connection between {self.system.name} and {peer.node}")
                )
                return False
            old.connection.close(Violation("replaced", f"another connection with {peer.node} takes its place"))
        self.peers[peer.node] = peer
        for waiter in self._waiters.get(peer.node, ()):
            if not waiter.done():
                waiter.set_result(None)
        log.info("node connected", node=peer.node, remote=peer.connection.remote)
        return True

    def connection_ended(self, connection: Connection, violation: Violation | None) -> None:
        self._shaking.pop(connection, None)
        peer = connection.peer
        if peer is not None and self.peers.get(peer.node) is peer:
            del self.peers[peer.node]
        if peer is not None:
            log.info("node disconnected", node=peer.node, reason=str(violation or "closed"))
        if violation is not None and violation.code not in ("stopped", "duplicate", "replaced"):
            self._report(connection, violation)

    def connection_gone(self, connection: Connection) -> None:
        self._connections.pop(connection, None)

    def _prefers(self, new: Peer, old: Peer) -> bool:
        """Whether ``new`` is the better of two connections: the one that the first of both names dialled.

        A node dials only when it has no connection: a second one of the same side means that the first is lost.
        """
        if new.incarnation != old.incarnation or new.connection.dialer == old.connection.dialer:
            return True
        return new.connection.dialer == (self.system.name < new.node)

    def _report(self, connection: Connection, violation: Violation) -> None:
        """Count, and log the first of its kind within the window."""
        code = violation.code
        self.refusals[code] += 1
        now = self.clock.monotonic()
        said = self._said.get(code)
        if said is None or now - said >= REFUSAL_WINDOW_SECONDS:
            self._said[code] = now
            log.warning(
                "connection refused", remote=connection.remote, error=str(violation), so_far=self.refusals[code]
            )

    def _random_bytes(self, count: int) -> bytes:
        """Unpredictable, except in a seeded system: that is for tests."""
        return secrets.token_bytes(count) if self.system.seed is None else self.system.random.randbytes(count)


def _tls(security: Security, *, server: bool) -> ssl.SSLContext | None:
    return None if isinstance(security, Secret) else security.context(server=server)


def check_node_name(name: str) -> str:
    if not name_fits(name):
        raise ValueError(f"expected a node's name: printable, without a slash, found {name!r}")
    return name
