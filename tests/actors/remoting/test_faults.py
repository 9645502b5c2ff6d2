"""Two processes under load, one of them stopped, killed, cut off, started again: what the other one sees."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors import ActorError, Down, Limits, Ref, System
from tests.actors.remoting.nodes import SECRET, Look, Server, Watcher
from tests.actors.remoting.sink import Books, Item, WatchMe, resident

pytestmark = [pytest.mark.real_loop, pytest.mark.slow]

FILLER = "x" * 200
GROWTH_BYTES = 64_000_000
"""The outbox, the window and what transports hold, with Python's share; seconds of unbounded sending would be more."""


class Sink:
    """The other process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.process: asyncio.subprocess.Process

    async def start(self) -> str:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.actors.remoting.sink", self.name, str(self.port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self.process.stdout is not None
        address = (await self.process.stdout.readline()).decode().strip()
        self.port = int(address.rpartition(":")[2])
        return address

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        await self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()


@asynccontextmanager
async def sink(name: str = "sink") -> AsyncIterator[tuple[Sink, str]]:
    made = Sink(name)
    try:
        yield made, await made.start()
    finally:
        await made.kill()


class Load:
    """Tells one number after the other, as fast as they are taken."""

    def __init__(self, ref: Ref[Any]) -> None:
        self.ref = ref
        self.sent = 0
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            await self.ref.tell(Item(self.sent, FILLER))
            self.sent += 1
            if self.sent % 100 == 0:
                await asyncio.sleep(0)
            if self.ref.node not in self.ref._system.remoting.peers:
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def books(ref: Ref[Any], seconds: float = 30.0) -> dict[str, int]:
    """What the ledger says, as soon as it can be asked."""
    found: list[dict[str, int]] = []

    async def answered() -> bool:
        with contextlib.suppress(ActorError):
            found.append(await ref.ask(Books(), timeout=5.0))
        return bool(found)

    await until(answered, seconds)
    return found[0]


async def until(true: Callable[[], Awaitable[bool]], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 (another process sets no event)
            await asyncio.sleep(0.02)


@contextlib.contextmanager
def stopped(made: Sink) -> Iterator[None]:
    made.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        made.process.send_signal(signal.SIGCONT)


async def test_a_node_that_stops_for_ten_seconds_is_lost_then_found_and_delays_nobody_else() -> None:
    """SEMANTICS 15.8, 15.9, 15.12, 15.16"""
    async with System("main") as system, sink() as (one, address), sink("other") as (_, other_address):
        downs: list[Down] = []
        await system.connect(address, SECRET)
        await system.connect(other_address, SECRET)
        ledger, other = system.ref("ledger", "sink"), system.ref("ledger", "other")
        watcher = await system.spawn(Watcher, downs)
        await watcher.tell(Look(ledger))
        load = Load(ledger)
        await asyncio.sleep(1.0)
        assert (await books(ledger))["count"] > 1000
        before = resident()
        with stopped(one):
            began = time.monotonic()
            await asyncio.sleep(1.0)
            blocked = load.sent
            while not downs and time.monotonic() - began < 12.0:
                asked = time.monotonic()
                await other.ask(Books())
                assert time.monotonic() - asked < 1.0, "the other node waits for the one that is stopped"
                assert resident() - before < GROWTH_BYTES
                if not downs:
                    assert load.sent == blocked, "a tell to a node that takes nothing waits"
                await asyncio.sleep(0.2)
            lost_after = time.monotonic() - began
            await asyncio.sleep(max(0.0, 10.0 - lost_after))
        assert [down.reason for down in downs] == ["disconnected"]
        assert system.remoting.limits.silence_seconds - 2.5 < lost_after < system.remoting.limits.silence_seconds + 2.0
        again = await books(ledger)
        await until(lambda: _grown(ledger, again["count"]), 20.0)
        await load.stop()
        last = await books(ledger)
        assert last["wrong"] == 0
        assert last["resident"] < 200_000_000
        assert len(downs) == 1


async def _grown(ledger: Ref[Any], count: int) -> bool:
    return (await books(ledger))["count"] > count + 1000


async def test_a_node_that_stops_for_less_than_the_silence_loses_nothing() -> None:
    """SEMANTICS 15.6, 15.16"""
    async with System("main") as system, sink() as (one, address):
        downs: list[Down] = []
        await system.connect(address, SECRET)
        ledger = system.ref("ledger", "sink")
        watcher = await system.spawn(Watcher, downs)
        await watcher.tell(Look(ledger))
        load = Load(ledger)
        await asyncio.sleep(0.5)
        with stopped(one):
            await asyncio.sleep(3.0)
        await asyncio.sleep(0.5)
        await load.stop()
        found = await books(ledger)
        assert not downs
        assert found["wrong"] == 0
        assert found["count"] == found["last"] + 1 == load.sent
        assert not system.statistics().dead_letters


async def test_a_node_that_is_killed_under_load_is_lost_at_once_and_found_again_when_it_is_back() -> None:
    """SEMANTICS 15.7, 15.8, 15.9"""
    async with System("main") as system, sink() as (one, address):
        downs: list[Down] = []
        await system.connect(address, SECRET)
        ledger = system.ref("ledger", "sink")
        watcher = await system.spawn(Watcher, downs)
        load = Load(ledger)
        for life in range(3):
            await until(lambda: _grown(ledger, 0), 20.0)
            await watcher.tell(Look(ledger))
            await asyncio.sleep(0.1)
            asking = asyncio.create_task(_ask_until_down(ledger))
            await asyncio.sleep(0.05)
            began = time.monotonic()
            await one.kill()
            down = await asking
            assert down.reason == "disconnected"
            assert time.monotonic() - began < 1.5
            assert [found.reason for found in downs] == ["disconnected"] * (life + 1)
            await one.start()
        found = await books(ledger)
        await load.stop()
        assert found["wrong"] == 0
        assert system.statistics().asks == 0


async def _ask_until_down(ledger: Ref[Any]) -> Down:
    while True:
        try:
            await ledger.ask(Books())
        except Down as down:
            return down


class Relay:
    """Carries bytes between the nodes until it is cut: then it carries nothing and says nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.passing = asyncio.Event()
        self.passing.set()

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await asyncio.sleep(0.05)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        await self.passing.wait()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(far_writer)
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                await self.passing.wait()
                target.write(data)
                await target.drain()
        target.close()


