"""Memory is given back when a burst is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from actors import System
from orchestrator.collecting import Sparing
from orchestrator.housekeeping import LOOK_SECONDS, Housekeeper, trim
from orchestrator.large_pages import LargePages


class Process:
    """One whose CPU time a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.given_back = 0
        self.thawed = 0
        self.collector = Sparing(lambda: None, self._thaw)

    def _thaw(self) -> None:
        self.thawed += 1

    def cpu(self) -> float:
        return self.seconds

    async def aside(self, work: Callable[[], object]) -> None:
        if work is trim:
            self.given_back += 1
        else:
            work()

    async def live(self, share: float) -> int:
        """From one look to the next with so much of a core. How often memory was given back by then."""
        self.seconds += share * LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        return self.given_back


class Pages(LargePages):
    """Those of a process in which a join is due ``left`` times."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.forgotten = 0

    def due(self) -> bool:
        return self.left > 0

    def join(self) -> int:
        self.left -= 1
        return 0

    def forget(self) -> None:
        self.forgotten += 1


async def test_memory_is_given_back_once_after_each_burst_when_the_process_rests() -> None:
    process = Process()
    async with System("process") as system:
        await system.spawn(Housekeeper, process.cpu, process.aside, Pages(0), process.collector)
        await asyncio.sleep(LOOK_SECONDS / 2)
        assert await process.live(0.9) == 0
        assert await process.live(0.4) == 0, "it is not at rest yet"
        assert await process.live(0.1) == 1
        assert await process.live(0.1) == 1, "nothing came since"
        assert await process.live(0.4) == 1
        assert await process.live(0.0) == 1, "that was no burst"
        assert await process.live(0.8) == 1
        assert await process.live(0.0) == 2


async def test_a_burst_that_two_looks_share_is_one() -> None:
    process = Process()
    async with System("process") as system:
        await system.spawn(Housekeeper, process.cpu, process.aside, Pages(0), process.collector)
        await asyncio.sleep(LOOK_SECONDS / 2)
        assert await process.live(0.0) == 1, "the start"
        assert await process.live(0.3) == 1
        assert await process.live(0.3) == 1
        assert await process.live(0.1) == 2
        assert await process.live(0.1) == 2


async def test_pages_are_joined_at_each_look_as_long_as_that_is_due() -> None:
    process, pages = Process(), Pages(2)
    async with System("process") as system:
        await system.spawn(Housekeeper, process.cpu, process.aside, pages, process.collector)
        await asyncio.sleep(LOOK_SECONDS / 2)
        for left in (1, 0, 0):
            await process.live(0.9)
            assert pages.left == left
        assert pages.forgotten == 0
        await process.live(0.1)
        assert (process.given_back, pages.forgotten) == (1, 1)


async def test_the_collector_hears_of_each_look_at_which_the_process_rests() -> None:
    process = Process()
    async with System("process") as system:
        await system.spawn(Housekeeper, process.cpu, process.aside, Pages(0), process.collector)
        await asyncio.sleep(LOOK_SECONDS / 2)
        for share, thawed in ((0.9, 0), (0.4, 0), (0.1, 1), (0.1, 2), (0.4, 2)):
            await process.live(share)
            assert process.thawed == thawed
