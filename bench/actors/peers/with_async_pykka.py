"""async-pykka: pykka's interface with an actor as an asyncio task; messages by reference, no supervision."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import async_pykka
import measure


class Counter(async_pykka.AsyncioActor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    async def on_receive(self, message: Any) -> Any:
        self.count += 1
        return message


async def tell(watch: measure.Watch) -> None:
    ref = Counter.start()
    with watch(100_000):
        for _ in range(99_999):
            ref.tell(measure.MESSAGE)
        await ref.ask(measure.MESSAGE).get()
    await ref.stop()


async def ask(watch: measure.Watch) -> None:
    ref = Counter.start()
    with watch(20_000):
        for _ in range(20_000):
            await ref.ask(measure.MESSAGE).get()
    await ref.stop()


async def spawn(watch: measure.Watch) -> None:
    with watch(5_000):
        refs = [Counter.start() for _ in range(5_000)]
        await refs[-1].ask(measure.SMALL).get()
    await async_pykka.ActorRegistry.stop_all()


async def idle(watch: measure.Watch) -> None:
    with watch.weigh(5_000):
        refs = [Counter.start() for _ in range(5_000)]
        for ref in refs:
            await ref.ask(measure.SMALL).get()
    await async_pykka.ActorRegistry.stop_all()


if __name__ == "__main__":
    measure.main({"tell": tell, "ask": ask, "spawn": spawn, "idle": idle}, version("async-pykka"))
