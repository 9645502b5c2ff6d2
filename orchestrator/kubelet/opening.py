"""Opens sessions on the containers of a node: finds what is meant, and refuses in words that the user sees."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from actors import Context, Refused, temporary
from orchestrator.client.node import OpenAttach, Opened, OpenExec, OpenLog, OpenPort
from orchestrator.kubelet.record import Record
from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.runtime.runtime import Container, LogOptions, Runtime, State
from orchestrator.kubelet.sessions import MAX_SESSIONS, LogStream, PortStream, ProgramStream, SessionActor, Stream

CONNECT_SECONDS = 10.0


@runtime_checkable
class Ports(Protocol):
    """A runtime whose pods are reached through it, since their addresses lead nowhere."""

    def open_port(self, pod_uid: str, port: int) -> Stream: ...


Open = OpenLog | OpenExec | OpenAttach | OpenPort


async def open_session(
    message: Open, records: Mapping[str, Record], runtime: Runtime, context: Context, host: str
) -> Opened:
    """The child actor that serves it. Raises ``Refused``: not-found, not-running, failed."""
    record = records.get(message.pod_uid)
    if record is None:
        raise Refused("not-found", f"pod {message.pod_uid} is not on this node")
    if len(context.children) >= MAX_SESSIONS:
        raise Refused("failed", f"expected at most {MAX_SESSIONS} open sessions on this node, found as many")
    try:
        stream = await _stream(message, record, runtime, host)
    except (RuntimeFailure, OSError) as failure:
        raise Refused("failed", str(failure)) from failure
    session = await context.spawn(SessionActor, stream, message.subscriber, restart=temporary)
    return Opened(session)


async def _stream(message: Open, record: Record, runtime: Runtime, host: str) -> Any:
    match message:
        case OpenLog():
            return LogStream(runtime.logs(_logged(message, record).id, _options(message)))
        case OpenExec():
            running = _running(record, message.container)
            session = await runtime.open_exec(running.id, message.command, tty=message.tty, stdin=message.stdin)
            return ProgramStream(session, stdout=message.stdout, stderr=message.stderr)
        case OpenAttach():
            session = await runtime.attach(_running(record, message.container).id, stdin=message.stdin)
            return ProgramStream(session, stdout=message.stdout, stderr=message.stderr)
        case OpenPort() if isinstance(runtime, Ports):
            return runtime.open_port(message.pod_uid, message.port)
        case OpenPort():
            sandbox = record.observed.sandbox
            ip = sandbox.ip if sandbox is not None and sandbox.ip else host
            async with asyncio.timeout(CONNECT_SECONDS):
                return PortStream(*await asyncio.open_connection(ip, message.port))


def _logged(message: OpenLog, record: Record) -> Container:
    name, held = message.container, record.observed
    found = held.former.get(name) if message.previous else held.containers.get(name)
    if found is not None and found.started_at:
        return found
    if message.previous:
        text = f'previous terminated container "{name}" in pod "{record.name}" not found'
        raise Refused("not-running", text)
    if record.pod().container(name) is None:
        raise Refused("not-found", f"container {name} is not valid for pod {record.name}")
    raise Refused("not-running", f'container "{name}" in pod "{record.name}" is waiting to start: {_why(record, name)}')


def _why(record: Record, name: str) -> str:
    memory = record.observed.memory.get(name)
    if memory is not None and memory.failure is not None:
        return f"trying and failing to pull image ({memory.failure.reason})"
    return "ContainerCreating"


def _running(record: Record, name: str) -> Container:
    found = record.observed.containers.get(name)
    if found is None:
        raise Refused("not-found", f"container not found ({name})")
    if found.state is not State.RUNNING:
        raise Refused("not-running", f"container {name} is not running")
    return found


def _options(message: OpenLog) -> LogOptions:
    return LogOptions(
        follow=message.follow,
        timestamps=message.timestamps,
        tail_lines=message.tail_lines,
        limit_bytes=message.limit_bytes,
        since=message.since,
        stream=message.stream,
    )
