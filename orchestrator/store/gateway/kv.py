"""Range, put, delete range and compaction: etcd's requests from what the store offers.

Puts of all connections that come while a batch is under way make the next one: each is an independent change
with its own revision and its own refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from actors import Ref
from orchestrator.store.gateway.answers import FIRST_REVISION, Header, Json, key_values, pruned
from orchestrator.store.gateway.errors import (
    COMPACTED,
    INVALID_ARGUMENT,
    KEY_MISSING,
    NO_LEASE,
    NO_SPACE,
    NOT_FOUND,
    OUT_OF_RANGE,
    RESOURCE_EXHAUSTED,
    GatewayError,
    translate,
)
from orchestrator.store.gateway.messages import CompactionRequest, PutRequest, RangeRequest, number_of
from orchestrator.store.gateway.ranges import Span, span, text
from orchestrator.store.protocol import (
    Batch,
    BatchReply,
    Change,
    Compact,
    Get,
    Outcome,
    Range,
    Result,
    StoreStatus,
    Value,
)

SORT_ORDERS = ("NONE", "ASCEND", "DESCEND")
SORT_TARGETS = ("KEY", "VERSION", "CREATE", "MOD", "VALUE")
MAX_BATCH = 512
"""Puts in one batch: bounds how long the store is busy with it."""
PUMPS = 2
"""Batches under way: one on the disk, one that waits for it."""
OVERLAP = 32
"""Puts that are enough for a second batch under way; fewer wait for the first, and share its successor's fsync."""
MAX_EXPECTED = 64
MAX_TURNS = 16
"""Turns of the loop, some 10 µs each, in which the clients of the last batch may come back."""
ASK_SECONDS = 30.0
BEFORE_ALL = -1
"""The revision of the empty store, when it is asked for: 0 would mean the current one."""
KEEP_ORDER = {
    "VERSION": lambda value: value.version,
    "CREATE": lambda value: value.create_revision,
    "MOD": lambda value: value.mod_revision,
    "VALUE": lambda value: b"".join(value.parts),
    "KEY": lambda value: value.key,
}

Done = Callable[[BatchReply | GatewayError, int], None]


class Puts:
    """What waits to be put. ``pump`` runs ``PUMPS`` times; ``exclusive`` holds them all for one who must be alone."""

    def __init__(self, store: Ref[Any]) -> None:
        self._store = store
        self._waiting: list[tuple[Change, Done]] = []
        self._wake = asyncio.Event()
        # Set when a batch may go.
        self._under_way = 0
        self._expected = 1
        # Clients that wait for their next: those who were answered last, and those who came meanwhile.
        self.exclusive = asyncio.Lock()

    def put(self, change: Change, done: Done) -> None:
        """``done`` is called with the reply and the change's place in it, or with what went wrong."""
        self._waiting.append((change, done))
        self._look()

    async def pump(self) -> None:
        while True:
            await self._wake.wait()
            if not self._due():
                # The other pump was woken by the same put, and has it.
                self._wake.clear()
                continue
            self._under_way += 1
            if self.exclusive.locked():
                async with self.exclusive:
                    pass
            await self._gather()
            taken, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            self._wake.clear()
            self._look()
            try:
                if taken:
                    await self._commit(taken)
            finally:
                self._expected = min(len(taken) + len(self._waiting), MAX_EXPECTED)
                self._under_way -= 1
                self._look()

    def _due(self) -> bool:
        """Whether a batch may go: enough for a second one, or the first."""
        return bool(self._waiting) and (not self._under_way or len(self._waiting) >= OVERLAP)

    def _look(self) -> None:
        if self._due():
            self._wake.set()

    async def _gather(self) -> None:
        """Clients that were answered together ask again together: their requests are in the sockets already."""
        for _ in range(MAX_TURNS):
            if len(self._waiting) >= self._expected:
                return
            await asyncio.sleep(0)

    async def _commit(self, taken: list[tuple[Change, Done]]) -> None:
        reply: BatchReply | GatewayError
        try:
            reply = await self._store.ask(Batch([change for change, _ in taken]), ASK_SECONDS)
        except Exception as error:
            reply = translate(error)
        for place, (_, done) in enumerate(taken):
            done(reply, place)


def refused(result: Result) -> GatewayError | None:
    """Why a change was not done."""
    match result.outcome:
        case Outcome.DONE:
            return None
        case Outcome.NO_SPACE:
            return GatewayError(RESOURCE_EXHAUSTED, NO_SPACE)
        case Outcome.NO_LEASE:
            return GatewayError(NOT_FOUND, NO_LEASE)
        case _:
            return GatewayError(INVALID_ARGUMENT, f"etcdserver: {result.outcome.name.lower()}")


