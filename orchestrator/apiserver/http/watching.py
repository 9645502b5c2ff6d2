"""Watches over HTTP: the store's frames, received by an actor of their own, become lines of JSON.

The frames come with credit: a client that does not read stops its own watch only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from actors import Actor, Ref
from orchestrator.api.schema import Resource
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apiserver.http.answers import View
from orchestrator.apiserver.http.jsoncache import JsonCache
from orchestrator.apiserver.http.tables import partial_of, table_of
from orchestrator.client.protocol import Response
from orchestrator.store.protocol import Changes, Event, Refusal, Unwatch, WatchCredit, WatchEnded

CREDIT_FRAMES = 64
"""Frames the store may send ahead (the default of ``Watch.credit``)."""
BOOKMARK_SECONDS = 55.0
LAST_BOOKMARK_SECONDS = 2.0
"""A watch that lasts no longer ends without a bookmark (upstream sends its last one that long before the end)."""
PIECE_EVENTS = 32
"""Written at once: some 100 KB, which the C library keeps, and others have their turn between two of them."""
INITIAL_END = "k8s.io/initial-events-end"


class WatchSink(Actor):
    """Puts the frames of one watch into a queue, which credit keeps short."""

    def __init__(self, frames: asyncio.Queue[Any]) -> None:
        self._frames = frames

    async def receive(self, message: Any) -> Any:
        if isinstance(message, (Changes, WatchEnded)):
            self._frames.put_nowait(message)


@dataclass(slots=True)
class WatchForm:
    """How the events of a watch are written."""

    resource: Resource
    view: View
    cache: JsonCache
    now: Any
    first: bool = True

    def line(self, kind: bytes, encoded: Encoded) -> bytes:
        return b"".join((b'{"type":"', kind, b'","object":', self.body(encoded), b"}\n"))

    def body(self, encoded: Encoded) -> bytes:
        version = self.view.media.parameters.get("v", "v1")
        match self.view.media.as_kind:
            case "Table":
                table = table_of(
                    self.resource,
                    [encoded],
                    self.now(),
                    include=self.view.include,
                    version=version,
                    columns=self.first,
                )
                if not self.first:
                    table["columnDefinitions"] = None
                self.first = False
                table["metadata"] = {"resourceVersion": str(encoded.revision)}
                return orjson.dumps(table)
            case "PartialObjectMetadata" | "PartialObjectMetadataList":
                return orjson.dumps(partial_of(encoded, version))
        return self.cache.get(encoded, self.resource.api_version)

    def bookmark(self, revision: int, *, initial_end: bool = False) -> bytes:
        metadata: Object = {"resourceVersion": str(revision)}
        if initial_end:
            metadata["annotations"] = {INITIAL_END: "true"}
        version = self.view.media.parameters.get("v", "v1")
        match self.view.media.as_kind:
            case "Table":
                obj: Object = {"kind": "Table", "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata}
                marked = partial_of(Encoded(b"\x80", b"", b"\x80")) | {"metadata": metadata}
                obj |= {"columnDefinitions": [], "rows": [{"cells": [], "object": marked}]}
            case "PartialObjectMetadata" | "PartialObjectMetadataList":
                obj = {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata}
            case _:
                obj = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": metadata}
        return orjson.dumps({"type": "BOOKMARK", "object": obj}) + b"\n"

    def events(self, events: list[Event]) -> bytes:
        return b"".join([self.line(_kind(event), _encoded(event)) for event in events])


def _kind(event: Event) -> bytes:
    if event.deleted:
        return b"DELETED"
    return b"ADDED" if event.created else b"MODIFIED"


def _encoded(event: Event) -> Encoded:
    metadata, status, rest = event.value.parts
    return Encoded(metadata, status, rest, event.value.mod_revision)


def error_line(ended: WatchEnded) -> bytes:
    """The last line of a watch that the store ended."""
    if ended.reason in (Refusal.COMPACTED, Refusal.SLOW):
        error = errors.expired("The resourceVersion for the provided watch is too old.")
    else:
        error = errors.internal(f"the watch ended: {ended.message}")
    return orjson.dumps({"type": "ERROR", "object": error.status}) + b"\n"


@dataclass(slots=True)
class Watching:
    """One watch from its grant to its end."""

    response: Response
    form: WatchForm
    frames: asyncio.Queue[Any]
    api: Ref[Any]
    bookmarks: bool
    initial: bool
    """The caller asked for initial events and waits for the bookmark that ends them."""
    seconds: float
    clock: Any

    async def run(self, stream: web.StreamResponse) -> None:
        """Write lines until the time is over, the store ends the watch or the client goes."""
        for item in self.response.items or ():
            await stream.write(self.form.line(b"ADDED", item))
        revision = self.response.revision
        if self.initial:
            await stream.write(self.form.bookmark(revision, initial_end=True))
        try:
            await self._live(stream, revision)
        finally:
            self.api.tell_nowait(Unwatch(self.response.watch))

    async def _live(self, stream: web.StreamResponse, revision: int) -> None:
        end = self.clock.monotonic() + self.seconds
        marked = self.clock.monotonic()
        while (left := end - self.clock.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    frame = await self.frames.get()
            except TimeoutError:
                break
            if isinstance(frame, WatchEnded):
                await stream.write(error_line(frame))
                return
            revision = frame.revision
            self.api.tell_nowait(WatchCredit(frame.watch, 1))
            events = frame.events
            for start in range(0, len(events), PIECE_EVENTS):
                await stream.write(self.form.events(events[start : start + PIECE_EVENTS]))
            if self.bookmarks and self.clock.monotonic() - marked >= BOOKMARK_SECONDS:
                marked = self.clock.monotonic()
                await stream.write(self.form.bookmark(revision))
        if self.bookmarks and self.seconds > LAST_BOOKMARK_SECONDS:
            await stream.write(self.form.bookmark(revision))
