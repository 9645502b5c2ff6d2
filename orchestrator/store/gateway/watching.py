"""etcd's watch streams: each request of a connection is a stream of JSON lines until the client goes.

The store tells the door's actor; its tag says which stream a frame is for. A stream whose client does not take what was
written gets no credit, so that the store bounds what waits for it and ends it as slow, never this door.
"""

from __future__ import annotations

import itertools
from typing import Any

import orjson

from actors import Ref, Refused
from orchestrator.store.gateway.answers import FIRST_REVISION, Header, Json, key_value, pruned
from orchestrator.store.gateway.errors import HTTP_STATUS, UNIMPLEMENTED, GatewayError, translate
from orchestrator.store.gateway.http import Request
from orchestrator.store.gateway.kv import ASK_SECONDS, BEFORE_ALL
from orchestrator.store.gateway.messages import WatchCreate, WatchRequest, decode, number_of
from orchestrator.store.gateway.ranges import Span, span
from orchestrator.store.protocol import (
    Changes,
    Event,
    Refusal,
    StoreStatus,
    Unwatch,
    Watch,
    WatchCredit,
    WatchEnded,
    WatchReply,
)

CREDIT = 16
"""Frames that the store may send ahead of the client."""
FILTERS = ("NOPUT", "NODELETE")


class Stream:
    """One watch of one client."""

    def __init__(self, request: Request, create: WatchCreate, wanted: Span) -> None:
        self.request = request
        self.wanted = wanted
        self.watch = 0
        """The store's number; 0 until it has answered."""
        self.owed = 0
        """Frames to give credit for, once the client has taken what was written."""
        self.number = create.watch_id
        self.previous = create.prev_kv
        self.progress = create.progress_notify
        hidden = {FILTERS[number_of(name, FILTERS, "filters")] for name in create.filters}
        self.puts, self.deletes = "NOPUT" not in hidden, "NODELETE" not in hidden
        self.not_before = 0
        """The store's revision of the first event that is wanted, for a watch that begins in the future."""
        self.early: list[Changes] | None = []
        """What came before the store's answer to the watch; None after."""

    def write(self, result: Json) -> None:
        self.request.connection.piece(orjson.dumps({"result": result}) + b"\n")

    def wants(self, event: Event) -> bool:
        if event.value.mod_revision < self.not_before or not self.wanted.holds(event.value.key):
            return False
        return self.deletes if event.deleted else self.puts


