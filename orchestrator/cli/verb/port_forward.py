"""``podium port-forward``: a local port to a pod, a WebSocket for each connection."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any, NamedTuple

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import pods as of_pods
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
DATA, ERROR = 0, 1
PORT_BYTES = 2
"""The first message of each channel is the port, little-endian."""
CHUNK_BYTES = 64 * 1024


class Forward(NamedTuple):
    local: int
    """0: a free one."""
    remote: int


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", help="web-1 · deploy/web · svc/web")
    parser.add_argument("ports", nargs="+", help="8080:80 · 80 · :80 (a free local port)")
    parser.add_argument("--address", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        resource, name = words.one(session, [options.what], default="pods")
        target = session.get(resource, name)
        pod = of_pods.one(session, resource, name)
        forwards = [forward(text, resource, target, pod) for text in options.ports]
        path = session.find("pods").path(pod["metadata"]["namespace"], pod["metadata"]["name"], "portforward")
        asyncio.run(serve(session, path, forwards, options.address))
    return 0


def forward(text: str, resource: Resource, target: Object, pod: Object) -> Forward:
    """``8080:80``; a port of a Service or a name becomes the pod's number. Raises ``CommandError``."""
    local, colon, remote = text.rpartition(":")
    if not colon:
        local = remote if remote.isdigit() else "0"
    number = pod_port(remote, resource, target, pod)
    if number is None or not (local or "0").isdigit():
        raise CommandError(f"expected LOCAL:REMOTE such as 8080:80, found {text!r}", code=2)
    return Forward(int(local or 0), number)


def pod_port(remote: str, resource: Resource, target: Object, pod: Object) -> int | None:
    if resource.resource == "services":
        for port in target["spec"].get("ports") or ():
            if remote in (str(port["port"]), port.get("name")):
                remote = str(port.get("targetPort", port["port"]))
                break
        else:
            raise CommandError(f"{resource.title(target['metadata']['name'])} has no port {remote}")
    if remote.isdigit():
        return int(remote)
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == remote:
                return int(port["containerPort"])
    return None


async def serve(session: Session, path: str, forwards: list[Forward], address: str) -> None:
    servers = []
    for entry in forwards:
        servers.append(await listen(session, path, entry, address))
    try:
        await asyncio.gather(*(server.serve_forever() for server in servers))
    finally:
        for server in servers:
            server.close()


async def listen(session: Session, path: str, entry: Forward, address: str) -> asyncio.Server:
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        print(f"Handling connection for {port}", flush=True)
        try:
            await carry(session, path, entry.remote, reader, writer)
        except CommandError as error:
            print(error, file=sys.stderr, flush=True)
        except ConnectionError:
            pass
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(accepted, address, entry.local)
    except OSError as error:
        raise CommandError(
            f"cannot listen on {address}:{entry.local}: {error.strerror}; choose another port"
        ) from error
    port = server.sockets[0].getsockname()[1]
    print(f"Forwarding from {address}:{port} -> {entry.remote}", flush=True)
    return server


async def carry(
    session: Session, path: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection, until either side ends it."""
    from orchestrator.cli.remote.sockets import V4, connect

    async with connect(session.connection, path, [("ports", str(port))], (V4,)) as socket:
        sending = asyncio.create_task(send(socket, reader), name=f"to {port}")
        try:
            await receive(socket, writer, port)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def send(socket: Any, reader: asyncio.StreamReader) -> None:
    """The protocol cannot half-close: what the pod still answers is waited for until it closes."""
    while chunk := await reader.read(CHUNK_BYTES):
        await socket.send_bytes(bytes((DATA,)) + chunk)


async def receive(socket: Any, writer: asyncio.StreamWriter, port: int) -> None:
    announced = {DATA: PORT_BYTES, ERROR: PORT_BYTES}
    async for message in socket:
        channel, content = message.data[0], message.data[1:]
        skip = min(announced.get(channel, 0), len(content))
        if skip:
            announced[channel] -= skip
            content = content[skip:]
        if channel == ERROR and content:
            raise CommandError(f"port {port}: {content.decode(errors='replace').strip()}")
        if channel == DATA and content:
            writer.write(content)
            await writer.drain()
