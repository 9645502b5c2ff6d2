"""A node that this one has a connection to: mail to it, and what becomes of the mail from it."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, cast

import msgspec
import structlog

from actors.asks import CYCLE, DOWN, FULL, OK, REFUSED, TIMEOUT, Call
from actors.call import PLAIN, encode_call
from actors.codec import Frame, Route
from actors.errors import MailboxFull
from actors.exit import MISSING
from actors.mailbox import Policy
from actors.ref import Ref
from actors.remoting import chase, wire
from actors.remoting.errors import DISCONNECTED, UNREADABLE, Violation
from actors.remoting.handshake import HIGHEST_VERSION, Farewell, Hello
from actors.remoting.limits import MAX_KNOWN_PATHS, MAX_OPEN_ASKS
from actors.remoting.outbox import Outbox
from actors.remoting.ref import RemoteRef
from actors.remoting.remote_ask import RemoteAsk, Room
from actors.remoting.session import Event
from actors.remoting.statistics import PeerStatistics
from actors.remoting.watches import WatchedTable, Watching
from actors.trace import Trace

if TYPE_CHECKING:
    from actors.cell import Cell
    from actors.remoting.connection import Connection
    from actors.remoting.remoting import Remoting

log = structlog.get_logger("actors")
STATUSES = (OK, REFUSED, DOWN, TIMEOUT, FULL, CYCLE)
_decode_trace = msgspec.msgpack.Decoder(Trace).decode


class Peer:
    """The other end of one open connection, until that is over."""

    def __init__(self, remoting: Remoting, connection: Connection, hello: Hello) -> None:
        self._remoting = remoting
        self._system = remoting.system
        self._session = connection.session
        self._refs: dict[bytes, Ref[Any]] = {}
        self._outbox = Outbox(remoting.limits)
        self.connection = connection
        self.node = hello.node
        self.incarnation = hello.incarnation
        self.version = min(hello.highest, HIGHEST_VERSION)
        self.alive = True
        self.related = False
        """Whether it is a worker process of this one."""
        self.frame_bytes = min(hello.frame, remoting.limits.frame_bytes)
        """The largest frame that travels in either direction."""
        self.asked: dict[int, Ref[Any]] = {}
        """Asks of actors here that the peer has not answered, by correlation."""
        self.watching = Watching(connection)
        self.watched = WatchedTable(connection)
        self.moved: dict[int, tuple[Ref[Any], int]] = {}
        """Asks of the peer that were passed on: to whom, and their correlation here."""
        self.open_asks = 0
        """Asks of the peer that are not answered."""

    def statistics(self) -> PeerStatistics:
        return PeerStatistics(
            node=self.node,
            credit=self._session.credit,
            owed=self._session.owed,
            waiting=self._outbox.count,
            waiting_bytes=self._outbox.size,
            asked=len(self.asked),
            open_asks=self.open_asks,
            watching=len(self.watching),
            watched=len(self.watched),
        )

    # To the node

    def send(
        self, data: bytes, urgent: bool, may_wait: bool, asker: asyncio.Future[Any] | None
    ) -> asyncio.Future[bool] | bool:
        """Send mail. A future: it waits for room. False: not taken."""
        session = self._session
        if session.credit > 0 and not self._outbox.count and not self.connection.paused:
            session.credit -= len(data)
            self.connection.write(data)
            return True
        outbox = self._outbox
        if not outbox.waiting and outbox.has_room():
            outbox.put(data, urgent)
            return True
        if not may_wait:
            self._undelivered(data, "full")
            return False
        room: asyncio.Future[bool] = self._system.loop.create_future()
        outbox.waiting.append((data, urgent, room, asker))
        return room

    def pump(self) -> None:
        """Send what waits, as far as there is credit."""
        session, outbox, connection = self._session, self._outbox, self.connection
        while outbox.count and session.credit > 0 and not connection.paused:
            data = outbox.take()
            session.credit -= len(data)
            connection.write(data)

    def answered(self, correlation: int, call: Call | None, status: int, body: bytes) -> None:
        """An ask of the peer has its answer, or its deadline is over."""
        self.open_asks -= 1
        if self.moved:
            self.moved.pop(correlation, None)
        if call is not None:
            self._system.asks.close(call)
        if self.alive:
            self._reply(status, correlation, body)

    def _reply(self, status: int, correlation: int, body: bytes) -> None:
        if len(body) + wire.REPLY_HEAD.size > self.frame_bytes:
            text = f"the reply takes {len(body)} bytes, expected at most {self.frame_bytes}"
            status, body = REFUSED, self._system.codec.encode_value(("too large", text, None))
        elif status == CYCLE and self.version < chase.VERSION:
            paths = " -> ".join(self._system.codec.decode_value(body))
            status, body = REFUSED, self._system.codec.encode_value(("cycle", paths, None))
        self.connection.write(wire.reply(status, correlation, body))

    # From the node

    def take(self, event: Event) -> None:
        """Act on what the session found. Raises ``Violation``."""
        match event[0]:
            case wire.TELL:
                self._told(*event[1:])
            case wire.REPLY:
                self._replied(*event[1:])
            case wire.ASK:
                self._was_asked(*event[1:])
            case wire.CREDIT:
                self.pump()
            case wire.WATCH:
                self._was_watched(*event[1:])
            case wire.UNWATCH:
                self.watched.remove(event[1])
            case wire.DOWN:
                self.watching.ended(*event[1:])
            case wire.CHASE:
                chase.take(self._system, self, event[1])
            case wire.GOODBYE:
                self.connection.dismissed(Farewell(*event[1:]))

    def _told(self, urgent: int, path: bytes, envelope: bytes, trace: bytes, body: bytes, size: int) -> None:
        call = PLAIN if not trace else encode_call((0, 0.0, self._read_trace(trace)))
        self._deliver(path, (envelope, call, body), bool(urgent), size, None)

    def _was_asked(
        self,
        urgent: int,
        path: bytes,
        envelope: bytes,
        trace: bytes,
        body: bytes,
        size: int,
        correlation: int,
        seconds: float,
    ) -> None:
        if self.open_asks >= MAX_OPEN_ASKS:
            self._session.consumed(size)
            self._reply(FULL, correlation, self._system.codec.encode_value((self._system.name, MAX_OPEN_ASKS)))
            return
        self.open_asks += 1
        slot = RemoteAsk(self, correlation)
        call = slot.call = self._system.asks.open(_coarse(seconds), self._read_trace(trace) if trace else None, slot)
        self._deliver(path, (envelope, call[1], body), bool(urgent), size, slot)

    def _deliver(self, path: bytes, frame: Frame, urgent: bool, size: int, asker: RemoteAsk | None) -> None:
        """Put a frame into a mailbox; its credit is given back when it is in, or is nowhere."""
        system = self._system
        ref = self._refs.get(path) or self._find(path)
        if isinstance(ref, RemoteRef):
            self._relay(ref, frame, urgent, size)
            return
        route = system.codec.routes.get(frame[0]) or self._route(frame[0])
        cell = system.cells.get(ref.path)
        waits = False
        if cell is None or cell.closed:
            system.dead_letters.publish(ref.path, frame, MISSING)
        elif route.decode is None:
            system.undecodable(cell, frame, route, TypeError("unknown"))
        else:
            try:
                waits = self._put(cell, frame, urgent, size, asker)
            except MailboxFull:
                system.dead_letters.publish(ref.path, frame, "full")
            except UNREADABLE as error:  # a full mailbox looked into it
                system.undecodable(cell, frame, route, error)
            if asker is not None and cell.asking is not None:
                chase.begin(system, self.node, asker.correlation, system.codec.sender(frame[0]), cell)
        if not waits:
            self._session.consumed(size)

    def _relay(self, ref: RemoteRef[Any], frame: Frame, urgent: bool, size: int) -> None:
        """Pass mail on to another node. Its credit is given back when it is on its way there, or is nowhere."""
        taken = ref.relay(frame, urgent=urgent, may_wait=True)
        if taken is True or taken is False:
            self._session.consumed(size)
        else:
            taken.add_done_callback(lambda _: self.consumed_late(size))

    def _put(self, cell: Cell, frame: Frame, urgent: bool, size: int, asker: RemoteAsk | None) -> bool:
        """Whether the frame stands in line before a full mailbox. Raises ``MailboxFull``."""
        box = cell.box
        if box.overflow.policy is not Policy.WAIT or not box.full(urgent):
            cell.put(frame, None, urgent, True, cast(Any, asker))
            return False
        room = Room(self, size)
        if asker is not None:
            asker.room = room
        cell.stand_in_line(frame, urgent, room, asker)
        return True

    def consumed_late(self, size: int) -> None:
        """Mail that stood in line is in its mailbox, or nowhere."""
        if self.alive:
            self._session.consumed(size)
            self.connection.say()

    def _replied(self, status: int, correlation: int, body: bytes) -> None:
        if status not in STATUSES:
            raise Violation("frame", f"expected the status of a reply, found {status}")
        if self.asked.pop(correlation, None) is not None:  # otherwise it is late
            self._system.asks.answer(correlation, status, body)

    def _was_watched(self, number: int, path: bytes) -> None:
        """A watch of the empty path is one of the node: it ends with the connection."""
        if path:
            self.watched.add(number, self._find(path))

    def _find(self, path: bytes) -> Ref[Any]:
        """The ref of a path or registered name here."""
        try:
            name = path.decode()
        except UnicodeDecodeError:
            raise Violation("frame", f"expected the path of an actor, found {path[:32]!r}") from None
        system = self._system
        if path.startswith(wire.FOREIGN):
            return self._foreign(name)
        cell = system.cells.get(name)
        if cell is None:
            return system.whereis(name) or Ref(system, name)
        if len(self._refs) >= MAX_KNOWN_PATHS:
            self._refs.clear()
        self._refs[path] = cell.ref
        return cell.ref

    def _foreign(self, name: str) -> Ref[Any]:
        """The ref of an actor on another node. Only worker processes of this one are relayed to each other."""
        node, _, path = name.removeprefix("/").partition("/")
        other = self._remoting.peers.get(node)
        if not self.related or (other is not None and not other.related):
            return Ref(self._system, name)  # there is nobody of such a path
        return self._system.ref(path, node)

    def _route(self, envelope: bytes) -> Route:
        try:
            return self._system.codec.route(envelope)
        except Exception as error:
            raise Violation("frame", f"expected the envelope of a message, found {envelope[:32]!r}") from error

    def _read_trace(self, packed: bytes) -> Trace:
        try:
            return _decode_trace(packed)
        except UNREADABLE as error:
            raise Violation("frame", f"expected a trace: {error}") from None

    # The end

    def lost(self, violation: Violation | None) -> None:
        """The connection is over: nobody waits for this node any more."""
        self.alive = False
        text = f"the connection to {self.node} is over: {violation or 'it was closed'}"
        asked, self.asked = self.asked, {}
        for correlation, ref in asked.items():
            body = self._system.codec.encode_value((ref.path, DISCONNECTED, text, False))
            self._system.asks.answer(correlation, DOWN, body)
        for data in self._outbox.drain():
            self._undelivered(data, DISCONNECTED)
        self.watching.lost(text)
        self.watched.lost()

    def _undelivered(self, data: bytes, reason: str) -> None:
        """Mail that did not leave is a dead letter; who asked is told."""
        path, envelope, body, correlation = wire.read_mail(data)
        if correlation and self.asked.pop(correlation, None) is not None:
            answer = self._system.codec.encode_value((path, self._outbox.capacity))
            self._system.asks.answer(correlation, FULL, answer)
        self._system.dead_letters.publish(f"{self.node}/{path}", (envelope, PLAIN, body), reason)


def _coarse(seconds: float) -> float:
    """Not less but round: asks of one timeout share a timer, and what was forwarded has odd ones."""
    return math.ceil(seconds) if seconds > 1.0 else math.ceil(seconds * 10) / 10
