"""Frames: what a mailbox holds and a wire carries.

A frame is three MessagePack values, one after the other: the *envelope* ``[type, sender]``, the *call*
``[correlation, deadline, trace]`` (nil for a plain tell) and the body. Envelopes repeat, so their bytes are made once
per type and sender, and what they mean is looked up by their bytes. ``msgpack`` writes and reads envelopes, ``msgspec``
encodes calls and bodies and decodes them into the type that the receiver knows. A ``Ref`` is an extension type. The
body of a ``Shared`` message that was handed over is ``Parted``: its last field's bytes stand beside it, once for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack
import msgspec

from actors.call import read_call
from actors.errors import Unpackable
from actors.message import Ask, Message, Shared, find_type, reply_type, type_name, watch_types
from actors.ref import Ref
from actors.trace import Trace

Frame = tuple[bytes, bytes, bytes]
"""Envelope, call, body."""

REF = 1
"""MessagePack extension type of a Ref: its node, a slash and its path, in UTF-8."""
MAX_ENVELOPES = 65_536
"""Envelopes remembered per system; past it the table starts anew (senders come and go)."""


class Route:
    """What the envelopes of a type mean here. ``decode`` is None for a type that this process does not know."""

    __slots__ = ("asks", "decode", "type_name")

    def __init__(self, name: str, decode: Callable[[bytes], Any] | None, asks: bool) -> None:
        self.type_name = name
        self.decode = decode
        self.asks = asks


class Header(msgspec.Struct, frozen=True):
    """A frame's header, read: what a tap is given."""

    receiver: str
    type: str
    sender: str | None
    correlation: int
    """0: no reply is expected."""
    deadline: float
    """On the monotonic clock; 0 without a reply."""
    trace: Trace | None


class Codec:
    """Encodes and decodes for one system: a decoded Ref belongs to it."""

    def __init__(self, bind: Callable[[str, str], Ref[Any]]) -> None:
        self._bind = bind
        self._pack = msgpack.Packer().pack
        self.encode_raw = msgspec.msgpack.Encoder(enc_hook=_encode_hook).encode
        self._decoders: dict[type[Message], Callable[[bytes], Any]] = {}
        self.replies: dict[type[Message], Callable[[bytes], Any]] = {}
        self._types: dict[type[Message], Route] = {}
        self.routes: dict[bytes, Route] = {}
        # By envelope: those of all senders of a type share one.
        watch_types(self)

    def forget(self) -> None:
        self._decoders.clear()
        self.replies.clear()
        self._types.clear()
        self.routes.clear()

    def encode(self, message: Any) -> bytes:
        """The body of a frame. Raises ``Unpackable``."""
        try:
            return self.encode_raw(message)
        except Exception as error:
            raise self.unpackable(message, error) from error

    def part(self, message: Shared) -> Parted:
        """The body of a message that is handed over. Raises ``Unpackable``."""
        *fields, rest = msgspec.structs.astuple(message)
        body = Parted(self.encode_value(fields))
        body.rest = rest
        return body

    def encode_value(self, value: Any) -> bytes:
        """Any other value: a reply, the detail of a refusal. Raises ``Unpackable``."""
        try:
            return self.encode_raw(value)
        except Exception as error:
            raise self.unpackable(value, error) from error

    def unpackable(self, value: Any, error: Exception) -> Unpackable:
        for name in getattr(type(value), "__struct_fields__", ()):
            try:
                self.encode_raw(getattr(value, name))
            except Exception as cause:
                return Unpackable(type(value).__qualname__, name, str(cause) or type(cause).__name__)
        return Unpackable(type(value).__qualname__, "", str(error) or type(error).__name__)

    def envelope(self, cls: type[Message], sender: str | None) -> bytes:
        packed: bytes = self._pack((type_name(cls), sender))
        return packed

    def route(self, envelope: bytes) -> Route:
        """What ``envelope`` means, remembered when its type is known."""
        route = self.routes.get(envelope)
        if route is not None:
            return route
        name: str = msgpack.unpackb(envelope)[0]
        cls = find_type(name)
        if cls is None:
            return Route(name, None, False)
        route = self._types.get(cls)
        if route is None:
            route = self._types[cls] = Route(name, self.decoder(cls), issubclass(cls, Ask))
        if len(self.routes) >= MAX_ENVELOPES:
            self.routes.clear()
        self.routes[envelope] = route
        return route

    def sender(self, envelope: bytes) -> str | None:
        """The path of the actor that sent it; None: it was no actor."""
        path: str | None = msgpack.unpackb(envelope)[1]
        return path

    def decoder(self, cls: type[Message]) -> Callable[[bytes], Any]:
        decode = self._decoders.get(cls)
        if decode is None:
            decode = self._compile(cls)
            if issubclass(cls, Shared):
                decode = _joining(cls, self._compile, decode)
            self._decoders[cls] = decode
        return decode

    def reply_decoder(self, cls: type[Message]) -> Callable[[bytes], Any]:
        decode = self.replies.get(cls)
        if decode is None:
            decode = self.replies[cls] = self._compile(reply_type(cls))
        return decode

    def decode(self, frame: Frame) -> Any:
        """The message of a frame whose type is known here."""
        decode = self.route(frame[0]).decode
        assert decode is not None, "frames are decoded again only after they were decoded once"
        return decode(frame[2])

    def decode_value(self, body: bytes) -> Any:
        return self._compile(Any)(body)

    def header(self, receiver: str, frame: Frame) -> Header:
        route = self.route(frame[0])
        return Header(receiver, route.type_name, self.sender(frame[0]), *read_call(frame[1]))

    def _compile(self, type_: Any) -> Callable[[bytes], Any]:
        return msgspec.msgpack.Decoder(type_, ext_hook=self._ext_hook).decode

    def _ext_hook(self, code: int, data: memoryview) -> Any:
        if code == REF:
            node, _, path = str(data, "utf-8").partition("/")
            return self._bind(path, node)
        raise ValueError(f"expected extension type {REF} (a ref), found {code}")


