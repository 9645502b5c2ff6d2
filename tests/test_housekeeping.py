"""Memory is given back when a burst is over."""

from __future__ import annotations

import asyncio

from actors import System
from orchestrator.housekeeping import LOOK_SECONDS, Housekeeper


class Process:
    """One whose CPU time a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.given_back = 0

    def cpu(self) -> float:
        return self.seconds

    async def give_back(self) -> None:
        self.given_back += 1

    async def live(self, share: float) -> int:
        """From one look to the next with so much of a core. How often memory was given back by then."""
        self.seconds += share * LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        return self.given_back


async def test_memory_is_given_back_once_after_each_burst_when_the_process_rests() -> None:
    process = Process()
    async with System("process") as system:
        await system.spawn(Housekeeper, process.cpu, process.give_back)
        await asyncio.sleep(LOOK_SECONDS / 2)
        assert await process.live(0.9) == 0
        assert await process.live(0.4) == 0, "it is not at rest yet"
        assert await process.live(0.1) == 1
        assert await process.live(0.1) == 1, "nothing came since"
        assert await process.live(0.4) == 1
        assert await process.live(0.0) == 1, "that was no burst"
        assert await process.live(0.8) == 1
        assert await process.live(0.0) == 2
