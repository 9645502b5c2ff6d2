"""A connection to the shim of one pod: calls answered in order, and states as they change."""

from __future__ import annotations

import asyncio
import contextlib
import marshal
import os
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.kubelet.runtime.errors import RuntimeFailure

MARSHAL_VERSION = 2
CALL_SECONDS = 10.0
MAX_CALLS = 64
"""Calls that may wait for their answer."""

State = dict[str, Any]
"""What a shim says of one container: id, pid, ticks, started, finished (nanoseconds), code, signal, reason, message."""


async def connect(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To ``shim.sock`` in ``folder``, however long that path is. Raises ``OSError``."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return await asyncio.open_unix_connection(f"/proc/self/fd/{descriptor}/shim.sock")
    finally:
        os.close(descriptor)


def is_served(folder: Path) -> bool:
    """Whether a shim answers there. Blocks for a moment."""
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(f"/proc/self/fd/{descriptor}/shim.sock") == 0
    finally:
        os.close(descriptor)


def pack(*frame: Any) -> bytes:
    data = marshal.dumps(frame, MARSHAL_VERSION)
    return len(data).to_bytes(4, "big") + data


async def read_frame(reader: asyncio.StreamReader) -> tuple[Any, ...]:
    """Raises ``asyncio.IncompleteReadError`` at the end."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    frame: tuple[Any, ...] = marshal.loads(await reader.readexactly(size))
    return frame


class Link:
    """``changed`` is told the states of all containers; ``lost`` that the shim is gone."""

    def __init__(self, folder: Path, changed: Callable[[list[State]], None], lost: Callable[[], None]) -> None:
        self._folder = folder
        self._changed = changed
        self._lost = lost
        self._waiting: deque[asyncio.Future[list[State]]] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and subscribe. Raises ``OSError`` when no shim answers."""
        reader, self._writer = await connect(self._folder)
        self._task = asyncio.create_task(self._read(reader), name=f"shim {self._folder.name}")
        await self.call("watch")

    async def call(self, *frame: Any) -> list[State]:
        """Raises ``RuntimeFailure`` for what the shim refuses, and when it is gone."""
        if self._writer is None or len(self._waiting) >= MAX_CALLS:
            raise RuntimeFailure("ShimGone", f"the shim of pod {self._folder.name} does not answer")
        future: asyncio.Future[list[State]] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._writer.write(pack(*frame))
        try:
            return await asyncio.wait_for(asyncio.shield(future), CALL_SECONDS)
        except TimeoutError:
            raise RuntimeFailure("ShimSilent", f"{frame[0]}: no answer within {CALL_SECONDS:g} s") from None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                self._take(await read_frame(reader))
        except (OSError, asyncio.IncompleteReadError):
            self._end()
            self._lost()

    def _take(self, frame: tuple[Any, ...]) -> None:
        if frame[0] == "states":
            self._changed(frame[1])
            return
        future = self._waiting.popleft()
        if frame[0] == "ok" and frame[1]:
            self._changed(frame[1])  # now, in the order of the frames: whoever awaits wakes up later
        if future.done():
            return
        if frame[0] == "ok":
            future.set_result(frame[1])
        else:
            future.set_exception(RuntimeFailure(str(frame[1]), str(frame[2])))

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for future in self._waiting:
            if not future.done():
                future.set_exception(RuntimeFailure("ShimGone", f"the shim of pod {self._folder.name} is gone"))
        self._waiting.clear()

    def tell(self, *frame: Any) -> None:
        """A last word whose answer nobody awaits."""
        if self._writer is not None:
            self._writer.write(pack(*frame))

    async def close(self) -> None:
        """Let go; the shim stays."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._end()
