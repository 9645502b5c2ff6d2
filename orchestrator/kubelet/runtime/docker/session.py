"""A program with its streams over a hijacked connection to the engine: exec and attach."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any


class DockerSession:
    """``stream`` is aiodocker's; ``code`` asks the engine for the exit status once the output has ended."""

    def __init__(
        self,
        stream: Any,
        code: Callable[[], Awaitable[int]],
        resize: Callable[[int, int], Awaitable[None]],
        end: Callable[[], Awaitable[None]],
    ) -> None:
        self._stream = stream
        self._code = code
        self._resize = resize
        self._end = end
        self._ended = False

    async def write(self, data: bytes) -> None:
        await self._stream.write_in(data)

    async def close_input(self) -> None:
        connection = self._stream._resp.connection if self._stream._resp is not None else None
        transport = connection.transport if connection is not None else None
        if transport is not None and transport.can_write_eof():
            transport.write_eof()

    async def resize(self, columns: int, rows: int) -> None:
        await self._resize(columns, rows)

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while (message := await self._stream.read_out()) is not None:
            yield (2 if message.stream == 2 else 1), message.data
        self._ended = True

    async def wait(self) -> int:
        return await self._code()

    async def close(self) -> None:
        if not self._ended:
            await self._end()
        await self._stream.close()
