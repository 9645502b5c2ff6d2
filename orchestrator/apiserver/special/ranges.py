"""Cluster addresses and node ports are given away under one key of the store: no two servers give away the same.

What is taken is read from the mirrored Services (see ``allocator``), and those that another server has just written may
not be among them yet. So a write that takes something changes ``GUARD`` in the same transaction, from the revision at
which this server last knew all Services. If another was faster the transaction fails, the Services are read anew, and
the write is prepared again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from orchestrator.apiserver.keys import resource_prefix
from orchestrator.apiserver.mirror import Mirror
from orchestrator.apiserver.storage import Storage
from orchestrator.store.protocol import MAX_TXN_OPS, Change, Outcome, Result

GUARD = "ranges/services"
"""Its revision is that of the last write that took an address or a port."""
UNKNOWN = -1
Taking = tuple[int, Change]
"""A change that takes something, and the ``view`` it was prepared from."""


class Ranges:
    """One per server. ``view`` grows when Services of other servers were read: what was prepared before is void."""

    def __init__(self, storage: Storage, mirror: Mirror) -> None:
        self._storage = storage
        self._mirror = mirror
        self._prefix = resource_prefix("", "services")
        self._known = UNKNOWN
        # The guard's revision up to which every Service is known here.
        self._turn = asyncio.Lock()
        self.view = 0

    async def commit(self, taking: Sequence[Taking]) -> list[Result | None]:
        """What became of each, in order; None: it did not happen, prepare it again. Raises ``StatusError``."""
        results: list[Result | None] = []
        for start in range(0, len(taking), MAX_TXN_OPS - 1):
            async with self._turn:
                results += await self._take(taking[start : start + MAX_TXN_OPS - 1])
        return results

    async def _take(self, taking: Sequence[Taking]) -> list[Result | None]:
        if self._known == UNKNOWN:
            await self._look()
        fresh = [change for view, change in taking if view == self.view]
        if not fresh:
            return [None] * len(taking)
        guard, *found = await self._storage.together([Change(GUARD, (b"",), self._known), *fresh])
        if guard.outcome is Outcome.CONFLICT:
            await self._look()
            return [None] * len(taking)
        if guard.outcome is Outcome.DONE and guard.revision:
            self._known = guard.revision
            told = iter(found)
            return [next(told) if view == self.view else None for view, _ in taking]
        # One was refused, and so none is done.
        refused = iter([result if result.outcome else None for result in found])
        return [next(refused) if view == self.view else None for view, _ in taking]

    async def _look(self) -> None:
        """Read all Services, and the guard as it was then."""
        reply = await self._storage.range(self._prefix)
        guard = (await self._storage.get([GUARD], reply.revision)).values[0]
        for value in reply.values:
            self._mirror.put(value.key, value.parts, value.mod_revision)
        self._mirror.keep_only(self._prefix, {value.key for value in reply.values}, reply.revision)
        self._known = guard.mod_revision if guard is not None else 0
        self.view += 1