class Parted(bytes):
    """All fields of a ``Shared`` message but its last, which is ``rest``."""

    rest: memoryview


def size_of(frame: Frame) -> int:
    """Bytes of a frame, with what stands beside its body."""
    body = frame[2]
    return sum(map(len, frame)) + (body.rest.nbytes if isinstance(body, Parted) else 0)


def body_of(frame: Frame) -> bytes:
    """The body of a frame in one piece, as it leaves its system."""
    body = frame[2]
    if not isinstance(body, Parted):
        return body
    cls = find_type(msgpack.unpackb(frame[0])[0])
    assert cls is not None, "it was made here"
    names = [field.name for field in msgspec.structs.fields(cls)]
    return msgspec.msgpack.encode(dict(zip(names, [*msgspec.msgpack.decode(body), body.rest], strict=True)))


def _joining(
    cls: type[Shared], compile: Callable[[Any], Callable[[bytes], Any]], decode: Callable[[bytes], Any]
) -> Callable[[bytes], Any]:
    """``decode``, and what joins a ``Parted`` body. Raises ``TypeError`` when the last field is no memoryview."""
    fields = msgspec.structs.fields(cls)
    last = fields[-1] if fields else None
    if last is None or last.type is not memoryview:
        raise TypeError(f"{type_name(cls)}: expected a memoryview as the last field, found {last and last.type}")
    decode_head = compile(tuple[tuple(field.type for field in fields[:-1])])  # type: ignore[misc]

    def join(body: bytes) -> Any:
        return cls(*decode_head(body), body.rest) if isinstance(body, Parted) else decode(body)

    return join


def _encode_hook(value: Any) -> Any:
    if isinstance(value, Ref):
        return msgspec.msgpack.Ext(REF, value.address)
    raise TypeError(f"expected a type that msgspec can encode or a Ref, found {type(value).__qualname__}")