async def test_nodes_that_are_cut_off_lose_each_other_by_silence_and_meet_again() -> None:
    """SEMANTICS 15.8, 15.9, 15.16"""
    limits = Limits(heartbeat_seconds=0.3, silence_seconds=1.5, handshake_seconds=1.0)
    async with System("main", limits=limits) as system, sink() as (one, _):
        relay = Relay(one.port)
        await system.connect(await relay.start(), SECRET)
        downs: list[Down] = []
        ledger = system.ref("ledger", "sink")
        watcher = await system.spawn(Watcher, downs)
        await watcher.tell(Look(ledger))
        await ledger.ask(WatchMe(await system.spawn(Server)))
        load = Load(ledger)
        await asyncio.sleep(0.5)
        relay.passing.clear()
        before = resident()
        began = time.monotonic()
        while not downs:
            assert time.monotonic() - began < 5.0
            await asyncio.sleep(0.05)
        assert time.monotonic() - began < 3.0
        await asyncio.sleep(2.0)
        assert resident() - before < GROWTH_BYTES
        relay.passing.set()
        found = await books(ledger)
        await until(lambda: _grown(ledger, found["count"]), 20.0)
        await load.stop()
        last = await books(ledger)
        assert [down.reason for down in downs] == ["disconnected"]
        assert (last["wrong"], last["downs"]) == (0, 1)
        await relay.stop()
