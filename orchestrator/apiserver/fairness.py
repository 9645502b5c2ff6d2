"""Seats: how many requests run at once, so that a flood of one user leaves room for the others.

A request that finds no seat waits in line; a line that is full turns it away with 429. Watches hold no seat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orchestrator.apimachinery import errors
from orchestrator.apiserver.rbac import SUPERUSERS
from orchestrator.client.protocol import Identity, Verb

MAX_RUNNING = 600
"""Requests in all (upstream: 400 reading and 200 changing)."""
MAX_RUNNING_PER_USER = 200
MAX_WAITING_PER_USER = 2000
"""Requests of one user in line."""


class Seats:
    """Counts seats by user; superusers take from their own."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(MAX_RUNNING)
        self._users: dict[str, asyncio.Semaphore] = {}
        self._waiting: dict[str, int] = {}

    @asynccontextmanager
    async def taken(self, who: Identity, verb: Verb) -> AsyncIterator[None]:
        """Raises TooManyRequests when the user's line is full."""
        if SUPERUSERS in who.groups or verb == Verb.WATCH:
            yield
            return
        waiting = self._waiting.get(who.user, 0)
        if waiting >= MAX_WAITING_PER_USER + MAX_RUNNING_PER_USER:
            raise errors.too_many_requests("too many requests, please try again later", 1)
        self._waiting[who.user] = waiting + 1
        mine = self._users.setdefault(who.user, asyncio.Semaphore(MAX_RUNNING_PER_USER))
        try:
            async with mine, self._all:
                yield
        finally:
            self._leave(who.user)

    def _leave(self, user: str) -> None:
        left = self._waiting[user] - 1
        if left:
            self._waiting[user] = left
        else:
            del self._waiting[user]
            self._users.pop(user, None)
