"""One connection as a state machine: bytes in, events and bytes out. No socket, no clock: time is a parameter.

It opens with a handshake; then each side has a credit of bytes of mail (``TELL`` and ``ASK`` frames). A frame may be
sent while there is any credit left, and the receiver gives credit back as its mailboxes take the mail. What is not
mail needs no credit. A side that has nothing to send says so with heartbeats; one that is silent is lost.
"""

from __future__ import annotations

from typing import Any

from actors.remoting import wire
from actors.remoting.errors import Violation
from actors.remoting.handshake import Handshake, Hello, Stage, decode_refusal, refuse
from actors.remoting.limits import HANDSHAKE_FRAME_BYTES, Limits
from actors.remoting.wire import ASK, ASK_HEAD, CREDIT, REPLY, REPLY_HEAD, TELL, TELL_HEAD, Framer

Event = tuple[Any, ...]
"""``(OPENED, hello)``; ``(TELL, urgent, path, envelope, call, body, size)``;
``(ASK, urgent, path, envelope, trace, body, size, correlation, seconds)``; ``(REPLY, status, correlation, body)``;
``(WATCH, number, path)``; ``(UNWATCH, number)``; ``(DOWN, number, body)``; ``(GOODBYE, code, text)``;
``(CREDIT,)``: there is more of it; ``(CHASE, body)``."""
OPENED = 0
LEAST_BYTES = {TELL: 8, ASK: 24, REPLY: 10, CREDIT: 5, wire.WATCH: 9, wire.UNWATCH: 9, wire.DOWN: 9}
"""What a frame's head takes, by kind, its length not counted."""


