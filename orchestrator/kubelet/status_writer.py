"""Writes what pods became to the API server: everything that waits goes out as one batch, one batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from actors import Clock
from orchestrator.apimachinery.encoded import Object, encode_part
from orchestrator.client.client import Client, status_of
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import PODS
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Request, Response, Verb, Want
from orchestrator.client.requests import because
from orchestrator.client.splice import whole, with_revision
from orchestrator.kubelet.record import Record
from orchestrator.kubelet.status import Host, pod_status

RETRY_SECONDS = 0.5
"""Before a batch that got no answer is sent again."""
REFUSED_SECONDS = 5.0
"""Before a write that the server refused is tried again."""
MAX_RECORDS_PER_BATCH = MAX_BATCH_REQUESTS // 2
"""A pod takes at most two writes: its last status and its deletion."""
POD = encode_part({"apiVersion": "v1", "kind": "Pod"})
"""All that a status is written with beside metadata: the API server takes the spec of the pod that stands."""

log = structlog.get_logger("kubelet")


class _Write:
    """One request under way and what it is about."""

    __slots__ = ("part", "record", "revision")

    def __init__(self, record: Record, part: bytes | None) -> None:
        self.record = record
        self.part = part
        """The status that is written; None is the deletion."""
        self.revision = record.revision


class StatusWriter:
    """Owns the set of pods whose status may differ from what was written: bounded by the pods of the node."""

    __slots__ = ("_client", "_clock", "_dirty", "_flushing", "_forget", "_host", "_spawn")

    def __init__(
        self,
        client: Client,
        host: Host,
        clock: Clock,
        *,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        forget: Callable[[Record], None],
    ) -> None:
        self._client = client
        self._host = host
        self._clock = clock
        self._spawn = spawn
        self._forget = forget
        self._dirty: dict[str, Record] = {}
        self._flushing = False

    def mark(self, record: Record) -> None:
        """This pod's status may have changed, or the pod is to be deleted."""
        self._dirty[record.uid] = record

    def flush_soon(self) -> None:
        """Begin to write what is marked, unless that is under way: then it goes with the next batch."""
        if self._dirty and not self._flushing:
            self._flushing = True
            self._spawn(self._flush(), "status writer")

    async def _flush(self) -> None:
        try:
            while self._dirty:
                await self._flush_once()
        finally:
            self._flushing = False

    async def _flush_once(self) -> None:
        now = self._clock.time()
        requests: list[Request] = []
        writes: list[_Write] = []
        for uid in list(self._dirty)[:MAX_RECORDS_PER_BATCH]:
            self._collect(self._dirty.pop(uid), now, requests, writes)
        if not requests:
            return
        try:
            responses = await self._client.batch(requests)
        except TransportError as failure:
            log.warning("statuses were not written", reason=str(failure), writes=len(writes))
            for write in writes:
                write.record.sending = None
                self.mark(write.record)
            await self._clock.sleep(RETRY_SECONDS)
            return
        for write, response in zip(writes, responses, strict=True):
            self._answered(write, response)

    def _collect(self, record: Record, now: float, requests: list[Request], writes: list[_Write]) -> None:
        if record.finished:
            if record.observed.gone:
                self._forget(record)
                return
            if record.final is not None and record.final != record.status:
                requests.append(self._status_request(record, record.final))
                writes.append(_Write(record, record.final))
            requests.append(because(record.deletion(), record.title, record.revision))
            writes.append(_Write(record, None))
            return
        if record.observed.gone:
            return
        pod = record.pod()
        if pod.status.get("phase") in ("Succeeded", "Failed") and not record.observed.containers:
            record.rests()  # it is over and its containers are gone: what was written last stands
            return
        status: Object = pod_status(pod, record.observed, self._host, now)
        part = record.changed(status)
        if part is not None:
            record.sending = part
            requests.append(self._status_request(record, part))
            writes.append(_Write(record, part))
        record.rests()

    def _status_request(self, record: Record, part: bytes) -> Request:
        body = whole(POD, with_revision(record.metadata, record.revision), part)
        target = PODS.target(record.namespace, record.name, "status")
        return because(Request(Verb.UPDATE, target, body, want=Want.REVISION), record.title, record.revision)

    def _answered(self, write: _Write, response: Response) -> None:
        record = write.record
        if write.part is None:
            self._deleted(record, response)
            return
        record.sending = None
        if response.code < 400:
            record.written(write.part, response.revision)
        elif response.code == 409:
            if record.revision > write.revision:
                self.mark(record)  # the newer object is here already; otherwise it is on its way and marks it
            record.conflicted = True
        elif response.code != 404:
            self._refused(record, response)

    def _deleted(self, record: Record, response: Response) -> None:
        if response.code in (404, 409):
            self._forget(record)  # gone, or another pod bears the name by now
        elif response.code >= 400:
            self._refused(record, response)

    def _refused(self, record: Record, response: Response) -> None:
        message = status_of(response).get("message", "")
        log.warning("a write was refused", pod=record.title, code=response.code, reason=message)
        self._clock.call_later(REFUSED_SECONDS, lambda: self._again(record))

    def _again(self, record: Record) -> None:
        self.mark(record)
        self.flush_soon()
