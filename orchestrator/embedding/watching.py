"""Changes of one kind as an async iterator; what the server's end interrupts is taken up where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from actors import Actor, Clock, Down, Mailbox, Ref, System, Tell
from orchestrator.apimachinery.encoded import join
from orchestrator.client import requests
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import Kind
from orchestrator.embedding.fields import Fields, fields
from orchestrator.store.protocol import Changes, Event, WatchEnded

GRANTED_FRAMES = 64
"""What the store sends before it waits for credit."""
WATCH_MAILBOX = Mailbox(capacity=GRANTED_FRAMES * 2)
"""The credit bounds the frames; twice that leaves room for the ends of watches."""
AGAIN_SECONDS = 0.05
"""Before a watch is asked for again while the server is not there."""


class Seen(msgspec.Struct, frozen=True):
    """One change: ``type`` is ADDED, MODIFIED or DELETED."""

    type: str
    object: Fields


class Follow(Tell):
    """A watch is open: notice the end of the server."""


class Collector(Actor):
    """Keeps the frames of one watch until they are taken; ``None`` is its end."""

    def __init__(self, frames: asyncio.Queue[Changes | None], server: Ref[Any] | None) -> None:
        self._frames = frames
        self._server = server

    async def receive(self, message: Any) -> None:
        match message:
            case Follow():
                if self._server is not None:
                    self.context.watch(self._server)
            case Changes():
                self._frames.put_nowait(message)
            case WatchEnded() | Down():
                self._frames.put_nowait(None)


async def watch(
    system: System, client: Client, kind: Kind, *, namespace: str, labels: str, revision: int, clock: Clock
) -> AsyncGenerator[Seen, None]:
    """Every change after ``revision`` (0: from now on), in order. Raises ``StatusError`` when it is too old."""
    frames: asyncio.Queue[Changes | None] = asyncio.Queue()
    ref = await system.spawn(Collector, frames, client.transport.server, mailbox=WATCH_MAILBOX)
    try:
        while True:
            try:
                revision = revision or (await client.list(kind, namespace or None)).revision
                request = requests.watch(kind, namespace, revision=revision, labels=labels)
                subscription = await client.transport.watch(request, ref, "")
            except TransportError:
                await clock.sleep(AGAIN_SECONDS)
                continue
            try:
                ref.tell_nowait(Follow())
                while (frame := await frames.get()) is not None:
                    for event in frame.events:
                        yield _seen(event)
                    revision = max(revision, frame.revision)
                    await subscription.credit(1)
            finally:
                await subscription.close()
    finally:
        await system.stop_actor(ref)


def _seen(event: Event) -> Seen:
    what = "DELETED" if event.deleted else "ADDED" if event.created else "MODIFIED"
    metadata, status, rest = event.value.parts
    return Seen(what, fields(join(metadata, status, rest, event.value.mod_revision)))
