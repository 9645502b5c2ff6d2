"""A program with its streams over a connection of its own to the shim: exec and attach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.runtime.process.link import connect, pack, read_frame


class ProcessSession:
    """``output`` must be read for ``wait`` to return: the exit status comes after the last byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, folder: Path, *frame: Any) -> ProcessSession:
        try:
            reader, writer = await connect(folder)
        except OSError as failure:
            raise RuntimeFailure("ShimGone", f"the shim of pod {folder.name} does not answer: {failure}") from failure
        writer.write(pack(*frame))
        return cls(reader, writer)

    async def write(self, data: bytes) -> None:
        self._writer.write(pack("in", data))
        await self._writer.drain()

    async def close_input(self) -> None:
        self._writer.write(pack("eof"))

    async def resize(self, columns: int, rows: int) -> None:
        self._writer.write(pack("size", columns, rows))

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while True:
            try:
                frame = await read_frame(self._reader)
            except (OSError, asyncio.IncompleteReadError):
                self._end(137)
                return
            if frame[0] == "out":
                yield frame[1], frame[2]
            elif frame[0] == "exit":
                self._end(frame[1])
                return
            elif frame[0] in ("failed", "error"):
                self._end(126)
                raise RuntimeFailure("ExecFailed", str(frame[-1]))

    def _end(self, code: int) -> None:
        if not self._code.done():
            self._code.set_result(code)

    async def wait(self) -> int:
        return await self._code

    async def close(self) -> None:
        self._writer.close()
        self._end(137)
