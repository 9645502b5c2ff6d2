"""exec and attach over WebSocket: the first byte of a message is its channel.

``v5.channel.k8s.io`` adds to ``v4`` the frame ``[255, channel]``: the client closes a channel, in practice stdin.
``channel.k8s.io`` and its base64 form are the oldest ones; their channel 3 carries plain text.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from actors import Actor
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.door_messages import Located
from orchestrator.apiserver.http.query import boolean
from orchestrator.apiserver.streaming.sink import Session
from orchestrator.client.node import Finished, OpenAttach, OpenExec

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io")
MAX_MESSAGE_BYTES = 1024 * 1024


async def stream_remote(actor: Actor, request: web.BaseRequest, located: Located, kind: str) -> web.StreamResponse:
    """Carries a session until the program ends or the client goes."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise errors.bad_request("Upgrade request required: this server speaks WebSocket")
    assert located.node is not None
    async with Session(actor) as session:
        message = open_message(request, located, session, kind)
        socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=MAX_MESSAGE_BYTES, timeout=2.0)
        await socket.prepare(request)
        channels = Channels(socket)
        try:
            await session.open(located.node, message)
        except errors.StatusError as refused:
            # Told on the error channel: a client takes a refused upgrade for a server without WebSocket.
            await channels.fail(refused.status)
            await socket.close()
            return socket
        reader = asyncio.create_task(_read(socket, channels, session), name="remote input")
        writer = asyncio.create_task(_write(channels, session), name="remote output")
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            await socket.close()
        return socket


def open_message(request: web.BaseRequest, located: Located, session: Session, kind: str) -> OpenExec | OpenAttach:
    query = request.query
    flags = {name: name in query and boolean(query[name]) for name in ("stdin", "stdout", "stderr", "tty")}
    if not any(flags[name] for name in ("stdin", "stdout", "stderr")):
        raise errors.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    if kind == "attach":
        return OpenAttach(located.pod_uid, located.container, session.sink, **flags)
    command = query.getall("command", [])
    if not command:
        raise errors.bad_request("you must specify at least one command for the container")
    return OpenExec(located.pod_uid, located.container, command, session.sink, **flags)


class Channels:
    """Messages of a socket in the protocol that was agreed on."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self.protocol = socket.ws_protocol or "v4.channel.k8s.io"
        self._base64 = self.protocol.startswith("base64")

    async def send(self, channel: int, data: bytes) -> None:
        if self._base64:
            await self._socket.send_str(str(channel) + base64.b64encode(data).decode())
        else:
            await self._socket.send_bytes(bytes((channel,)) + data)

    def received(self, message: Any) -> tuple[int, bytes] | None:
        """Channel and data; None for a message without a channel."""
        if message.type is WSMsgType.TEXT:
            text: str = message.data
            if not text:
                return None
            data = base64.b64decode(text[1:]) if self._base64 else text[1:].encode()
            return (int(text[0]) if text[0].isdigit() else ord(text[0])), data
        return (message.data[0], message.data[1:]) if message.data else None

    async def finish(self, frame: Finished) -> None:
        await self.fail(status_of(frame))

    async def fail(self, status: Object) -> None:
        """The last word on the error channel: a Status from v4 on, plain text before, nothing for a success."""
        if self.protocol.startswith("v"):
            await self.send(ERROR, orjson.dumps(status))
        elif status["status"] != "Success":
            await self.send(ERROR, str(status["message"]).encode())


def status_of(frame: Finished) -> Object:
    if frame.error:
        message = f"Internal error occurred: {frame.error}"
        causes = {"causes": [{"message": frame.error}]}
        return {
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": "InternalError",
            "details": causes,
            "code": 500,
        }
    if not frame.exit_code:
        return {"metadata": {}, "status": "Success"}
    code = frame.exit_code
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


async def _read(socket: web.WebSocketResponse, channels: Channels, session: Session) -> None:
    async for message in socket:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            continue
        received = channels.received(message)
        if received is None:
            continue
        channel, data = received
        if channel == STDIN and data:
            await session.write(data)
        elif channel == RESIZE:
            size = orjson.loads(data)
            await session.resize(int(size.get("Width", 0)), int(size.get("Height", 0)))
        elif channel == CLOSE and data[:1] == bytes((STDIN,)):
            await session.end_input()


async def _write(channels: Channels, session: Session) -> None:
    while not isinstance(frame := await session.next(), Finished):
        await channels.send(frame.channel, frame.data)
    await channels.finish(frame)
