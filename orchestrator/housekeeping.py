"""What a process does when it has come to rest: it gives back the memory that a burst left in its heap.

While thousands of pods start, requests, frames and objects half made stand between those that stay. Where they were,
the C library keeps whole pages free for the next burst: a sixth of a cluster's memory.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Awaitable, Callable
from typing import Any

from actors import Actor, Tell
from orchestrator.apimachinery import interned

LOOK_SECONDS = 5.0
"""Between two looks at what the process did meanwhile."""
BUSY_SHARE = 0.5
"""Of a core: from here on it was a burst."""
REST_SHARE = 0.25
"""Of a core: up to here it rests. Heartbeats of 5,000 nodes with 150,000 pods are a tenth."""


class Look(Tell):
    """Some seconds are over."""


class Housekeeper(Actor):
    """``cpu`` says the seconds of CPU that the process had so far; ``give_back`` is awaited once after each burst
    (None: ``trim`` in a thread)."""

    def __init__(
        self, cpu: Callable[[], float] = time.process_time, give_back: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        self._cpu = cpu
        self._give_back = give_back or self._trim
        self._spent = 0.0
        self._worked = True
        # The start is a burst.

    async def start(self) -> None:
        self._spent = self._cpu()
        self.context.send_every(LOOK_SECONDS, Look())

    async def receive(self, message: Any) -> None:
        before, self._spent = self._spent, self._cpu()
        share = (self._spent - before) / LOOK_SECONDS
        if share > BUSY_SHARE:
            self._worked = True
        elif share <= REST_SHARE:
            interned.forget()  # what heartbeats renewed since the last look, nobody looks for any more
            if self._worked:
                self._worked = False
                await self._give_back()

    async def _trim(self) -> None:
        await self.context.blocking(trim)


def trim() -> None:
    """Have glibc give back each free page, wherever it is; with another C library nothing happens."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return
