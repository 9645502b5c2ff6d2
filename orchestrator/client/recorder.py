"""Events for people: what a component did to an object, said once and then counted.

Lossy by design: a full mailbox drops the oldest record, an object that talks too much is silenced for a while, and a
write that fails is not tried again. A message never holds a secret's content: callers name objects, not values.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from sys import intern
from typing import Any

import msgspec

from actors import Actor, Ref, Tell, Trace
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client import requests
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import EVENTS, Kind
from orchestrator.client.protocol import Options, Request, Want
from orchestrator.client.view import View

MAX_REMEMBERED = 4096
"""Events and objects that are remembered for counting and limiting; the least recently used is forgotten."""
BURST = 25.0
REFILL_PER_SECOND = 1.0 / 300.0
"""Events of one source about one object: a burst, then one in five minutes (client-go's spam filter)."""
FLUSH_SECONDS = 0.25
"""Records wait this long so that many make one batch."""
MAX_WAITING = 1024
"""Records that wait for the next batch; the oldest is dropped."""
MAX_TOGETHER = 512
"""Records in one message: a piece of pods that were bound."""
MAX_MESSAGE_CHARACTERS = 1024
"""What the API takes in an event's message."""
NORMAL = "Normal"
WARNING = "Warning"


class Involved(msgspec.Struct, frozen=True, gc=False):
    """The object that an event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    revision: int = 0
    field_path: str = ""


class Record(Tell, gc=False):
    about: Involved
    type: str
    reason: str
    message: str
    action: str = ""


class Records(Tell):
    """What a component did to many objects at once."""

    records: list[Record]


class Flush(Tell):
    """Write what waits."""


def involved(kind: Kind, view: View, field_path: str = "") -> Involved:
    return Involved(kind.api_version, kind.kind, view.namespace, view.name, view.uid, view.revision, field_path)


def record(about: Involved, type: str, reason: str, message: str, *, action: str = "") -> Record:
    return Record(about, type, reason, message[:MAX_MESSAGE_CHARACTERS], action)


class Recorder:
    """What a component holds: ``event`` and ``events`` never wait and never fail."""

    def __init__(self, writer: Ref[Any] | None) -> None:
        self._writer = writer

    def event(self, about: Involved, type: str, reason: str, message: str, *, action: str = "") -> None:
        if self._writer is not None:
            self._writer.tell_nowait(record(about, type, reason, message, action=action))

    def events(self, records: Sequence[Record]) -> None:
        """As ``event`` for each."""
        if self._writer is not None:
            for start in range(0, len(records), MAX_TOGETHER):
                self._writer.tell_nowait(Records(list(records[start : start + MAX_TOGETHER])))


class _Seen(msgspec.Struct):
    name: str
    namespace: str
    first: str
    count: int


class EventWriter(Actor):
    """Owns the memory of one source's events; a restart begins new counts."""

    def __init__(self, client: Client, component: str, host: str = "") -> None:
        self._client = client
        self._component = component
        self._host = host
        self._seen: OrderedDict[tuple[str, ...], _Seen] = OrderedDict()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._waiting: list[tuple[tuple[str, ...], Record]] = []
        self._scheduled = False
        self._dropped = 0

    async def receive(self, message: Any) -> None:
        match message:
            case Record():
                self._take(message)
            case Records():
                for record in message.records:
                    self._take(record)
            case Flush():
                await self._flush()

    def _take(self, record: Record) -> None:
        about = record.about
        if not self._allowed(intern(about.uid) or f"{about.kind}/{about.namespace}/{about.name}"):
            self._dropped += 1
            return
        key = (about.kind, about.namespace, about.name, about.uid, about.field_path, record.type, record.reason)
        self._waiting.append(((*map(intern, key), record.message), record))
        if len(self._waiting) > MAX_WAITING:
            del self._waiting[0]
            self._dropped += 1
        if not self._scheduled:
            self._scheduled = True
            self.context.send_after(FLUSH_SECONDS, Flush())

    def _allowed(self, uid: str) -> bool:
        now = self.context.clock.monotonic()
        tokens, since = self._buckets.pop(uid, (BURST, now))
        tokens = min(BURST, tokens + (now - since) * REFILL_PER_SECOND)
        allowed = tokens >= 1.0
        self._buckets[uid] = (tokens - 1.0 if allowed else tokens, now)
        if len(self._buckets) > MAX_REMEMBERED:
            self._buckets.popitem(last=False)
        return allowed

    async def _flush(self) -> None:
        self._scheduled = False
        waiting, self._waiting = self._waiting, []
        now = rfc3339(self.context.clock.time())
        counts: dict[tuple[str, ...], tuple[Record, int]] = {}
        for key, record in waiting:
            counts[key] = (record, counts[key][1] + 1 if key in counts else 1)
        batch = [_because(self._write(key, record, count, now), record) for key, (record, count) in counts.items()]
        self.context.cause = Trace(f"events-{self._component}", self.context.path)
        try:
            responses = await self._client.batch(batch)
        except TransportError:
            self._dropped += len(waiting)
            return
        for key, response in zip(counts, responses, strict=True):
            if response.code >= 400:
                self._dropped += 1
                self._seen.pop(key, None)

    def _write(self, key: tuple[str, ...], record: Record, count: int, now: str) -> Request:
        seen = self._seen.get(key)
        if seen is None:
            return self._create(key, record, count, now)
        self._seen.move_to_end(key)
        seen.count += count
        change: Object = {"count": seen.count, "lastTimestamp": now, "message": record.message}
        return requests.patch(EVENTS, seen.name, seen.namespace, change, want=Want.REVISION)

    def _create(self, key: tuple[str, ...], record: Record, count: int, now: str) -> Request:
        about = record.about
        namespace = about.namespace or "default"
        name = f"{about.name}.{self.context.random.getrandbits(64):016x}"
        self._seen[key] = _Seen(name, intern(namespace), now, count)
        if len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)
        event = event_object(record, name, self._component, self._host, count, now)
        return requests.create(EVENTS, event, namespace, options=Options(), want=Want.REVISION)


def _because(request: Request, record: Record) -> Request:
    about = record.about
    return requests.because(request, f"{about.namespace}/{about.name}".lstrip("/"), about.revision)


def event_object(record: Record, name: str, component: str, host: str, count: int, now: str) -> Object:
    """The ``v1 Event``."""
    about = record.about
    reference = {
        "apiVersion": about.api_version,
        "kind": about.kind,
        "namespace": about.namespace,
        "name": about.name,
        "uid": about.uid,
        "resourceVersion": str(about.revision) if about.revision else "",
        "fieldPath": about.field_path,
    }
    event: Object = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": about.namespace or "default"},
        "involvedObject": {key: value for key, value in reference.items() if value},
        "reason": record.reason,
        "message": record.message,
        "type": record.type,
        "source": {"component": component, "host": host} if host else {"component": component},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": count,
        "reportingComponent": component,
        "reportingInstance": host,
    }
    if record.action:
        event["action"] = record.action
    return event
