"""Frames on the wire: how each is written, and cutting a stream of bytes into them. Pure.

A frame is the length of what follows (4 bytes, big-endian), its kind (1 byte) and the rest. Mail carries the three
parts of a mailbox frame as they are: nothing in them is decoded to be passed on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from actors.remoting.errors import Violation

HELLO, PROOF, REFUSE, PING, CREDIT, TELL, ASK, REPLY, WATCH, UNWATCH, DOWN, GOODBYE, CHASE = range(1, 14)

FOREIGN = b"/"
"""Before the address of an actor that is on yet another node: the path of mail that is to be passed on there."""
LENGTH = struct.Struct(">I")
HEAD = struct.Struct(">IB")
TELL_HEAD = struct.Struct(">IBBHHH")  # length, kind, urgent, lengths of path, envelope and call
ASK_HEAD = struct.Struct(">IBBHHHQd")  # as tell's (the call is the trace), correlation, seconds to the deadline
REPLY_HEAD = struct.Struct(">IBBQ")  # length, kind, status, correlation
WATCH_HEAD = struct.Struct(">IBQ")  # length, kind, number of the watch
CREDIT_FRAME = struct.Struct(">IBI")
MAX_GRANT = 0xFFFF_FFFF
"""Bytes that one grant can give."""

pack_tell = TELL_HEAD.pack
pack_ask = ASK_HEAD.pack
pack_reply = REPLY_HEAD.pack
PING_FRAME = HEAD.pack(1, PING)


def frame(kind: int, payload: bytes) -> bytes:
    return HEAD.pack(1 + len(payload), kind) + payload


def tell(urgent: bool, path: bytes, envelope: bytes, call: bytes, body: bytes) -> bytes:
    paths, envelopes, calls = len(path), len(envelope), len(call)
    head = pack_tell(8 + paths + envelopes + calls + len(body), TELL, urgent, paths, envelopes, calls)
    return b"".join((head, path, envelope, call, body))


def ask(
    urgent: bool, path: bytes, envelope: bytes, trace: bytes, body: bytes, correlation: int, seconds: float
) -> bytes:
    paths, envelopes, traces = len(path), len(envelope), len(trace)
    size = 24 + paths + envelopes + traces + len(body)
    head = pack_ask(size, ASK, urgent, paths, envelopes, traces, correlation, seconds)
    return b"".join((head, path, envelope, trace, body))


def reply(status: int, correlation: int, body: bytes) -> bytes:
    return pack_reply(10 + len(body), REPLY, status, correlation) + body


def watch(kind: int, number: int, payload: bytes = b"") -> bytes:
    """A ``WATCH`` (of a path), ``UNWATCH`` or ``DOWN``."""
    return WATCH_HEAD.pack(9 + len(payload), kind, number) + payload


def credit(grant: int) -> bytes:
    return CREDIT_FRAME.pack(5, CREDIT, grant)


def read_mail(data: bytes) -> tuple[str, bytes, bytes, int]:
    """Path, envelope, body and correlation (0: a tell) of a frame that ``tell`` or ``ask`` made."""
    correlation = 0
    if data[4] == ASK:
        _, _, _, paths, envelopes, calls, correlation, _ = ASK_HEAD.unpack_from(data)
        first = ASK_HEAD.size
    else:
        _, _, _, paths, envelopes, calls = TELL_HEAD.unpack_from(data)
        first = TELL_HEAD.size
    second = first + paths
    third = second + envelopes
    return data[first:second].decode(), data[second:third], data[third + calls :], correlation


class Framer:
    """Cuts a stream into frames of at most ``limit`` bytes. A large frame is kept in the pieces in which it came."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._pieces: list[bytes] = []
        self._have = 0
        self._need = 0

    @property
    def kept(self) -> int:
        """Bytes of a frame that is not complete."""
        return self._have

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int, int]]:
        """What is complete with ``data``: the bytes, and where in them the payload (kind included) begins and ends.

        Raises ``Violation`` at the length of a frame that is empty or above the limit, before its bytes came.
        """
        if self._have:
            self._pieces.append(data)
            self._have += len(data)
            if self._have < self._need:
                return
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._have = 0
        position, end = 0, len(data)
        need = LENGTH.size
        while end - position >= LENGTH.size:
            (length,) = LENGTH.unpack_from(data, position)
            if not 1 <= length <= self.limit:
                raise Violation("frame", f"expected a frame of 1 to {self.limit} bytes, found one of {length}")
            start = position + LENGTH.size
            if start + length > end:
                need = LENGTH.size + length
                break
            yield data, start, start + length
            position = start + length
        if position < end:
            rest = data[position:] if position else data
            self._pieces.append(rest)
            self._have, self._need = len(rest), need
