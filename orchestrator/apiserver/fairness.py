"""Seats: how many requests run at once, so that a flood of one user leaves room for the others.

A request that finds no seat waits in line; a line that is full turns it away with 429. Watches hold no seat.
"""

from __future__ import annotations

import asyncio

from orchestrator.apimachinery import errors
from orchestrator.apiserver.rbac import SUPERUSERS
from orchestrator.client.protocol import Identity, Verb

MAX_RUNNING = 600
"""Requests in all (upstream: 400 reading and 200 changing)."""
MAX_RUNNING_PER_USER = 200
MAX_WAITING_PER_USER = 2000
"""Requests of one user in line."""


class Seat:
    """One request's; nobody's when its user needs none."""

    __slots__ = ("_seats", "_user")

    def __init__(self, seats: Seats, user: str) -> None:
        self._seats = seats
        self._user = user

    async def __aenter__(self) -> None:
        if self._user:
            await self._seats.sit(self._user)

    async def __aexit__(self, *_: object) -> None:
        if self._user:
            self._seats.rise(self._user)


class Seats:
    """Counts seats by user; superusers take from their own."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(MAX_RUNNING)
        self._users: dict[str, asyncio.Semaphore] = {}
        self._waiting: dict[str, int] = {}

    def taken(self, who: Identity, verb: Verb) -> Seat:
        """To be entered with ``async with``, which raises TooManyRequests when the user's line is full."""
        return Seat(self, "" if SUPERUSERS in who.groups or verb == Verb.WATCH else who.user)

    async def sit(self, user: str) -> None:
        waiting = self._waiting.get(user, 0)
        if waiting >= MAX_WAITING_PER_USER + MAX_RUNNING_PER_USER:
            raise errors.too_many_requests("too many requests, please try again later", 1)
        self._waiting[user] = waiting + 1
        mine = self._users.get(user)
        if mine is None:
            mine = self._users[user] = asyncio.Semaphore(MAX_RUNNING_PER_USER)
        try:
            await mine.acquire()
            try:
                await self._all.acquire()
            except BaseException:
                mine.release()
                raise
        except BaseException:
            self._leave(user)
            raise

    def rise(self, user: str) -> None:
        self._all.release()
        self._users[user].release()
        self._leave(user)

    def _leave(self, user: str) -> None:
        left = self._waiting[user] - 1
        if left:
            self._waiting[user] = left
        else:
            del self._waiting[user]
            self._users.pop(user, None)