class Session:
    """The protocol of one side of one connection."""

    def __init__(self, handshake: Handshake, limits: Limits, now: float) -> None:
        self._handshake = handshake
        self._limits = limits
        self._framer = Framer(HANDSHAKE_FRAME_BYTES)
        self._began = self._heard = self._spoke = now
        self._returned = 0  # taken by mailboxes here and not yet granted
        self.owed = 0  # bytes of mail that came and are not granted again
        self.credit = 0
        """Bytes of mail that may be sent; the last frame may go below 0."""
        self.output: list[bytes] = [first] if (first := handshake.begin()) else []
        """What the machine itself has to say; the shell takes it out and sends it."""

    @property
    def open(self) -> bool:
        return self._handshake.stage is Stage.DONE

    @property
    def peer(self) -> Hello:
        assert self._handshake.peer is not None, "known from the other side's hello on"
        return self._handshake.peer

    @property
    def known(self) -> Hello | None:
        """What the other side says it is; not proved before the session is open."""
        return self._handshake.peer

    @property
    def kept(self) -> int:
        """Bytes of frames that are not complete."""
        return self._framer.kept

    def receive(self, data: bytes, now: float) -> list[Event]:
        """What ``data`` brings. Raises ``Violation``: then the connection is over."""
        self._heard = now
        events: list[Event] = []
        for buffer, start, stop in self._framer.feed(data):
            if self._handshake.stage is Stage.DONE:
                self._take(events, buffer, start, stop)
            else:
                self._shake(events, buffer[start], buffer[start + 1 : stop])
        return events

    def consumed(self, size: int) -> None:
        """Mail of ``size`` bytes has left the connection: grant it again, in portions."""
        self._returned += size
        if self._returned * 4 >= self._limits.window_bytes:
            grant = min(self._returned, wire.MAX_GRANT)
            self._returned -= grant
            self.owed -= grant
            self.output.append(wire.credit(grant))

    def spoke(self, now: float) -> None:
        """Something was sent."""
        self._spoke = now

    def tick(self, now: float) -> float:
        """Let time pass; the seconds to the next call. Raises ``Violation`` when the peer is late or silent."""
        limits = self._limits
        if not self.open:
            late = self._began + limits.handshake_seconds
            if now >= late:
                raise Violation("late", f"expected the handshake's end within {limits.handshake_seconds:g} s")
            return late - now
        lost = self._heard + limits.silence_seconds
        if now >= lost:
            raise Violation("silence", f"expected a sign of life within {limits.silence_seconds:g} s")
        if now >= self._spoke + limits.heartbeat_seconds:
            self.output.append(wire.PING_FRAME)
            self._spoke = now
        return min(self._spoke + limits.heartbeat_seconds, lost) - now

    def farewell(self, code: str, text: str) -> bytes:
        """What to say at last."""
        return refuse(wire.GOODBYE if self.open else wire.REFUSE, code, text)

    def _shake(self, events: list[Event], kind: int, payload: bytes) -> None:
        answer = self._handshake.receive(kind, payload)
        if answer:
            self.output.append(answer)
        if self._handshake.stage is Stage.DONE:
            self._framer.limit = self._limits.frame_bytes
            self.credit = self.peer.window
            events.append((OPENED, self.peer))

    def _take(self, events: list[Event], buffer: bytes, start: int, stop: int) -> None:
        kind = buffer[start]
        if stop - start < LEAST_BYTES.get(kind, 1):
            raise Violation("frame", f"a frame of kind {kind} ends too early")
        if kind == TELL:
            self._take_tell(events, buffer, start, stop)
        elif kind == REPLY:
            _, _, status, correlation = REPLY_HEAD.unpack_from(buffer, start - 4)
            events.append((REPLY, status, correlation, buffer[start + 10 : stop]))
        elif kind == ASK:
            self._take_ask(events, buffer, start, stop)
        elif kind == CREDIT:
            self._granted(wire.CREDIT_FRAME.unpack_from(buffer, start - 4)[2])
            events.append((CREDIT,))
        elif kind == wire.GOODBYE:
            refusal = decode_refusal(buffer[start + 1 : stop])
            events.append((kind, refusal.code, refusal.text))
        elif kind in (wire.WATCH, wire.UNWATCH, wire.DOWN):
            _, _, number = wire.WATCH_HEAD.unpack_from(buffer, start - 4)
            events.append((kind, number, buffer[start + 9 : stop]))
        elif kind == wire.CHASE:
            events.append((kind, buffer[start + 1 : stop]))
        elif kind != wire.PING:
            raise Violation("frame", f"expected a frame of a known kind, found {kind}")

    def _take_tell(self, events: list[Event], buffer: bytes, start: int, stop: int) -> None:
        _, _, urgent, paths, envelopes, calls = TELL_HEAD.unpack_from(buffer, start - 4)
        first = start + 8
        second = first + paths
        third = second + envelopes
        body = third + calls
        size = self._charge(body, start, stop)
        events.append(
            (TELL, urgent, buffer[first:second], buffer[second:third], buffer[third:body], buffer[body:stop], size)
        )

    def _take_ask(self, events: list[Event], buffer: bytes, start: int, stop: int) -> None:
        _, _, urgent, paths, envelopes, traces, correlation, seconds = ASK_HEAD.unpack_from(buffer, start - 4)
        first = start + 24
        second = first + paths
        third = second + envelopes
        body = third + traces
        size = self._charge(body, start, stop)
        if not 0.0 <= seconds < 1e9:  # neither for ever nor not a number
            raise Violation("frame", f"expected the seconds of an ask, found {seconds}")
        parts = buffer[first:second], buffer[second:third], buffer[third:body], buffer[body:stop]
        events.append((ASK, urgent, *parts, size, correlation, seconds))

    def _charge(self, body: int, start: int, stop: int) -> int:
        """Count a frame of mail against the peer's credit; its size."""
        if body > stop:
            raise Violation("frame", "the parts of a message are longer than its frame")
        if self.owed >= self._limits.window_bytes:
            raise Violation("credit", f"mail came without credit, {self.owed} bytes are under way already")
        size = stop - start + 4
        self.owed += size
        return size

    def _granted(self, grant: int) -> None:
        self.credit += grant
        if self.credit > self.peer.window:
            raise Violation("credit", f"expected a credit of at most {self.peer.window} bytes, found {self.credit}")
