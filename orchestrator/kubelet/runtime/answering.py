"""What answers in the place of a simulated container: commands and HTTP requests, as streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus

MAX_REQUEST_BYTES = 64 * 1024
"""Of one HTTP request to a simulated container; what is longer is cut off."""
STDOUT = 1

Pages = Mapping[str, tuple[int, str]]


class Answered:
    """A ``Session`` whose program said all it has to say at once."""

    def __init__(self, code: int, output: str) -> None:
        self._code = code
        self._output = output.encode()

    async def write(self, data: bytes) -> None:
        return None

    async def close_input(self) -> None:
        return None

    async def resize(self, columns: int, rows: int) -> None:
        return None

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        if self._output:
            yield STDOUT, self._output

    async def wait(self) -> int:
        return self._code

    async def close(self) -> None:
        return None


class HttpPort:
    """One connection to a port of a simulated container: each request is answered from ``pages`` as they are then."""

    def __init__(self, pages: Callable[[], Pages]) -> None:
        self._pages = pages
        self._heard = b""
        self._answers: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_REQUEST_BYTES)

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while (answer := await self._answers.get()) is not None:
            yield STDOUT, answer

    async def finish(self) -> int | None:
        return None

    async def input(self, data: bytes) -> None:
        self._heard = (self._heard + data)[-MAX_REQUEST_BYTES:]
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            self._answers.put_nowait(answer(head, self._pages()))

    async def end_input(self) -> None:
        self._answers.put_nowait(None)

    async def resize(self, columns: int, rows: int) -> None:
        return None

    async def close(self) -> None:
        return None


def answer(head: bytes, pages: Pages) -> bytes:
    """The response to the request with this head."""
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split()
    path = words[1].partition("?")[0] if len(words) > 1 else "/"
    code, text = page(pages, path)
    reason = HTTPStatus(code).phrase if code in HTTPStatus._value2member_map_ else ""
    body = text.encode()
    lines = (f"HTTP/1.1 {code} {reason}", "Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + (b"" if words[:1] == ["HEAD"] else body)


def page(pages: Pages, path: str) -> tuple[int, str]:
    return pages.get(path, (404, "404 page not found\n"))