def change_of(put: PutRequest) -> Change:
    """Of a put that depends on nothing that stands."""
    if not put.key:
        raise GatewayError(INVALID_ARGUMENT, KEY_MISSING)
    return Change(text(put.key), (put.value,), lease=put.lease)


class Reader:
    """Ranges over the store."""

    def __init__(self, store: Ref[Any], header: Header) -> None:
        self._store = store
        self._header = header

    async def range(self, request: RangeRequest) -> Json:
        wanted = span(request.key, request.range_end)
        revision = at_revision(request.revision)
        values, count, current = await self.values(wanted, revision, whole=needs_all(request), limit=request.limit)
        if request.revision:
            current = (await self._store.ask(StoreStatus(), ASK_SECONDS)).revision
        return {"header": self._header.at(current), **range_answer(request, values, count)}

    async def values(
        self, wanted: Span, revision: int = 0, *, whole: bool = True, limit: int = 0
    ) -> tuple[list[Value], int, int]:
        """What is in a range (the first ``limit`` unless ``whole``), how many are, and the revision that was read."""
        if revision == BEFORE_ALL:
            status = await self._store.ask(StoreStatus(), ASK_SECONDS)
            if status.compacted:
                raise GatewayError(OUT_OF_RANGE, COMPACTED)
            return [], 0, status.revision
        if wanted.single:
            got = await self._store.ask(Get([wanted.start], revision), ASK_SECONDS)
            found = [value for value in got.values if value is not None]
            return found, len(found), got.revision
        asked = 0 if whole or not limit else limit
        query = Range(wanted.prefix, wanted.after, asked, revision, before=wanted.before)
        reply = await self._store.ask(query, ASK_SECONDS)
        return [value for value in reply.values if value.key >= wanted.start], reply.count, reply.revision

    async def previous(self, key: str, revision: int) -> Value | None:
        """What stood under ``key`` before the change that made ``revision``."""
        value: Value | None = (await self._store.ask(Get([key], revision - 1), ASK_SECONDS)).values[0]
        return value

    async def compact(self, request: CompactionRequest) -> Json:
        if request.revision <= 0:
            raise GatewayError(OUT_OF_RANGE, COMPACTED)
        await self._store.ask(Compact(request.revision - FIRST_REVISION), ASK_SECONDS)
        status = await self._store.ask(StoreStatus(), ASK_SECONDS)
        return {"header": self._header.at(status.revision)}


def at_revision(asked: int) -> int:
    """The store's revision for etcd's (0 and less: the current one, which is 0 there too)."""
    if asked <= 0:
        return 0
    return asked - FIRST_REVISION or BEFORE_ALL


def needs_all(request: RangeRequest) -> bool:
    """Whether the first ones by key are not the ones that are wanted."""
    order = number_of(request.sort_order, SORT_ORDERS, "sort_order")
    target = number_of(request.sort_target, SORT_TARGETS, "sort_target")
    filtered = request.min_mod_revision or request.max_mod_revision
    return bool(filtered or request.min_create_revision or request.max_create_revision or target or order == 2)


def range_answer(request: RangeRequest, values: list[Value], count: int) -> Json:
    """The answer's body from all that is in the range, or from its first ``limit``."""
    if request.count_only:
        return pruned(count=count)
    values = [value for value in values if _within(request, value)]
    order = number_of(request.sort_order, SORT_ORDERS, "sort_order")
    target = SORT_TARGETS[number_of(request.sort_target, SORT_TARGETS, "sort_target")]
    if order == 2 or (target != "KEY" and (order or target)):
        values = sorted(values, key=KEEP_ORDER[target], reverse=order == 2)
    more = False
    if request.limit > 0:
        more = count > request.limit if not needs_all(request) else len(values) > request.limit
        values = values[: request.limit]
    return pruned(kvs=key_values(values, keys_only=request.keys_only), more=more, count=count)


def _within(request: RangeRequest, value: Value) -> bool:
    mod, create = value.mod_revision + FIRST_REVISION, value.create_revision + FIRST_REVISION
    if request.min_mod_revision and mod < request.min_mod_revision:
        return False
    if request.max_mod_revision and mod > request.max_mod_revision:
        return False
    if request.min_create_revision and create < request.min_create_revision:
        return False
    return not (request.max_create_revision and create > request.max_create_revision)
