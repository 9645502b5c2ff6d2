"""everything-is-an-actor: asyncio, supervision, bounded mailboxes; messages by reference."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import measure
from actor_for_agents import Actor, ActorSystem


class Counter(Actor):
    count = 0

    async def on_receive(self, message: Any) -> Any:
        self.count += 1
        return message


async def tell(watch: measure.Watch) -> None:
    system = ActorSystem("bench")
    ref = await system.spawn(Counter, "counter", mailbox_size=1024)
    with watch(100_000):
        for _ in range(99_999):
            await ref.tell(measure.MESSAGE)
        await ref.ask(measure.MESSAGE)
    await system.shutdown()


async def ask(watch: measure.Watch) -> None:
    system = ActorSystem("bench")
    ref = await system.spawn(Counter, "counter")
    with watch(10_000):
        for _ in range(10_000):
            await ref.ask(measure.MESSAGE)
    await system.shutdown()


async def spawn(watch: measure.Watch) -> None:
    system = ActorSystem("bench")
    with watch(5_000):
        for number in range(5_000):
            await system.spawn(Counter, f"counter-{number}")
    await system.shutdown()


async def idle(watch: measure.Watch) -> None:
    system = ActorSystem("bench")
    with watch.weigh(5_000):
        for number in range(5_000):
            ref = await system.spawn(Counter, f"counter-{number}")
            await ref.ask(measure.SMALL)
    await system.shutdown()


if __name__ == "__main__":
    measure.main({"tell": tell, "ask": ask, "spawn": spawn, "idle": idle}, version("everything-is-an-actor"))
