"""Asks that wait: a reserved slot each for the reply, and the deadlines.

Most asks share a few timeouts, so there is one timer per timeout and not per ask: in a lane deadlines are in order.
"""

from __future__ import annotations

import asyncio
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from actors.call import encode_call
from actors.clock import Handle
from actors.errors import AskCycle, AskTimeout, Down, MailboxFull, Refused
from actors.trace import Trace

if TYPE_CHECKING:
    from actors.system import System

OK, REFUSED, DOWN, TIMEOUT, FULL, CYCLE = range(6)
Answer = tuple[int, bytes]

MAX_LANES = 64
"""Timeouts that have a shared timer; an ask with yet another timeout has a timer of its own."""


Call = tuple[int, bytes, "asyncio.Future[Answer]", "Lane"]
"""One ask on its way: its correlation, the frame's call header, the slot of the reply, the lane of its timeout."""


class Lane:
    """The waiting asks of one timeout, the earliest deadline first."""

    __slots__ = ("deadlines", "seconds", "shared", "timer")

    def __init__(self, seconds: float, shared: bool) -> None:
        self.seconds = seconds
        self.shared = shared
        self.deadlines: dict[int, float] = {}  # by correlation
        self.timer: Handle | None = None

    def expired(self, now: float) -> list[int]:
        """The asks whose deadline is ``now`` or before."""
        return [correlation for correlation, _ in takewhile(lambda item: item[1] <= now, self.deadlines.items())]


class Asks:
    """The table of asks of one system."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._clock = system.clock
        self._loop = system.loop
        self._lanes: dict[float, Lane] = {}
        self._last = 0
        self.waiting: dict[int, asyncio.Future[Answer]] = {}

    def open(self, seconds: float, trace: Trace | None, slot: Any = None) -> Call:
        """Reserve the slot of a reply: a future, or whatever takes the answer to somebody who asks from afar."""
        correlation = self._last = self._last + 1
        deadline = self._clock.monotonic() + seconds
        lane = self._lanes.get(seconds)
        if lane is None:
            lane = self._new_lane(seconds)
        future: asyncio.Future[Answer] = slot or asyncio.Future(loop=self._loop)
        self.waiting[correlation] = future
        lane.deadlines[correlation] = deadline
        if lane.timer is None:
            lane.timer = self._clock.call_later(seconds, lambda: self._expire(lane))
        return correlation, encode_call((correlation, deadline, trace)), future, lane

    def close(self, call: Call) -> None:
        """Give the slot up: a reply that comes later reaches nobody."""
        correlation, _, _, lane = call
        self.waiting.pop(correlation, None)
        lane.deadlines.pop(correlation, None)
        if not lane.shared and not lane.deadlines and lane.timer is not None:
            lane.timer.cancel()

    def answer(self, correlation: int, status: int, body: bytes) -> bool:
        """Fill a slot. False when nobody waits for it any more."""
        future = self.waiting.pop(correlation, None)
        if future is None or future.done():
            return False
        future.set_result((status, body))
        return True

    def stop(self) -> None:
        for lane in self._lanes.values():
            if lane.timer is not None:
                lane.timer.cancel()
        self._lanes.clear()

    def error(self, status: int, body: bytes, path: str, message: str, seconds: float) -> Exception:
        """The exception that an answer other than OK means to the asker."""
        if status == TIMEOUT:
            return AskTimeout(path, message, seconds)
        value: Any = self._system.codec.decode_value(body)
        if status == REFUSED:
            return Refused(*value)
        if status == FULL:
            return MailboxFull(*value)
        if status == CYCLE:
            return AskCycle(value)
        return Down(self._system.ref(value[0]), *value[1:])

    def _new_lane(self, seconds: float) -> Lane:
        lane = Lane(seconds, len(self._lanes) < MAX_LANES)
        if lane.shared:
            self._lanes[seconds] = lane
        return lane

    def _expire(self, lane: Lane) -> None:
        now = self._clock.monotonic()
        lane.timer = None
        for correlation in lane.expired(now):
            del lane.deadlines[correlation]
            self.answer(correlation, TIMEOUT, b"")
        if lane.deadlines:
            first = next(iter(lane.deadlines.values()))
            lane.timer = self._clock.call_later(first - now, lambda: self._expire(lane))
