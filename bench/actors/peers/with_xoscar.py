"""xoscar: actors in one process of its pool, or in a sub process; messages by reference inside of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import measure
import xoscar


class Counter(xoscar.Actor):
    def __init__(self) -> None:
        self.count = 0

    def put(self, message: Any) -> Any:
        self.count += 1
        return message

    def note(self, message: Any) -> None:
        self.count += 1

    def total(self) -> int:
        return self.count


@asynccontextmanager
async def pool(processes: int = 0) -> AsyncIterator[Any]:
    pool = await xoscar.create_actor_pool("127.0.0.1", n_process=processes)
    async with pool:
        yield pool


async def _tell(watch: measure.Watch, count: int, processes: int) -> None:
    async with pool(processes) as home:
        strategy = xoscar.allocate_strategy.ProcessIndex(processes)
        ref = await xoscar.create_actor(Counter, address=home.external_address, allocate_strategy=strategy)
        with watch(count):
            for _ in range(count):
                await ref.note.tell(measure.MESSAGE)
            while await ref.total() < count:
                pass


async def _ask(watch: measure.Watch, count: int, processes: int) -> None:
    async with pool(processes) as home:
        strategy = xoscar.allocate_strategy.ProcessIndex(processes)
        ref = await xoscar.create_actor(Counter, address=home.external_address, allocate_strategy=strategy)
        with watch(count):
            for _ in range(count):
                await ref.put(measure.MESSAGE)


async def tell(watch: measure.Watch) -> None:
    await _tell(watch, 5_000, 0)


async def ask(watch: measure.Watch) -> None:
    await _ask(watch, 5_000, 0)


async def remote_tell(watch: measure.Watch) -> None:
    await _tell(watch, 3_000, 1)


async def remote_ask(watch: measure.Watch) -> None:
    await _ask(watch, 1_500, 1)


async def spawn(watch: measure.Watch) -> None:
    async with pool() as home:
        with watch(3_000):
            for _ in range(3_000):
                await xoscar.create_actor(Counter, address=home.external_address)


async def idle(watch: measure.Watch) -> None:
    async with pool() as home:
        with watch.weigh(5_000):
            for _ in range(5_000):
                ref = await xoscar.create_actor(Counter, address=home.external_address)
                await ref.put(measure.SMALL)


if __name__ == "__main__":
    measure.main(
        {
            "tell": tell,
            "ask": ask,
            "spawn": spawn,
            "idle": idle,
            "remote_tell": remote_tell,
            "remote_ask": remote_ask,
        },
        version("xoscar"),
    )
