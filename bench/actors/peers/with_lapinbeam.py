"""lapinbeam: asyncio above a core in Rust, supervision; local messages by reference. An actor's name is its class's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import lapinbeam
import measure

TELLS = 30_000


def _counter(name: str, done: asyncio.Event, until: int) -> type:
    @lapinbeam.actor(name=name)
    class Counter:
        def __init__(self) -> None:
            self.count = 0

        async def receive(self, message: Any) -> None:
            self.count += 1
            if self.count == until:
                done.set()

    return Counter


@lapinbeam.actor(name="echo")
class Echo:
    async def receive(self, message: Any) -> None:
        await lapinbeam.current_message().reply(message)


@asynccontextmanager
async def node(name: str = "bench") -> AsyncIterator[Any]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with lapinbeam.Node(f"{name}@127.0.0.1:{port}") as node:
        yield node


async def tell(watch: measure.Watch) -> None:
    async with node() as home:
        done = asyncio.Event()
        ref = lapinbeam.Supervisor(node=home).spawn(_counter("counter", done, TELLS))
        await asyncio.sleep(0.05)
        with watch(TELLS):
            for _ in range(TELLS):
                await ref.send(measure.MESSAGE)
            await done.wait()


async def ask(watch: measure.Watch) -> None:
    async with node() as home:
        ref = lapinbeam.Supervisor(node=home).spawn(Echo)
        await asyncio.sleep(0.05)
        with watch(5_000):
            for _ in range(5_000):
                await ref.ask(measure.MESSAGE)


async def spawn(watch: measure.Watch) -> None:
    """Every actor needs a class of its own: they are made before the watch runs."""
    async with node() as home:
        kinds = [_counter(f"counter-{number}", asyncio.Event(), 1) for number in range(1_000)]
        supervisor = lapinbeam.Supervisor(node=home)
        with watch(1_000):
            for kind in kinds:
                supervisor.spawn(kind)
            await asyncio.sleep(0)


async def idle(watch: measure.Watch) -> None:
    async with node() as home:
        kinds = [_counter(f"counter-{number}", asyncio.Event(), 1) for number in range(1_000)]
        supervisor = lapinbeam.Supervisor(node=home)
        with watch.weigh(1_000):
            refs = [supervisor.spawn(kind) for kind in kinds]
            for ref in refs:
                await ref.send(measure.SMALL)
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    measure.main({"tell": tell, "ask": ask, "spawn": spawn, "idle": idle}, version("lapinbeam"))
