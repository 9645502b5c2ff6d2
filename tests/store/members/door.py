"""A connection to a member's gateway: one request after the other, and what is known of each that failed."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from typing import Any

import orjson

from orchestrator.store.gateway.errors import BUSY, NO_LEADER, NO_SPACE

Json = dict[str, Any]
PORT = 2379
"""Of the gateway."""
FIRST_REVISION = 1
"""Of etcd's count; the store's own begins at 0."""
NOT_DONE = (BUSY, NO_LEADER, NO_SPACE)
CHUNK_END = b"\r\n"


class Unknown(Exception):
    """The request may have been served, or not."""


class NotDone(Exception):
    """The member says that it has not happened, and will not."""


class Door:
    def __init__(self, host: str) -> None:
        self._host = host
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, path: str, body: Json, seconds: float) -> Json:
        """Raises ``Unknown`` and ``NotDone``."""
        try:
            async with asyncio.timeout(seconds):
                status, answer = await self._exchange(path, body)
        except ConnectionRefusedError as error:
            self.close()
            raise NotDone(str(error)) from error
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.close()
            raise Unknown(repr(error)) from error
        if status == 200:
            return answer
        message = answer.get("message", "")
        raise (NotDone if message in NOT_DONE else Unknown)(message)

    async def _exchange(self, path: str, body: Json) -> tuple[int, Json]:
        reader, _ = await self._open(path, body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head.split(b" ", 2)[1]), orjson.loads(await reader.readexactly(length))

    async def watch(self, prefix: str, start: int) -> AsyncIterator[Json]:
        """What a watch of ``prefix`` from the store's revision ``start`` on is sent. Ends, or raises ``OSError``."""
        create = {**span(prefix), "start_revision": start + FIRST_REVISION, "progress_notify": True}
        reader, _ = await self._open("watch", {"create_request": create})
        await reader.readuntil(b"\r\n\r\n")
        rest = b""
        while size := int(await reader.readuntil(CHUNK_END), 16):
            *lines, rest = (rest + await reader.readexactly(size)).split(b"\n")
            await reader.readexactly(len(CHUNK_END))
            for line in lines:
                yield orjson.loads(line)

    async def _open(self, path: str, body: Json) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, PORT, limit=1 << 24)
        data = orjson.dumps(body)
        head = f"POST /v3/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
        self._streams[1].write(head.encode() + data)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def span(prefix: str) -> Json:
    """Every key with ``prefix``."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return {"key": encoded(prefix.encode()), "range_end": encoded(end.encode())}


def encoded(data: bytes) -> str:
    return b64encode(data).decode()


def decoded(text: str) -> bytes:
    return b64decode(text)


def revision_of(answer: Json) -> int:
    """The store's own, of the header."""
    return int(answer["header"]["revision"]) - FIRST_REVISION
