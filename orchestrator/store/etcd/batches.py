"""Batches over etcd: each change a transaction, so that each has its own revision and refuses alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from orchestrator.store.etcd import writing
from orchestrator.store.etcd.client import NO_LEASE, NO_SPACE, EtcdClient, EtcdRefused
from orchestrator.store.etcd.mirror import Mirror
from orchestrator.store.etcd.stored import revision_of
from orchestrator.store.protocol import Batch, BatchReply, Change, Outcome, Result, Value

IN_ORDER = 16
"""Changes up to which a batch's revisions follow its order; more are done by several at once, key by key."""
SIDE_BY_SIDE = 32
MAX_TRIES = 100
"""A key that others change faster than it can be read and written: a client is told of a conflict then."""


class Batches:
    def __init__(self, client: EtcdClient, mirror: Mirror, prefix: str, lease: Callable[[], int]) -> None:
        self._client = client
        self._mirror = mirror
        self._prefix = prefix
        self._lease = lease

    async def batch(self, batch: Batch) -> BatchReply:
        results: dict[int, Result] = {}
        lanes = 1 if len(batch.changes) <= IN_ORDER else SIDE_BY_SIDE
        numbers: dict[str, int] = {}
        work: list[list[tuple[int, Change]]] = [[] for _ in range(lanes)]
        for number, change in enumerate(batch.changes):
            # All changes of one key in one lane, keys in turn.
            lane = numbers.setdefault(change.key, len(numbers)) % lanes
            work[lane].append((number, change))

        async def lane_of(changes: list[tuple[int, Change]]) -> None:
            for number, change in changes:
                request = f"{batch.request_id}/{number}" if batch.request_id else ""
                results[number] = await self._change(change, request)

        try:
            async with asyncio.TaskGroup() as group:
                for changes in work:
                    if changes:
                        group.create_task(lane_of(changes))
        except ExceptionGroup as errors:
            # One is enough to say; what became of the other lanes is as unknown as after any lost answer.
            raise errors.exceptions[0] from errors
        ordered = [results[number] for number in range(len(batch.changes))]
        done = [result.revision for result in ordered if result.outcome is Outcome.DONE]
        return BatchReply(max(done, default=self._mirror.machine.revision), ordered)

    async def _change(self, change: Change, request: str) -> Result:
        standing = self._mirror.machine.live.get(change.key)
        for _ in range(MAX_TRIES):
            prepared = writing.prepare(change, standing, self._prefix)
            try:
                answer = await self._client.call("kv/txn", self._transaction(change, prepared, request))
            except EtcdRefused as error:
                return _refusal(error, standing)
            revision = revision_of(answer["header"]["revision"])
            responses = answer.get("responses", [])
            if answer.get("succeeded") and prepared.operation is not None:
                return writing.result(change, responses[0], revision, self._prefix)
            if request and (left := writing.done_before(responses[1])) is not None:
                return Result(Outcome.DONE, revision_of(left["mod_revision"]))
            standing = writing.read_value(responses[0], self._prefix)
            refused = writing.explained(change, standing)
            if refused is not None:
                return refused
        return Result(Outcome.CONFLICT, standing.mod_revision if standing is not None else 0)

    def _transaction(self, change: Change, prepared: writing.Prepared, request: str) -> dict[str, Any]:
        compares = list(prepared.compares)
        failure = [writing.read(change, self._prefix)]
        success = [prepared.operation] if prepared.operation is not None else list(failure)
        if request:
            not_yet, was_done = writing.once(request)
            compares.append(not_yet)
            failure.append(was_done)
            if prepared.operation is not None:
                success.append(writing.remember(request, self._lease(), b""))
            else:
                success.append(was_done)
        return {"compare": compares, "success": success, "failure": failure}


def _refusal(error: EtcdRefused, standing: Value | None) -> Result:
    revision = standing.mod_revision if standing is not None else 0
    if error.message == NO_LEASE:
        return Result(Outcome.NO_LEASE, revision)
    if error.message == NO_SPACE:
        return Result(Outcome.NO_SPACE, revision)
    raise error
