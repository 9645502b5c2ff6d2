"""What a process does for its memory: it gives back what a burst left in the heap, and joins pages when it has grown.

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
from orchestrator.collecting import SPARING, Sparing
from orchestrator.large_pages import LargePages

LOOK_SECONDS = 5.0
"""Between two looks at what the process did meanwhile."""
BUSY_SHARE = 0.5
"""Of a core, in one look or two: from here on it was a burst."""
REST_SHARE = 0.25
"""Of a core: up to here it rests. Heartbeats of 5,000 nodes with 150,000 pods are a tenth."""


class Look(Tell):
    """Some seconds are over."""


class Housekeeper(Actor):
    """``cpu`` says the seconds of CPU that the process had so far; ``aside`` runs what blocks (None: in a thread):
    ``trim`` once after each burst, ``collector`` is told of its end, and ``pages`` are joined when the process has
    grown."""

    def __init__(
        self,
        cpu: Callable[[], float] = time.process_time,
        aside: Callable[[Callable[[], object]], Awaitable[object]] | None = None,
        pages: LargePages | None = None,
        collector: Sparing = SPARING,
    ) -> None:
        self._cpu = cpu
        self._aside = aside or self._in_a_thread
        self._pages = pages or LargePages()
        self._collector = collector
        self._spent = 0.0
        self._share = 0.0
        # Of a core, at the last look.
        self._worked = True
        # The start is a burst.

    async def start(self) -> None:
        self._spent = self._cpu()
        self.context.send_every(LOOK_SECONDS, Look())

    async def receive(self, message: Any) -> None:
        before, self._spent = self._spent, self._cpu()
        earlier, share = self._share, (self._spent - before) / LOOK_SECONDS
        self._share = share
        self._worked |= earlier + share > BUSY_SHARE
        if share <= REST_SHARE:
            self._collector.rest()
            interned.forget()  # what heartbeats renewed since the last look, nobody looks for any more
            if self._worked:
                self._worked = False
                self._share = 0.0
                await self._aside(trim)
                self._pages.forget()
        if self._pages.due():
            await self._aside(self._pages.join)

    async def _in_a_thread(self, work: Callable[[], object]) -> None:
        await self.context.blocking(work)


def trim() -> None:
    """Have glibc give back each free page, wherever it is; with another C library nothing happens."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return
