"""port-forward over WebSocket: kubectl tunnels SPDY in it, the Python clients use two channels for each port."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import WSMsgType, web

from actors import Actor
from orchestrator.apimachinery import errors
from orchestrator.apiserver.door_messages import Located
from orchestrator.apiserver.streaming.sink import Session
from orchestrator.apiserver.streaming.spdy import (
    Connection,
    Data,
    GoneAway,
    Pinged,
    SpdyError,
    StreamOpened,
    StreamReset,
)
from orchestrator.client.node import Finished, OpenPort

TUNNEL = "SPDY/3.1+portforward.k8s.io"
PROTOCOLS = (TUNNEL, "v4.channel.k8s.io")
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_CONNECTIONS = 1000
"""Connections through one port-forward at once."""
PENDING_FRAMES = 64
"""Pieces of one connection that wait for the pod to read."""


async def stream_ports(actor: Actor, request: web.BaseRequest, located: Located) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise errors.bad_request("Upgrade request required: this server speaks WebSocket")
    socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=MAX_MESSAGE_BYTES, timeout=2.0)
    await socket.prepare(request)
    forward = Tunnel(actor, located, socket) if socket.ws_protocol == TUNNEL else Pairs(actor, located, socket)
    try:
        if isinstance(forward, Pairs):
            await forward.begin([int(port) for text in request.query.getall("ports", []) for port in text.split(",")])
        async for message in socket:
            if message.type is WSMsgType.BINARY and not await forward.take(message.data):
                break
    except (SpdyError, ValueError) as wrong:
        actor.context.log.info("a port-forward ended", reason=str(wrong))
    finally:
        await forward.close()
        await socket.close()
    return socket


class Forward:
    """What both framings share: connections to the pod, each a task with a queue of what it is to send."""

    def __init__(self, actor: Actor, located: Located, socket: web.WebSocketResponse) -> None:
        self._actor = actor
        self._located = located
        self._socket = socket
        self._tasks: set[asyncio.Task[None]] = set()
        self._inputs: dict[int, asyncio.Queue[bytes | None]] = {}

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, channel: int, port: int) -> None:
        """A connection of ``channel`` to ``port``."""
        if len(self._inputs) >= MAX_CONNECTIONS:
            raise ValueError(f"more than {MAX_CONNECTIONS} connections")
        self._inputs[channel] = asyncio.Queue(PENDING_FRAMES)
        self.own(self._connection(channel, port))

    def own(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine, name="port forward")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def input(self, channel: int, data: bytes | None) -> None:
        """Bytes for a connection; None: the user will send no more."""
        queue = self._inputs.get(channel)
        if queue is not None:
            await queue.put(data)

    async def _connection(self, channel: int, port: int) -> None:
        node = self._located.node
        assert node is not None
        try:
            async with Session(self._actor) as session:
                await session.open(node, OpenPort(self._located.pod_uid, port, session.sink))
                feeder = asyncio.create_task(self._feed(session, self._inputs[channel]), name="port input")
                try:
                    while not isinstance(frame := await session.next(), Finished):
                        await self.output(channel, frame.data)
                finally:
                    feeder.cancel()
                    await asyncio.gather(feeder, return_exceptions=True)
            await self.finish(channel, frame.error)
        except errors.StatusError as refused:
            uid = self._located.pod_uid
            await self.finish(channel, f"error forwarding port {port} to pod {uid}, uid : {refused.message}")
        finally:
            self._inputs.pop(channel, None)

    async def _feed(self, session: Session, queue: asyncio.Queue[bytes | None]) -> None:
        while (data := await queue.get()) is not None:
            await session.write(data)
        await session.end_input()

    async def take(self, message: bytes) -> bool:
        """A message of the user; False: the end."""
        raise NotImplementedError

    async def output(self, channel: int, data: bytes) -> None:
        raise NotImplementedError

    async def finish(self, channel: int, error: str) -> None:
        raise NotImplementedError


class Tunnel(Forward):
    """SPDY in binary messages: for each connection an error stream and a data stream with one ``requestID``."""

    def __init__(self, actor: Actor, located: Located, socket: web.WebSocketResponse) -> None:
        super().__init__(actor, located, socket)
        self._spdy = Connection()
        self._errors: dict[str, int] = {}
        self._error_of: dict[int, int] = {}

    async def take(self, message: bytes) -> bool:
        for event in self._spdy.receive(message):
            match event:
                case StreamOpened():
                    await self._opened(event)
                case Data():
                    if event.data:
                        await self._send(self._spdy.window(event.stream, len(event.data)))
                        await self.input(event.stream, event.data)
                    if event.ended:
                        await self.input(event.stream, None)
                case StreamReset():
                    await self.input(event.stream, None)
                case Pinged():
                    await self._send(event.frame)
                case GoneAway():
                    return bool(self._inputs)
        return True

    async def _opened(self, event: StreamOpened) -> None:
        headers = event.headers
        request = headers.get("requestid", "")
        await self._send(self._spdy.reply(event.stream))
        if headers.get("streamtype") == "error":
            self._errors[request] = event.stream
            return
        self._error_of[event.stream] = self._errors.pop(request, 0)
        self.start(event.stream, int(headers.get("port", "0")))

    async def output(self, channel: int, data: bytes) -> None:
        await self._send(self._spdy.data(channel, data))

    async def finish(self, channel: int, error: str) -> None:
        stream = self._error_of.pop(channel, 0)
        if stream:
            await self._send(self._spdy.data(stream, error.encode(), last=True))
        await self._send(self._spdy.data(channel, b"", last=True))

    async def _send(self, frame: bytes) -> None:
        if not self._socket.closed:
            await self._socket.send_bytes(frame)


class Pairs(Forward):
    """Channels 2i (data) and 2i+1 (error) for the i-th port; each begins with the port, little-endian."""

    async def begin(self, ports: list[int]) -> None:
        if not ports:
            raise ValueError("a port-forward without ports")
        for position, port in enumerate(ports):
            number = port.to_bytes(2, "little")
            for channel in (2 * position, 2 * position + 1):
                await self._socket.send_bytes(bytes((channel,)) + number)
            self.start(2 * position, port)

    async def take(self, message: bytes) -> bool:
        if message and message[0] % 2 == 0 and len(message) > 1:
            await self.input(message[0], message[1:])
        return True

    async def output(self, channel: int, data: bytes) -> None:
        await self._socket.send_bytes(bytes((channel,)) + data)

    async def finish(self, channel: int, error: str) -> None:
        if error and not self._socket.closed:
            await self._socket.send_bytes(bytes((channel + 1,)) + error.encode())
        if not self._inputs.keys() - {channel}:
            await self._socket.close()
