"""A connection's shell: the session's bytes on a connection, one write for each turn of the loop."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, cast

from actors.clock import Handle
from actors.remoting.errors import Violation
from actors.remoting.handshake import Farewell
from actors.remoting.limits import SOCKET_BYTES, WRITE_BYTES
from actors.remoting.peer import Peer
from actors.remoting.security import Security
from actors.remoting.session import OPENED, Session

if TYPE_CHECKING:
    from actors.remoting.remoting import Remoting


LINGER_SECONDS = 1.0
"""How long the last words may take to leave."""


class Connection(asyncio.Protocol):
    """One connection. ``ended`` is set to what was wrong (None: nothing) when it is over, opened or not."""

    def __init__(self, remoting: Remoting, security: Security, *, dialer: bool, patience: float = 0.0) -> None:
        self._remoting = remoting
        self._security = security
        self._clock = remoting.clock
        self._loop = remoting.loop
        self._context = remoting.context
        self._transport: asyncio.WriteTransport | None = None
        self._session: Session | None = None
        self._batch: list[bytes] = []
        self._batched = 0
        self._timer: Handle | None = None
        self._due = False  # a flush is on its way
        self._closing = False
        self._patience = patience
        self.dialer = dialer
        self.peer: Peer | None = None
        self.paused = False
        """The transport holds so much that mail must wait."""
        self.opened: asyncio.Future[Peer] = self._loop.create_future()
        self.ended: asyncio.Future[Violation | None] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        """Nothing is left of the connection."""
        self.remote = ""
        """What the other end's address is said to be, for the log."""

    @property
    def session(self) -> Session:
        assert self._session is not None, "there is a session from the connection on"
        return self._session

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.set_write_buffer_limits(high=SOCKET_BYTES)
        self.remote = str(transport.get_extra_info("peername") or "") or "a local socket"
        self._session = self._remoting.new_session(
            self._security, transport, dialer=self.dialer, patience=self._patience
        )
        if not self._remoting.admit(self):
            self.abort(Violation("busy", "too many handshakes at once"))
            return
        self.say()
        self._tick()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            events = self.session.receive(data, self._clock.monotonic())
            peer = self.peer
            for event in events:
                if peer is not None:
                    peer.take(event)
                elif event[0] == OPENED:
                    peer = self._open(event[1])
                if self.ended.done():
                    return
        except Violation as violation:
            self.close(violation)
            return
        self.say()

    def eof_received(self) -> None:
        """Close too."""

    def connection_lost(self, error: Exception | None) -> None:
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._batch.clear()
        self.gone.set_result(None)
        self._remoting.connection_gone(self)
        if error is None:
            self._end(None)
        else:
            code = "certificate" if isinstance(error, ssl.SSLError) else "lost"
            self._end(Violation(code, f"the connection was lost: {error}"))

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.peer is not None:
            self.peer.pump()

    # Sending

    def write(self, data: bytes) -> None:
        """Have ``data`` sent with whatever else this turn of the loop brings."""
        self._batch.append(data)
        self._batched += len(data)
        if self._batched >= WRITE_BYTES:
            self._flush()
        elif not self._due:
            self._due = True
            self._loop.call_soon(self._turn_ends, context=self._context)

    def _turn_ends(self) -> None:
        self._due = False
        self._flush()

    def _flush(self) -> None:
        if not self._batch or self._closing:
            return
        transport = self._transport
        assert transport is not None, "what is written is written to a connection"
        transport.write(self._batch[0] if len(self._batch) == 1 else b"".join(self._batch))
        self._batch.clear()
        self._batched = 0
        self.session.spoke(self._clock.monotonic())
        unread = transport.get_write_buffer_size()
        if unread > self._remoting.limits.unread_bytes:
            self.abort(Violation("slow", f"the peer leaves {unread} bytes unread"))

    def say(self) -> None:
        """Send what the session has to say."""
        output = self.session.output
        if output:
            for data in output:
                self.write(data)
            output.clear()

    # Time

    def _tick(self) -> None:
        if self._closing:
            return
        try:
            seconds = self.session.tick(self._clock.monotonic())
        except Violation as violation:
            self.close(violation)
            return
        self.say()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_later(seconds, self._tick)

    # The end

    def close(self, violation: Violation) -> None:
        """End the connection and say why."""
        if not self._closing and self._transport is not None:
            self.write(self.session.farewell(violation.code, violation.text))
            self._flush()
            self._hang_up(self._transport)
        self._end(violation)

    def dismissed(self, farewell: Farewell) -> None:
        """The other side has ended the connection."""
        if self._transport is not None:
            self._hang_up(self._transport)
        self._end(farewell)

    def _hang_up(self, transport: asyncio.WriteTransport) -> None:
        if self._timer is not None:
            self._timer.cancel()
        transport.close()
        self._timer = self._clock.call_later(LINGER_SECONDS, transport.abort)

    def abort(self, violation: Violation) -> None:
        """End the connection without a word: what was not sent is lost."""
        if self._transport is not None:
            self._transport.abort()
        self._end(violation)

    def _open(self, hello: Any) -> Peer | None:
        peer = Peer(self._remoting, self, hello)
        if self._remoting.opened(peer):
            self.peer = peer
            self.opened.set_result(peer)
            self._tick()  # the timer was the handshake's, which may have lasted longer
            return peer
        return None

    def _end(self, violation: Violation | None) -> None:
        self._closing = True
        if self.ended.done():
            return
        self.ended.set_result(violation)
        if not self.opened.done():
            self.opened.cancel()
        self._remoting.connection_ended(self, violation)
        if self.peer is not None:
            self.peer.lost(violation)
