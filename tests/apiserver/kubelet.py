"""A kubelet that only answers streams: exec and ports echo their input in upper case, a log has two lines."""

from __future__ import annotations

from typing import Any

from actors import Actor, Ref, Refused, temporary
from orchestrator.client.node import (
    STDOUT,
    Credit,
    Finished,
    Hangup,
    Input,
    InputEnd,
    OpenAttach,
    Opened,
    OpenExec,
    OpenLog,
    OpenPort,
    Output,
)


class EchoSession(Actor):
    """Sends ``first``; echoes input by ``upper``; ends with ``code`` at the end of input, or at once without input."""

    def __init__(self, subscriber: Ref[Any], first: bytes, code: int | None, waits: bool) -> None:
        self._subscriber = subscriber
        self._first = first
        self._code = code
        self._waits = waits

    async def receive(self, message: Any) -> Any:
        match message:
            case Input(data=data):
                await self._subscriber.tell(Output(STDOUT, data.upper()))
                await self._subscriber.tell(Credit(1))
            case InputEnd():
                await self._end()
            case Hangup():
                self.context.stop()
            case Credit():
                pass

    async def start(self) -> None:
        if self._first:
            await self._subscriber.tell(Output(STDOUT, self._first))
        if not self._waits:
            await self._subscriber.tell(Finished(self._code))

    async def _end(self) -> None:
        await self._subscriber.tell(Finished(self._code))
        self.context.stop()


class StreamKubelet(Actor):
    async def receive(self, message: Any) -> Any:
        match message:
            case OpenLog():
                return await self._open(message.subscriber, b"line 1\nline 2\n", None, False)
            case OpenExec(command=["false"]):
                return await self._open(message.subscriber, b"", 1, False)
            case OpenExec(command=["missing"]):
                raise Refused("not-running", "container not found")
            case OpenExec():
                first = " ".join(message.command).encode() + b"\n"
                return await self._open(message.subscriber, first, 0, message.stdin)
            case OpenAttach():
                return await self._open(message.subscriber, b"attached\n", 0, message.stdin)
            case OpenPort():
                return await self._open(message.subscriber, b"", None, True)

    async def _open(self, subscriber: Ref[Any], first: bytes, code: int | None, waits: bool) -> Opened:
        return Opened(await self.context.spawn(EchoSession, subscriber, first, code, waits, restart=temporary))
