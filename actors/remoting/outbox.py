"""Mail to one node that waits for its credit: bounded in messages and in bytes, with a line of senders before it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any

from actors.remoting.limits import Limits

Waiting = tuple[bytes, bool, "asyncio.Future[bool]", "asyncio.Future[Any] | None"]


class Outbox:
    """Wire frames in the order in which they were sent; urgent ones first."""

    __slots__ = ("_limits", "_normal", "_urgent", "count", "size", "waiting")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._normal: deque[bytes] = deque()
        self._urgent: deque[bytes] = deque()
        self.count = 0
        self.size = 0
        """In bytes."""
        self.waiting: deque[Waiting] = deque()

    @property
    def capacity(self) -> int:
        return self._limits.outbox_frames

    def has_room(self) -> bool:
        return self.count < self._limits.outbox_frames and self.size < self._limits.outbox_bytes

    def put(self, data: bytes, urgent: bool) -> None:
        (self._urgent if urgent else self._normal).append(data)
        self.count += 1
        self.size += len(data)

    def take(self) -> bytes:
        """The next frame; who waits in line moves up."""
        data = (self._urgent or self._normal).popleft()
        self.count -= 1
        self.size -= len(data)
        self._admit()
        return data

    def _admit(self) -> None:
        while self.waiting:
            data, urgent, room, asker = self.waiting[0]
            gone = room.done() or (asker is not None and asker.done())
            if not gone and not self.has_room():
                return
            self.waiting.popleft()
            if not gone:
                self.put(data, urgent)
                room.set_result(True)

    def drain(self) -> Iterator[bytes]:
        """Take out everything; senders in line are told that it was not taken."""
        while self._urgent or self._normal:
            yield (self._urgent or self._normal).popleft()
        self.count = self.size = 0
        while self.waiting:
            data, _, room, asker = self.waiting.popleft()
            if not room.done() and (asker is None or not asker.done()):
                room.set_result(False)
                yield data
