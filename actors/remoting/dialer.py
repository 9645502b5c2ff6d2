"""Keeping a connection to one address: dial, wait for its end, dial again with back-off."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import structlog

from actors.lifecycle import settled
from actors.remoting.connection import Connection
from actors.remoting.errors import PeerRefused, Unreachable, Violation
from actors.remoting.security import Security
from actors.supervision import Backoff

if TYPE_CHECKING:
    from actors.remoting.peer import Peer
    from actors.remoting.remoting import Remoting

CONNECT_SECONDS = 10.0
"""How long ``connect`` waits for the first connection unless it says otherwise."""
BACKOFF = Backoff(initial=0.05, maximum=10.0, factor=2.0, jitter=0.5)
"""Between attempts: a node that restarts is found soon, one that is gone is asked seldom, not by all at once."""
TRANSIENT = ("busy", "late", "duplicate", "replaced", "stopped", "lost", "frame")
"""Refusals that another attempt can mend."""
log = structlog.get_logger("actors")


class Dialer:
    """Made by ``System.connect``. ``node`` is the name that the other side gave, "" before the first connection."""

    def __init__(
        self, remoting: Remoting, address: str, security: Security, tls: ssl.SSLContext | None, backoff: Backoff
    ) -> None:
        self._remoting = remoting
        self._security = security
        self._tls = tls
        self._backoff = backoff
        self._source = remoting.system.random_for(f"dialer/{address}")
        self._attempt = 0
        self._failure: Exception | None = None
        self._connected: asyncio.Future[None] = remoting.loop.create_future()
        self._task = remoting.system.create_task(self._run(), f"dial {address}")
        self.address = address
        self.node = ""

    @property
    def peer(self) -> Peer | None:
        """The connection's other end, None without a connection."""
        return self._remoting.peers.get(self.node)

    async def connected(self, seconds: float) -> None:
        """Wait for the first connection. Raises ``Unreachable`` and ``PeerRefused``."""
        if not await settled(self._remoting.clock, seconds, [self._connected]):
            raise Unreachable(self.address, seconds, str(self._failure or "no answer"))
        error = self._connected.exception()
        if error is not None:
            raise error

    async def close(self) -> None:
        """End the connection and dial no more."""
        self._task.cancel()
        peer = self.peer
        if peer is not None:
            peer.connection.close(Violation("stopped", f"{self._remoting.system.name} ends the connection"))
        await settled(self._remoting.clock, 1.0, [self._task])
        self._remoting.forget(self)
        if not self._connected.done():
            self._connected.cancel()

    async def _run(self) -> None:
        while True:
            peer = self.peer
            if peer is not None:  # also one that the other side dialled
                await asyncio.shield(peer.connection.ended)
            elif await self._dial():
                self._attempt = 0
            else:
                await self._remoting.clock.sleep(self._backoff.seconds(self._attempt, self._source))
                self._attempt += 1

    async def _dial(self) -> bool:
        """One attempt. Whether there is a connection now."""
        remoting = self._remoting
        connection = Connection(remoting, self._security, dialer=True)
        try:
            async with asyncio.timeout(remoting.limits.handshake_seconds):
                await remoting.network.connect(self.address, lambda: connection, self._tls)
        except ssl.SSLError as error:
            self._refused("certificate", str(error))
            return False
        except (OSError, TimeoutError) as error:
            self._failed(error)
            return False
        outcomes: list[asyncio.Future[Any]] = [connection.opened, connection.ended]
        await asyncio.wait(outcomes, return_when=asyncio.FIRST_COMPLETED)
        if connection.peer is None:
            return self._not_opened(connection)
        self.node = connection.peer.node
        if not self._connected.done():
            self._connected.set_result(None)
        return True

    def _not_opened(self, connection: Connection) -> bool:
        reason = connection.ended.result() or Violation("lost", "the connection was closed during the handshake")
        peer = connection.session.known
        if reason.code == "duplicate" and peer is not None and peer.node in self._remoting.peers:
            self.node = peer.node
            if not self._connected.done():
                self._connected.set_result(None)
            return True
        self._refused(reason.code, reason.text)
        return False

    def _refused(self, code: str, text: str) -> None:
        error = PeerRefused(self.address, code, text)
        self._failed(error)
        if not self._connected.done() and code not in TRANSIENT:
            self._connected.set_exception(error)
            self._connected.exception()  # whoever does not wait for it need not hear of it

    def _failed(self, error: Exception) -> None:
        """Say so once, not at each attempt."""
        if self._failure is None or type(error) is not type(self._failure):
            log.warning("no connection", address=self.address, error=str(error))
        self._failure = error
