"""A state machine that follows etcd, change by change, and who waits for it to get somewhere."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Any

from orchestrator.store.etcd.stored import content_of, decode, key_of, revision_of
from orchestrator.store.history import History, Record
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change, Value


class Mirror:
    """Invariant: ``machine`` is etcd's state under ``prefix`` at ``machine.revision``, which counts all of etcd's."""

    def __init__(self, prefix: str) -> None:
        self.machine = Machine()
        self._prefix = prefix
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def begin(self, revision: int, values: list[Value]) -> None:
        """Start anew at ``revision``, before which nothing is known."""
        self.machine = Machine()
        self.machine.history = History(self.machine.live, revision)
        self.machine.restore(values)
        self.machine.revision = revision
        self._reached()

    def apply(self, answer: dict[str, Any], at: int) -> list[Record]:
        """What one answer of the watch changed. All events of a revision come in one answer."""
        before = self.machine.revision
        for event in answer.get("events", []):
            self._event(event, at)
        records = self.machine.history.after(before)
        self._reached()
        return records

    def reached(self, revision: int) -> asyncio.Future[None]:
        """Done when the mirror stands at ``revision`` or later."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.machine.revision >= revision:
            future.set_result(None)
        else:
            heapq.heappush(self._waiting, (revision, next(self._numbers), future))
        return future

    def _event(self, event: dict[str, Any], at: int) -> None:
        kv = event["kv"]
        revision, key = revision_of(kv["mod_revision"]), key_of(kv)
        if revision < self.machine.revision:
            return
        self.machine.revision = revision
        if not key.startswith(self._prefix):
            return
        key = key[len(self._prefix) :]
        if event.get("type") == "DELETE":
            if key in self.machine.live:
                self.machine.replay(revision, at, Change(key, None))
            return
        found = decode(content_of(kv))
        change = Change(key, found.parts, None, found.fields, int(kv.get("lease", 0)), found.cause)
        self.machine.replay(revision, at, change)

    def _reached(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.machine.revision:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
