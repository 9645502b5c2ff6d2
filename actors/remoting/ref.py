"""A ref to an actor on another node: the same calls, over the connection to that node."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from actors import current
from actors.asks import DOWN
from actors.call import PLAIN, read_call
from actors.codec import body_of
from actors.errors import Down, Refused
from actors.message import Asked, Told
from actors.ref import DEFAULT_ASK_SECONDS, Ref
from actors.remoting import wire
from actors.remoting.errors import DISCONNECTED, UNREADABLE, FrameTooLarge

if TYPE_CHECKING:
    from actors.cell import Cell, Watcher
    from actors.codec import Frame
    from actors.remoting.peer import Peer
    from actors.system import System

P = TypeVar("P")
R = TypeVar("R")


class RemoteRef(Ref[P]):
    """The address of an actor on another node. Each message takes the connection that is there then."""

    __slots__ = ("_node", "_packed", "_peer")

    def __init__(self, system: System, node: str, path: str) -> None:
        super().__init__(system, path)
        self._node = node
        self._packed = path.encode()
        self._peer: Peer | None = None

    @property
    def node(self) -> str:
        return self._node

    async def tell(self, message: Told[P], *, urgent: bool = False) -> None:
        """Send ``message``. Waits only while the node takes no more and the outbox to it is full.

        Without a connection it is a dead letter. Raises ``Unpackable`` and ``FrameTooLarge``.
        """
        taken = self._send(message, urgent, True)
        if taken is not True and taken is not False:
            await taken

    def tell_nowait(self, message: Told[P], *, urgent: bool = False) -> bool:
        return self._send(message, urgent, False) is True

    def hand(self, message: Any) -> bool:
        """As ``tell_nowait``: what goes to another system is encoded."""
        return self.tell_nowait(message)

    async def ask(self, message: Asked[P, R], timeout: float = DEFAULT_ASK_SECONDS, *, urgent: bool = False) -> R:
        """As in the same node; ``Down(reason="disconnected")`` without a connection, or when it is lost meanwhile.

        A circle of asks over several nodes is found as soon as the ask that closes it has arrived.
        """
        system = self._system
        sender = current.actor.get()
        peer = self._peer
        if peer is None or not peer.alive:
            peer = self._find_peer()
        envelope = self._envelope(message, sender)
        trace = current.current_cause()
        codec = system.codec
        body = codec.encode(message)
        if peer is None:
            self._undelivered((envelope, PLAIN, body))
            raise Down(self, DISCONNECTED, f"there is no connection to {self._node}")
        call = system.asks.open(timeout, None)
        correlation, _, future, _ = call
        serial = sender is not None and current.handling(sender)
        try:
            packed = b"" if trace is None else codec.encode_raw(trace)
            data = wire.ask(urgent, self._packed, envelope, packed, body, correlation, timeout)
            self._check_size(peer, message, data)
            peer.asked[correlation] = self
            if serial:
                sender.asking, sender.asked = self, correlation  # type: ignore[union-attr]
            peer.send(data, urgent, True, future)
            status, answer = await future
        finally:
            if serial:
                sender.asking = None  # type: ignore[union-attr]
            system.asks.close(call)
            peer.asked.pop(correlation, None)
        try:
            if status == 0:
                cls: Any = type(message)
                reply: R = codec.reply_decoder(cls)(answer)
                return reply
            error = self._error(status, answer, message, timeout)
        except UNREADABLE as mismatch:
            error = Refused("undecodable", f"{self._node} answered something else than expected: {mismatch}")
        raise error

    def deliver(self, frame: Frame) -> bool:
        """Pass a frame on as it is. The answer to an ask comes back by way of this node."""
        return self.relay(frame, urgent=False, may_wait=False) is True

    def relay(self, frame: Frame, *, urgent: bool, may_wait: bool) -> asyncio.Future[bool] | bool:
        """As ``deliver``; with ``may_wait`` it stands in line for the node's credit."""
        correlation, deadline, trace = read_call(frame[1])
        peer = self._find_peer()
        if peer is None:
            answer = (self.path, DISCONNECTED, f"there is no connection to {self._node}", False)
            self._system.asks.answer(correlation, DOWN, self._system.codec.encode_value(answer))
            self._undelivered((frame[0], PLAIN, frame[2]))
            return False
        body = body_of(frame)
        packed = b"" if trace is None else self._system.codec.encode_raw(trace)
        if not correlation:
            return peer.send(wire.tell(urgent, self._packed, frame[0], packed, body), urgent, may_wait, None)
        seconds = max(0.0, deadline - self._system.clock.monotonic())
        data = wire.ask(urgent, self._packed, frame[0], packed, body, correlation, seconds)
        peer.asked[correlation] = self
        return peer.send(data, urgent, may_wait, None)

    def watch(self, watcher: Watcher) -> None:
        peer = self._find_peer()
        if peer is None:
            watcher.hear(Down(self, DISCONNECTED, f"there is no connection to {self._node}"))
        else:
            peer.watching.add(self._packed, self, watcher)

    def unwatch(self, watcher: Watcher) -> None:
        peer = self._find_peer()
        if peer is not None:
            peer.watching.remove(self._packed, watcher)

    def check_cycle(self, sender: Cell) -> None:
        """No circle is found beyond this node."""

    def _send(self, message: Any, urgent: bool, may_wait: bool) -> asyncio.Future[bool] | bool:
        peer = self._peer
        if peer is None or not peer.alive:
            peer = self._find_peer()
        sender = current.actor.get()
        system = self._system
        table = system.envelopes if sender is None else sender.envelopes
        envelope = table.get(type(message))
        if envelope is None:
            envelope = self._envelope(message, sender)
        codec = system.codec
        body = codec.encode(message)
        trace = current.current_cause()
        if peer is None:
            self._undelivered((envelope, PLAIN, body))
            return False
        packed = b"" if trace is None else codec.encode_raw(trace)
        data = wire.tell(urgent, self._packed, envelope, packed, body)
        if len(data) > peer.frame_bytes:
            self._check_size(peer, message, data)
        return peer.send(data, urgent, may_wait, None)

    def _check_size(self, peer: Peer, message: Any, data: bytes) -> None:
        if len(data) > peer.frame_bytes:
            raise FrameTooLarge(type(message).__qualname__, len(data), peer.frame_bytes)

    def _error(self, status: int, answer: bytes, message: Any, seconds: float) -> Exception:
        if status == DOWN:
            _, reason, text, restarting = self._system.codec.decode_value(answer)
            return Down(self, reason, text, restarting)
        return self._system.asks.error(status, answer, self.path, type(message).__qualname__, seconds)

    def _find_peer(self) -> Peer | None:
        """Who takes mail for the node: itself, or the gateway, which is told where it goes."""
        remoting = self._system.remoting
        peer = remoting.peers.get(self._node)
        self._packed = self.path.encode()
        if peer is None and remoting.gateway is not None and remoting.gateway.alive:
            peer = remoting.gateway
            self._packed = wire.FOREIGN + self.address
        self._peer = peer
        return peer

    def _undelivered(self, frame: Frame) -> None:
        self._system.dead_letters.publish(f"{self._node}/{self.path}", frame, DISCONNECTED)

    def __repr__(self) -> str:
        return f"Ref({self._node}/{self.path!r})"
