"""Time, injected: the protocol and the clock of the running loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Handle(Protocol):
    """A pending call that can be cancelled (once too often does no harm)."""

    def cancel(self) -> None:
        """The call is not made; nothing happens when it was made already."""
        ...


class Clock(Protocol):
    """Where a system's time comes from: ``System(clock=...)``. All seconds are floats."""

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00Z."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, since an arbitrary moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        ...

    def call_later(self, seconds: float, function: Callable[[], object]) -> Handle:
        """Call ``function`` once, in the loop, after ``seconds``."""
        ...


class LoopClock:
    """The clock of an asyncio loop.

    A loop with a time of its own (``actors.testing.DeterministicLoop``) has a method ``wall_time``; on any other
    loop ``time()`` is the machine's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = asyncio.get_running_loop() if loop is None else loop
        own = type(self._loop).time is not asyncio.BaseEventLoop.time
        self.monotonic: Callable[[], float] = self._loop.time if own else time.monotonic
        self.time: Callable[[], float] = getattr(self._loop, "wall_time", time.time)

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of the loop's time."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, function: Callable[[], object]) -> asyncio.TimerHandle:
        """Call ``function`` once after ``seconds`` of the loop's time."""
        return self._loop.call_later(seconds, function)
