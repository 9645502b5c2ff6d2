"""SPDY/3.1 framing, as far as port-forward needs it. Pure: bytes in, events out; frames out as bytes.

Streams carry headers compressed with one zlib stream for each direction, whose dictionary is part of the protocol
(SPDY draft 3.1, section 2.6.10.1). Flow control windows are honoured towards the peer by ``WINDOW_UPDATE``.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 0x01
CANCEL = 5
MAX_FRAME_BYTES = 16 * 1024 * 1024
"""A length in a header has 24 bits."""
MAX_HEADERS = 256

_NAMES = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status"
)
_LATER = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_WORDS = (*_NAMES.split(), *_LATER)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    "Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in _WORDS) + _TAIL.encode()


class SpdyError(Exception):
    """The peer broke the protocol."""


@dataclass(frozen=True, slots=True)
class StreamOpened:
    stream: int
    headers: dict[str, str]
    ended: bool


@dataclass(frozen=True, slots=True)
class Data:
    stream: int
    data: bytes
    ended: bool


@dataclass(frozen=True, slots=True)
class StreamReset:
    stream: int


@dataclass(frozen=True, slots=True)
class Pinged:
    """Answer with the very same frame."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class GoneAway:
    """The peer opens no more streams."""


Event = StreamOpened | Data | StreamReset | Pinged | GoneAway


class Connection:
    """The server's side of one connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def receive(self, data: bytes) -> list[Event]:
        """The events of the frames that are complete now. Raises ``SpdyError``."""
        self._buffer += data
        events: list[Event] = []
        while len(self._buffer) >= 8:
            length = int.from_bytes(self._buffer[5:8], "big")
            if len(self._buffer) < 8 + length:
                break
            frame = bytes(self._buffer[: 8 + length])
            del self._buffer[: 8 + length]
            event = self._control(frame) if frame[0] & 0x80 else self._data(frame)
            if event is not None:
                events.append(event)
        return events

    def _data(self, frame: bytes) -> Event:
        stream = int.from_bytes(frame[:4], "big") & 0x7FFFFFFF
        return Data(stream, frame[8:], bool(frame[4] & FIN))

    def _control(self, frame: bytes) -> Event | None:
        version, kind = struct.unpack_from(">HH", frame)
        if version & 0x7FFF != VERSION:
            raise SpdyError(f"expected SPDY version {VERSION}, found {version & 0x7FFF}")
        payload = frame[8:]
        if kind == SYN_STREAM:
            stream = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
            return StreamOpened(stream, self._headers(payload[10:]), bool(frame[4] & FIN))
        if kind == RST_STREAM:
            return StreamReset(int.from_bytes(payload[:4], "big") & 0x7FFFFFFF)
        if kind == HEADERS:
            self._headers(payload[4:])
            return None
        if kind == PING:
            return Pinged(frame)
        return GoneAway() if kind == GOAWAY else None

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block, MAX_FRAME_BYTES)
            (count,) = struct.unpack_from(">I", text)
            if count > MAX_HEADERS:
                raise SpdyError(f"expected at most {MAX_HEADERS} headers, found {count}")
            headers: dict[str, str] = {}
            at = 4
            for _ in range(count):
                name, at = _counted(text, at)
                value, at = _counted(text, at)
                headers[name.lower()] = value
        except (zlib.error, struct.error, UnicodeDecodeError) as wrong:
            raise SpdyError(f"a header block that cannot be read: {wrong}") from wrong
        return headers

    def reply(self, stream: int) -> bytes:
        """Accept a stream."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _frame(SYN_REPLY, 0, struct.pack(">I", stream) + block)

    def data(self, stream: int, data: bytes, *, last: bool = False) -> bytes:
        return struct.pack(">I", stream) + bytes((FIN if last else 0,)) + len(data).to_bytes(3, "big") + data

    def reset(self, stream: int) -> bytes:
        return _frame(RST_STREAM, 0, struct.pack(">II", stream, CANCEL))

    def window(self, stream: int, size: int) -> bytes:
        return _frame(WINDOW_UPDATE, 0, struct.pack(">II", stream, size))


def _counted(text: bytes, at: int) -> tuple[str, int]:
    (size,) = struct.unpack_from(">I", text, at)
    end = at + 4 + size
    if end > len(text):
        raise SpdyError("a header is longer than its block")
    return text[at + 4 : end].decode(), end


def _frame(kind: int, flags: int, payload: bytes) -> bytes:
    return struct.pack(">HH", 0x8000 | VERSION, kind) + bytes((flags,)) + len(payload).to_bytes(3, "big") + payload
