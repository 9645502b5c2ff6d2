"""Seats: how many requests run at once, so that a flood of one user leaves room for the others.

A request that finds no seat waits in line; a line that is full turns it away with 429. Watches hold no seat.
"""

from __future__ import annotations

import asyncio
from collections import deque

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
        self.leave()

    def taken(self) -> bool:
        """Sit down where that needs no waiting. Who does has to ``leave``."""
        return not self._user or self._seats.sit_nowait(self._user)

    def leave(self) -> None:
        if self._user:
            self._seats.rise(self._user)


class Row:
    """Some seats, and who waits for one: first come, first served."""

    __slots__ = ("_free", "_line")

    def __init__(self, seats: int) -> None:
        self._free = seats
        self._line: deque[asyncio.Future[None]] = deque()

    def take_nowait(self) -> bool:
        """Nobody waits while a seat is free."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def take(self) -> None:
        if self.take_nowait():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """To the next in line, who gave up aside."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Seats:
    """Counts seats by user; superusers take from their own."""

    def __init__(self) -> None:
        self._all = Row(MAX_RUNNING)
        self._users: dict[str, Row] = {}
        self._waiting: dict[str, int] = {}

    def taken(self, who: Identity, verb: Verb) -> Seat:
        """To be entered with ``async with``, which raises TooManyRequests when the user's line is full."""
        return Seat(self, "" if SUPERUSERS in who.groups or verb == Verb.WATCH else who.user)

    async def sit(self, user: str) -> None:
        waiting = self._waiting.get(user, 0)
        if waiting >= MAX_WAITING_PER_USER + MAX_RUNNING_PER_USER:
            raise errors.too_many_requests("too many requests, please try again later", 1)
        self._waiting[user] = waiting + 1
        mine = self._row(user)
        try:
            await mine.take()
            try:
                await self._all.take()
            except BaseException:
                mine.give()
                raise
        except BaseException:
            self._leave(user)
            raise

    def sit_nowait(self, user: str) -> bool:
        """As ``sit``, without ever waiting. False: there is no seat for this user."""
        mine = self._row(user)
        if not mine.take_nowait():
            return False
        if not self._all.take_nowait():
            mine.give()
            if user not in self._waiting:
                del self._users[user]
            return False
        self._waiting[user] = self._waiting.get(user, 0) + 1
        return True

    def rise(self, user: str) -> None:
        self._all.give()
        self._users[user].give()
        self._leave(user)

    def _row(self, user: str) -> Row:
        mine = self._users.get(user)
        if mine is None:
            mine = self._users[user] = Row(MAX_RUNNING_PER_USER)
        return mine

    def _leave(self, user: str) -> None:
        left = self._waiting[user] - 1
        if left:
            self._waiting[user] = left
        else:
            del self._waiting[user]
            self._users.pop(user, None)
