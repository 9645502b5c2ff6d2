"""HTTP/1.1 for the door: a connection is a protocol that parses (httptools), hands over one request at a time, answers.

Requests of one connection are served in their order; those that come early wait, a few, then reading stops.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

MAX_BODY_BYTES = 8 << 20
"""etcd takes requests of 1.5 MiB; base64 and a batch of values fit."""
MAX_HEADER_BYTES = 64 << 10
MAX_PIPELINED = 64
"""Requests of one connection that wait behind the one being served, before it is read no further."""
REASONS = {
    200: b"OK",
    400: b"Bad Request",
    404: b"Not Found",
    405: b"Method Not Allowed",
    412: b"Precondition Failed",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    503: b"Service Unavailable",
}
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class Request:
    __slots__ = ("body", "connection", "keep_alive", "method", "path")

    def __init__(self, connection: Connection, method: bytes, path: bytes, body: bytes, keep_alive: bool) -> None:
        self.connection = connection
        self.method = method
        self.path = path
        self.body = body
        self.keep_alive = keep_alive

    def answer(self, body: bytes, status: int = 200) -> None:
        self.connection.answer(self, body, status)


class Connection(asyncio.Protocol):
    """``serve`` is called with each request in turn and sees to it that it is answered, or streamed and ended."""

    def __init__(self, serve: Callable[[Request], None], closed: Callable[[Connection], None]) -> None:
        self._serve = serve
        self._closed = closed
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._serving: Request | None = None
        self._path = b""
        self._body: list[bytes] = []
        self._sizes = [0, 0]
        # Of the request being read: bytes of its head, of its body.
        self._paused = False
        self._refused = False
        self._streaming = False
        self.on_gone: Callable[[], None] | None = None
        """Called once when the client of a stream is gone."""
        self.on_drained: Callable[[], None] | None = None
        """Called when a stream's client took what waited for it."""
        self.writable = True

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, b"upgrades are not served")
        except httptools.HttpParserError as error:
            self._refuse(400, str(error).encode(errors="replace"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._refused = True
        self._transport = None
        self._waiting.clear()
        self._closed(self)
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        if self.on_drained is not None:
            self.on_drained()

    # What the parser tells

    def on_message_begin(self) -> None:
        self._path, self._body, self._sizes = b"", [], [0, 0]

    def on_url(self, url: bytes) -> None:
        self._path += url
        self._count(0, len(url), MAX_HEADER_BYTES, 431)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(0, len(name) + len(value), MAX_HEADER_BYTES, 431)
        if len(name) == 6 and name.lower() == b"expect" and self._transport is not None and not self._refused:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        self._count(1, len(body), MAX_BODY_BYTES, 413)

    def on_message_complete(self) -> None:
        if self._refused:
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        parser = self._parser
        request = Request(self, parser.get_method(), self._path, body, parser.should_keep_alive())
        if self._serving is None:
            self._serving = request
            self._serve(request)
            return
        self._waiting.append(request)
        if len(self._waiting) >= MAX_PIPELINED and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    # What the door does

    def answer(self, request: Request, body: bytes, status: int = 200) -> None:
        transport = self._transport
        if transport is None or self._serving is not request:
            return
        if status == 200 and request.keep_alive:
            transport.write(_OK % (len(body), body))
        else:
            transport.write(_head(status, b"Content-Length: %d" % len(body), request.keep_alive) + body)
        self._next(request.keep_alive)

    def begin(self, request: Request) -> None:
        """Begin an answer in pieces."""
        self._streaming = True
        if self._transport is not None:
            self._transport.write(_head(200, b"Transfer-Encoding: chunked", request.keep_alive))

    def piece(self, data: bytes) -> None:
        if self._transport is not None and self._streaming and data:
            self._transport.write(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self, request: Request) -> None:
        if self._transport is not None and self._streaming:
            self._transport.write(b"0\r\n\r\n")
            self._next(request.keep_alive)

    async def taken(self) -> None:
        """Return when the client has taken most of what was written, or is gone."""
        if self.writable or self._transport is None:
            return
        drained = asyncio.Event()
        self.on_drained = self.on_gone = drained.set
        await drained.wait()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _next(self, keep_alive: bool) -> None:
        self._serving, self._streaming = None, False
        self.on_gone = self.on_drained = None
        if not keep_alive:
            self._refused = True
            self.close()
        elif self._waiting:
            if self._paused and self._transport is not None:
                self._paused = False
                self._transport.resume_reading()
            # Not from here: a hundred early requests would be a hundred frames deep.
            self._serving = self._waiting.popleft()
            asyncio.get_running_loop().call_soon(self._serve, self._serving)

    def _count(self, which: int, size: int, limit: int, status: int) -> None:
        self._sizes[which] += size
        if self._sizes[which] > limit:
            self._refuse(status, b"at most %d bytes are taken" % limit)

    def _refuse(self, status: int, words: bytes) -> None:
        """Say why and hang up: what follows on this connection cannot be told apart any more."""
        if self._refused:
            return
        self._refused = True
        if self._transport is not None:
            if not self._streaming:
                self._transport.write(_head(status, b"Content-Length: %d" % len(words), False) + words)
            self._transport.close()


def _head(status: int, length: bytes, keep_alive: bool) -> bytes:
    lines = [b"HTTP/1.1 %d %s" % (status, REASONS[status]), b"Content-Type: application/json", length]
    if not keep_alive:
        lines.append(b"Connection: close")
    return b"\r\n".join([*lines, b"", b""])