class Streams:
    """All of them. ``receive`` is given the frames that the store sends to ``subscriber``."""

    def __init__(self, store: Ref[Any], subscriber: Ref[Any], header: Header) -> None:
        self._store = store
        self._subscriber = subscriber
        self._header = header
        self._streams: dict[str, Stream] = {}
        self._tags = itertools.count(1)

    def __len__(self) -> int:
        return len(self._streams)

    async def open(self, request: Request) -> None:
        """Begin a stream; it answers and ends itself. Raises ``GatewayError`` for what is no watch."""
        asked = decode(request.body.split(b"\n", 1)[0] if b"\n" in request.body else request.body, WatchRequest)
        if asked.create_request is None:
            raise GatewayError(UNIMPLEMENTED, "expected a create_request: one watch is one request here")
        create = asked.create_request
        stream = Stream(request, create, span(create.key, create.range_end))
        tag = str(next(self._tags))
        self._streams[tag] = stream
        connection = request.connection
        connection.on_gone = lambda: self._gone(tag)
        connection.on_drained = lambda: self._drained(tag)
        connection.begin(request)
        await self._begin(tag, stream, create)

    async def _begin(self, tag: str, stream: Stream, create: WatchCreate) -> None:
        wanted = stream.wanted
        after = create.start_revision - 1 - FIRST_REVISION if create.start_revision > 0 else 0
        if create.start_revision > 0 and after <= 0:
            after = BEFORE_ALL
        watch = Watch(
            self._subscriber,
            prefix="" if wanted.single else wanted.prefix,
            key=wanted.start if wanted.single else "",
            revision=after,
            previous=True,
            progress=create.progress_notify,
            credit=CREDIT,
            tag=tag,
        )
        try:
            reply = await self._open(watch, stream)
        except Exception as error:
            await self._fail(tag, error)
            return
        stream.watch = reply.watch
        if tag not in self._streams:
            await self._store.tell(Unwatch(reply.watch))
            return
        stream.write({"header": self._header.at(reply.revision), **pruned(watch_id=stream.number, created=True)})
        early, stream.early = stream.early or [], None
        for frame in early:
            self._deliver(tag, stream, frame)

    async def _open(self, watch: Watch, stream: Stream) -> WatchReply:
        """etcd lets a watch begin in the future: it sees what comes from that revision on."""
        try:
            reply: WatchReply = await self._store.ask(watch, ASK_SECONDS)
        except Refused as refused:
            if refused.code != "future":
                raise
            now = Watch(
                watch.subscriber,
                prefix=watch.prefix,
                key=watch.key,
                previous=True,
                progress=watch.progress,
                credit=CREDIT,
                tag=watch.tag,
            )
            stream.not_before = watch.revision + 1
            reply = await self._store.ask(now, ASK_SECONDS)
        return reply

    def receive(self, message: Changes | WatchEnded) -> None:
        stream = self._streams.get(message.tag)
        if stream is None:
            return
        if isinstance(message, WatchEnded):
            self._end(message.tag, stream, message)
        elif stream.early is not None:
            stream.early.append(message)
        else:
            self._deliver(message.tag, stream, message)

    def _deliver(self, tag: str, stream: Stream, frame: Changes) -> None:
        events = [self._event(stream, event) for event in frame.events if stream.wants(event)]
        if events or not frame.events:
            fields = pruned(watch_id=stream.number, events=events)
            stream.write({"header": self._header.at(frame.revision), **fields})
        stream.owed += 1
        if stream.request.connection.writable:
            self._drained(tag)

    def _event(self, stream: Stream, event: Event) -> Json:
        if event.deleted:
            kv: Json = key_value(event.value)
            kv = {"key": kv["key"], "mod_revision": kv["mod_revision"]}
        else:
            kv = key_value(event.value)
        previous = key_value(event.previous) if stream.previous and event.previous is not None else None
        return pruned(type="DELETE" if event.deleted else "", kv=kv, prev_kv=previous)

    def _end(self, tag: str, stream: Stream, ended: WatchEnded) -> None:
        reason = f"{ended.reason.name.lower()}: {ended.message}"
        stream.write(
            {"header": self._header.at(0), **pruned(watch_id=stream.number, canceled=True, cancel_reason=reason)}
        )
        del self._streams[tag]
        stream.request.connection.end(stream.request)

    async def _fail(self, tag: str, error: Exception) -> None:
        """etcd says so in the stream, where it could not begin the watch."""
        stream = self._streams.pop(tag, None)
        if stream is None:
            return
        if isinstance(error, Refused) and error.code == Refusal.COMPACTED.name.lower():
            status = await self._store.ask(StoreStatus(), ASK_SECONDS)
            header, created = self._header.at(status.revision), pruned(watch_id=stream.number, created=True)
            compacted = pruned(
                watch_id=stream.number, canceled=True, compact_revision=status.compacted + FIRST_REVISION
            )
            stream.write({"header": header, **created})
            stream.write({"header": header, **compacted})
        else:
            refused = translate(error)
            words = {"grpc_code": refused.code, "http_code": HTTP_STATUS[refused.code], "message": refused.message}
            stream.request.connection.piece(orjson.dumps({"error": words}) + b"\n")
        stream.request.connection.end(stream.request)

    def _drained(self, tag: str) -> None:
        stream = self._streams.get(tag)
        if stream is not None and stream.owed and stream.watch:
            self._store.tell_nowait(WatchCredit(stream.watch, stream.owed))
            stream.owed = 0

    def _gone(self, tag: str) -> None:
        stream = self._streams.pop(tag, None)
        if stream is not None and stream.watch:
            self._store.tell_nowait(Unwatch(stream.watch))
