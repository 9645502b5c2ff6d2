"""The kubelet's side of logs, exec, attach and port-forward: one child actor for each session, bytes by credit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol

from actors import Actor, Down, Ref
from orchestrator.client.node import (
    INPUT_CREDIT,
    MAX_FRAME_BYTES,
    OUTPUT_CREDIT,
    STDOUT,
    Credit,
    Finished,
    Hangup,
    Input,
    InputEnd,
    Output,
    Resize,
)
from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.runtime.runtime import Session

MAX_INPUT_FRAMES = INPUT_CREDIT * 2
"""Input that waits for the program; the sender keeps within its credit, so more is an error of its."""
MAX_SESSIONS = 256
"""Open on one node at a time."""


class Stream(Protocol):
    """What a session carries: a program's streams, a log, a connection."""

    async def output(self) -> AsyncIterator[tuple[int, bytes]]: ...

    async def finish(self) -> int | None:
        """After the last output: the exit code, None where there is none."""

    async def input(self, data: bytes) -> None: ...

    async def end_input(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def close(self) -> None: ...


class LogStream:
    """The lines of a container; nothing goes in."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        async for piece in self._pieces:
            yield STDOUT, piece

    async def finish(self) -> int | None:
        return None

    async def input(self, data: bytes) -> None:
        return None

    async def end_input(self) -> None:
        return None

    async def resize(self, columns: int, rows: int) -> None:
        return None

    async def close(self) -> None:
        return None


class ProgramStream:
    """The streams of a program that the runtime runs."""

    def __init__(self, session: Session, *, stdout: bool, stderr: bool) -> None:
        self._session = session
        self._wanted = (stdout, stderr)

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        async for channel, data in self._session.output():
            if self._wanted[channel - 1]:
                yield channel, data

    async def finish(self) -> int | None:
        return await self._session.wait()

    async def input(self, data: bytes) -> None:
        await self._session.write(data)

    async def end_input(self) -> None:
        await self._session.close_input()

    async def resize(self, columns: int, rows: int) -> None:
        await self._session.resize(columns, rows)

    async def close(self) -> None:
        await self._session.close()


class PortStream:
    """One TCP connection to the pod."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while data := await self._reader.read(MAX_FRAME_BYTES):
            yield STDOUT, data

    async def finish(self) -> int | None:
        return None

    async def input(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def end_input(self) -> None:
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def resize(self, columns: int, rows: int) -> None:
        return None

    async def close(self) -> None:
        self._writer.close()


class SessionActor(Actor):
    """Owns ``stream``; ends with the subscriber, with the program, or with the kubelet."""

    def __init__(self, stream: Any, subscriber: Ref[Any]) -> None:
        self._stream = stream
        self._subscriber = subscriber
        self._credit = asyncio.Semaphore(OUTPUT_CREDIT)
        self._inputs: asyncio.Queue[Input | InputEnd] = asyncio.Queue(MAX_INPUT_FRAMES)

    async def start(self) -> None:
        self.context.watch(self._subscriber)
        self.context.task(self._pump_output(), "output")
        self.context.task(self._pump_input(), "input")

    async def receive(self, message: Any) -> None:
        match message:
            case Credit(frames=frames):
                for _ in range(frames):
                    self._credit.release()
            case Input() | InputEnd():
                if self._inputs.full():
                    self.context.stop()  # more than it had credit for
                else:
                    self._inputs.put_nowait(message)
            case Resize(columns=columns, rows=rows):
                await self._stream.resize(columns, rows)
            case Hangup() | Down():
                self.context.stop()

    async def stop(self, exit: Any) -> None:
        await self._stream.close()

    async def _pump_output(self) -> None:
        finished = Finished()
        try:
            async for channel, data in self._stream.output():
                for start in range(0, len(data), MAX_FRAME_BYTES):
                    await self._credit.acquire()
                    await self._subscriber.tell(Output(channel, data[start : start + MAX_FRAME_BYTES]))
            finished = Finished(await self._stream.finish())
        except (RuntimeFailure, OSError) as failure:
            finished = Finished(error=str(failure))
        await self._subscriber.tell(finished)
        self.context.stop()

    async def _pump_input(self) -> None:
        taken = 0
        while True:
            message = await self._inputs.get()
            try:
                if isinstance(message, InputEnd):
                    await self._stream.end_input()
                    continue
                await self._stream.input(message.data)
            except (RuntimeFailure, OSError):
                continue  # the program does not read any more; its end is on its way
            taken += 1
            if taken >= INPUT_CREDIT // 2:
                self._subscriber.tell_nowait(Credit(taken))
                taken = 0
