"""Streams: messages pushed to one actor no faster than it handles them.

A stream has *credit*: so many messages may be on their way or in the consumer's mailbox; the rest waits in the stream's
own bounded queue, where its overflow policy decides. The last message of each burst is sent as an ask, and since mail
of one sender is handled in order, its reply gives the credit of the whole burst back. So credit can be neither
forgotten nor forged, and costs one reply for a burst. An idle stream owns no task.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, cast

import msgspec

from actors import current
from actors.errors import AskTimeout, Down, MailboxFull, Refused
from actors.exit import MISSING
from actors.mailbox import Overflow, Policy
from actors.message import Ask, Message, Tell
from actors.owned import start_background
from actors.ref import Ref
from actors.trace import Trace

if TYPE_CHECKING:
    from actors.cell import Cell

CREDIT = 16
"""Messages a consumer has in hand at most: enough to keep it busy, few enough to lose with it."""
CAPACITY = 256
"""Messages that wait in a stream for credit."""
HANDLING_SECONDS = 60.0
"""A burst that is not handled by then gives its credit back: a consumer that hangs holds no stream for ever."""

CLOSED = "closed"
"""Why a stream ended that its maker closed."""


class StreamStatistics(msgspec.Struct, frozen=True):
    """What a stream can say of itself."""

    queued: int
    """Messages that wait for credit."""
    outstanding: int
    """Messages that were sent and are not handled yet."""
    sent: int
    dropped: int
    """Messages that the overflow policy dropped."""


class Stream:
    """Made by ``context.stream(to)``; ends with the instance that made it, or with ``to``."""

    def __init__(self, cell: Cell, to: Ref[Any], credit: int, capacity: int, overflow: Overflow) -> None:
        self._cell = cell
        self.to = to
        self._queue: OrderedDict[Any, tuple[Message, Trace | None]] = OrderedDict()  # by key, in order
        self._waiting: deque[tuple[Message, Trace | None, asyncio.Future[bool]]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._outstanding = self._sent = self._dropped = 0
        self.ended: Down | None = None
        self.change(credit, capacity, overflow)

    @property
    def overflow(self) -> Overflow:
        """What becomes of messages when the stream is full."""
        return self._overflow

    async def push(self, message: Message) -> None:
        """Send ``message`` in its turn. Waits for room only under the policy ``wait``.

        Raises ``MailboxFull`` (policy ``fail``), ``Down`` when the consumer is gone, ``AskCycle`` when the wait could
        never end, ``Unpackable``.
        """
        if self.offer(message):
            return
        if self.ended is None and self._overflow.policy is Policy.FAIL:
            raise MailboxFull(self.to.path, self._capacity)
        if self.ended is not None or not await self._room_for(message):
            assert self.ended is not None, "only the end turns a waiting message away"
            raise self.ended

    def offer(self, message: Message) -> bool:
        """Send ``message`` in its turn without waiting. False: not taken (``wait`` and ``fail`` when it is full)."""
        if self.ended is not None:
            return False
        self._cell.system.codec.encode(message)  # what cannot be packed is raised here, not in the pump
        key = self._key(message)
        if key in self._queue:
            self._dropped += 1
        elif self._waiting or len(self._queue) >= self._capacity:
            policy = self._overflow.policy
            if policy in (Policy.WAIT, Policy.FAIL):
                return False
            self._dropped += 1
            if policy is Policy.DROP_NEWEST:
                return True
            self._queue.popitem(last=False)
        self._put(key, message, current.current_cause())
        return True

    async def drained(self) -> None:
        """Wait until all that was taken is handled or lost."""
        while self._pump is not None:
            await asyncio.wait([self._pump])

    def close(self) -> None:
        """Send no more; what waits is dropped, what was sent is handled."""
        if self._pump is not None:
            self._pump.cancel()
        self._end(Down(self.to, CLOSED))

    def change(self, credit: int, capacity: int, overflow: Overflow) -> None:
        """New terms, for what comes from now on."""
        if credit < 1 or capacity < 1:
            raise ValueError(f"expected credit and capacity of at least 1, found {credit} and {capacity}")
        self._credit, self._capacity, self._overflow = credit, capacity, overflow
        self._admit()

    def statistics(self) -> StreamStatistics:
        """The figures as they are now."""
        return StreamStatistics(len(self._queue), self._outstanding, self._sent, self._dropped)

    def _key(self, message: Message) -> Any:
        if self._overflow.policy is Policy.KEEP_LATEST:
            assert self._overflow.key is not None, "keep_latest has a key"
            return self._overflow.key(message)
        return object()

    def _put(self, key: Any, message: Message, trace: Trace | None) -> None:
        self._queue[key] = message, trace
        if self._pump is None:
            self._pump = start_background(self._cell, self._send_all(), f"stream to {self.to.path}")

    async def _room_for(self, message: Message) -> bool:
        """Stand in line, as a tell to a full mailbox does: a handler that waits here waits for the consumer."""
        sender = current.actor.get()
        serial = sender if sender is not None and current.handling(sender) else None
        if serial is not None:
            self.to.check_cycle(serial)
        room: asyncio.Future[bool] = self._cell.system.loop.create_future()
        self._waiting.append((message, current.current_cause(), room))
        try:
            if serial is not None:
                serial.asking = self._cell.system.cell_of(self.to)
            return await room
        finally:
            if serial is not None:
                serial.asking = None

    def _admit(self) -> None:
        """Take in who stands in line, first come first served, as far as there is room; who gave up is left out."""
        while self._waiting and (len(self._queue) < self._capacity or self._waiting[0][2].done()):
            message, trace, room = self._waiting.popleft()
            if not room.done():
                self._put(object(), message, trace)
                room.set_result(True)

    async def _send_all(self) -> None:
        try:
            while self._queue:
                await self._send_burst()
        finally:
            self._pump = None
            self._outstanding = 0

    async def _send_burst(self) -> None:
        burst = [self._queue.popitem(last=False)[1] for _ in range(min(self._credit, len(self._queue)))]
        self._admit()
        self._outstanding = len(burst)
        self._sent += len(burst)
        last, cause = burst.pop()
        for message, trace in burst:
            current.set_cause(trace)
            try:
                await self.to.tell(cast(Tell, message))
            except MailboxFull:
                self._dropped += 1
        current.set_cause(cause)
        try:
            await self.to.ask(cast("Ask[Any]", last), HANDLING_SECONDS)
        except Down as down:
            if down.reason == MISSING:
                self._end(down)
        except (AskTimeout, MailboxFull, Refused):
            pass  # it was not handled, or not to the end: its credit is back all the same
        self._outstanding = 0

    def _end(self, down: Down) -> None:
        self.ended = self.ended or down
        self._queue.clear()
        waiting, self._waiting = self._waiting, deque()
        for _, _, room in waiting:
            if not room.done():
                room.set_result(False)
