"""Virtual time on any loop: it stands still, and jumps from timer to timer while somebody outside waits for it.

Before each jump the loop is let run until nothing is left to do at this moment. On asyncio's own loops that is exact:
no callback is ready. A loop that does not show its queue, or one that others keep busy, is given a number of turns.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from actors.testing.loop import EPOCH
from orchestrator.embedding.turns import quick, run_turns

BUSY_TURNS = 4096
"""Turns of a loop that others keep busy after which what a timer woke is taken to be done: the end of a whole cluster,
the longest chain of frames within one moment, is some hundreds."""
BLIND_TURNS = 256
"""The same for a loop that does not show whether anything is ready: here each moment takes so many."""

OUTSIDE_SECONDS = 0.001
"""Without any timer what is waited for comes from outside, a thread or a socket: real seconds between two looks."""
MOMENT_SECONDS = 1e-6
"""What falls due within it is one moment: one second of a wall clock is rounded differently from two beginnings."""
MANY_CANCELLED = 64
"""From so many cancelled timers on the heap may be worth making anew."""


class Pending:
    """A call that waits for its moment."""

    __slots__ = ("_clock", "function", "when")

    def __init__(self, clock: VirtualClock, when: float, function: Callable[[], object]) -> None:
        self._clock = clock
        self.when = when
        self.function: Callable[[], object] | None = function

    def cancel(self) -> None:
        if self.function is not None:
            self.function = None
            self._clock.cancelled()


class VirtualClock:
    """A ``Clock``. Time passes only within ``passing()``, which the methods of a cluster that wait are in."""

    def __init__(self, epoch: float = EPOCH) -> None:
        self._epoch = epoch
        self._now = 0.0
        self._count = 0
        self._cancelled = 0
        self._timers: list[tuple[float, int, Pending]] = []
        self._waiters = 0
        self._driver: asyncio.Task[None] | None = None
        self.jumps = 0

    def time(self) -> float:
        return self._epoch + self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        handle = self.call_later(seconds, lambda: None if done.done() else done.set_result(None))
        try:
            await done
        finally:
            handle.cancel()

    def call_later(self, seconds: float, function: Callable[[], object]) -> Pending:
        self._count += 1
        pending = Pending(self, self._now + max(seconds, 0.0), function)
        heapq.heappush(self._timers, (pending.when, self._count, pending))
        return pending

    def cancelled(self) -> None:
        """Count a cancelled timer; when they are the most, the heap is made anew."""
        self._cancelled += 1
        if self._cancelled > MANY_CANCELLED and self._cancelled * 2 > len(self._timers):
            self._timers = [entry for entry in self._timers if entry[2].function is not None]
            heapq.heapify(self._timers)
            self._cancelled = 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        """While within, time jumps whenever the loop has nothing left to do."""
        self._waiters += 1
        if self._driver is None:
            self._driver = asyncio.get_running_loop().create_task(self._drive(), name="virtual time")
        try:
            yield
        finally:
            self._waiters -= 1
            if self._waiters == 0 and self._driver is not None:
                self._driver.cancel()
                self._driver = None

    async def still(self) -> None:
        """Return when nothing is left to do at this moment."""
        loop = asyncio.get_running_loop()
        ready = getattr(loop, "_ready", None)
        quickly = quick(loop)
        turns = 0
        while turns < (BLIND_TURNS if ready is None else BUSY_TURNS):
            if quickly is None:
                await asyncio.sleep(0)
                turns += 1
            else:
                turns += max(1, await run_turns(loop, quickly))
            if ready is not None and not ready:
                return

    async def _drive(self) -> None:
        while True:
            await self.still()
            due = self._next()
            if due is None:
                await asyncio.sleep(OUTSIDE_SECONDS)
                continue
            self.jumps += 1
            while self._timers and self._timers[0][0] <= due + MOMENT_SECONDS:
                when, _, pending = heapq.heappop(self._timers)
                self._now = max(self._now, when)
                function, pending.function = pending.function, None
                if function is None:
                    self._cancelled -= 1
                else:
                    function()

    def _next(self) -> float | None:
        while self._timers and self._timers[0][2].function is None:
            heapq.heappop(self._timers)
            self._cancelled -= 1
        return self._timers[0][0] if self._timers else None
